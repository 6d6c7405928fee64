"""The problems of a preview, gathered: with their lines, each once, and not without end."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from platform_manager.recipes.interpolation import Mention, mentions, texts
from platform_manager.recipes.problems import Path, Problem, Severity, dotted, listed
from platform_manager.recipes.recipe import Recipe

# Of each severity; a hostile file can hold a mistake a line.
MAX_PROBLEMS = 200
# The platform answers these.
_PROVIDED = ("STACK_NAME", "DOCKER_MTU", "PM_ENVIRONMENT", "PM_HOSTS", "PM_MANAGERS")
_WORD = re.compile("[A-Za-z0-9_]+")
_ORDER = {Severity.ERROR: 0, Severity.DANGER: 1, Severity.WARNING: 2}


class Report:
    """Collects findings; an error in a value that variables make says which, and what was not answered."""

    def __init__(self, recipe: Recipe, answers: Mapping[str, str]) -> None:
        self.recipe = recipe
        self.answers = answers
        self.problems: dict[Problem, None] = {}
        self.counts: Counter[Severity] = Counter()
        self.faulty: set[str] = set()
        self.blamed: set[str] = set()

    def add(self, severity: Severity, path: Path, message: str, offer: str = "", danger: str = "") -> None:
        if severity is Severity.ERROR and (found := self._variables(path)):
            message += self._answer(found, message)
        self._keep(replace(self.recipe.problem(severity, path, message, offer), danger=danger))

    def sorted(self) -> list[Problem]:
        """The worst first."""
        for severity, count in self.counts.items():
            if count > MAX_PROBLEMS:
                message = f"{count - MAX_PROBLEMS} more of this kind are not shown. Mend these first."
                self.problems[Problem(severity, "", 0, message)] = None
        found = [*self.recipe.document.findings, *self.problems]
        return sorted(found, key=lambda problem: _ORDER[problem.severity])

    def unanswered(self) -> None:
        """Required variables that the CLI would overlook, and plain ones that stay empty."""
        for path, text in texts(self.recipe.value):
            for mention in mentions(text):
                if mention.name in self.answers or mention.name in self.blamed:
                    continue
                if "?" in mention.separator:
                    reason = f": {mention.argument.strip()}" if mention.argument.strip() else ""
                    self.blamed.add(mention.name)
                    self._once(Severity.ERROR, path, f"{mention.name} must be given{reason}.")
                elif not mention.separator:
                    self.blamed.add(mention.name)
                    message = f"{mention.name} has no value and no default: it stays empty in {dotted(path)}."
                    self._once(Severity.WARNING, path, message)

    def _keep(self, problem: Problem) -> None:
        if problem in self.problems:
            return
        self.counts[problem.severity] += 1
        if problem.severity is Severity.ERROR:
            self.faulty.add(problem.path)
        if self.counts[problem.severity] <= MAX_PROBLEMS:
            self.problems[problem] = None

    def _answer(self, found: list[Mention], message: str) -> str:
        """What to answer, or to answer otherwise, where the sentence does not name it already."""
        empty = list(dict.fromkeys(one.name for one in found if not one.separator and one.name not in self.answers))
        self.blamed |= set(empty)
        if empty:
            return f" {listed(empty)} {'has' if len(empty) == 1 else 'have'} no value: answer it."
        said = {*_PROVIDED, *_WORD.findall(message)}
        names = list(dict.fromkeys(one.name for one in found if one.name not in said))
        return f" It comes from the answer to {listed(names)}: change that." if names else ""

    def _variables(self, path: Path) -> list[Mention]:
        raw: Any = self.recipe.value
        for part in path:
            try:
                raw = raw[part]
            except (KeyError, IndexError, TypeError):
                return []
        return list(mentions(raw)) if isinstance(raw, str) else []

    def _once(self, severity: Severity, path: Path, message: str) -> None:
        if dotted(path) not in self.faulty:
            self._keep(self.recipe.problem(severity, path, message))
