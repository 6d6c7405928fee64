"""What each recipe of a catalog becomes on an empty swarm: ``python -m platform_manager.catalogs.report FOLDER``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from platform_manager.catalogs.base import Found, Version
from platform_manager.catalogs.reading import read_tree
from platform_manager.catalogs.sources import archive, folder
from platform_manager.errors import UserError
from platform_manager.recipes import (
    ComposeInvalid,
    EnvironmentFacts,
    Question,
    Recipe,
    Severity,
    parse,
    preview,
    united,
    variables,
)
from platform_manager.recipes.facts import with_provided
from platform_manager.recipes.interpolation import mentions, texts

STACK = "recipe"
MTU = 1450
FACTS = EnvironmentFacts(stack_name=STACK, mtu=MTU, networks={"frontend", "backend"})
# A port, a number and a name at once.
_PLACEHOLDER = "1"


@dataclass(frozen=True)
class Line:
    key: str
    title: str
    label: str
    becomes: str


def report(found: Found) -> list[Line]:
    """A line a version."""
    return [
        Line(entry.key, entry.title, version.label, becomes(version))
        for entry in found.entries
        for version in entry.versions
    ]


def becomes(version: Version) -> str:
    """``deployable``, ``needs answers: A, B``, ``refused: why``, or where its file is still to be read from."""
    if version.refusal:
        return f"refused: {version.refusal}"
    if version.remote is not None and not version.compose:
        return f"its file is still to be read from {version.remote.address}"
    try:
        recipe = parse(version.compose, version.files)
    except ComposeInvalid as error:
        return f"refused: {error}"
    return _with_defaults(recipe, version.questions)


def _with_defaults(recipe: Recipe, known: Sequence[Question]) -> str:
    questions = united(known, variables(recipe))
    answers = {question.variable: question.default for question in questions if question.default}
    missing = [question.variable for question in questions if question.required and question.used]
    missing = [name for name in dict.fromkeys([*missing, *_unanswered(recipe, answers)]) if not answers.get(name)]
    problem = _problem(recipe, answers)
    if problem and missing:
        problem = _problem(recipe, {**answers, **dict.fromkeys(missing, _PLACEHOLDER)})
    if problem:
        return f"refused: {problem}"
    return f"needs answers: {', '.join(missing)}" if missing else "deployable"


def _unanswered(recipe: Recipe, answers: Mapping[str, str]) -> list[str]:
    given = with_provided(answers, stack_name=STACK, mtu=MTU)
    found = (mention for _, text in texts(recipe.value) for mention in mentions(text))
    return [mention.name for mention in found if mention.name not in given and "-" not in mention.separator]


def _problem(recipe: Recipe, answers: Mapping[str, str]) -> str:
    """The first thing that stands against a deployment and that the platform can't offer to mend; "" for none."""
    problems = preview(recipe, answers, FACTS).problems
    errors = (problem for problem in problems if problem.severity is Severity.ERROR and not problem.offer)
    return next((str(problem) for problem in errors), "")


def table(lines: Sequence[Line], found: Found) -> str:
    """The report as text, with what was skipped below it."""
    rows = [("KEY", "TITLE", "VERSION", "BECOMES"), *((one.key, one.title, one.label, one.becomes) for one in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    written = ["  ".join([*(row[n].ljust(widths[n]) for n in range(3)), row[3]]).rstrip() for row in rows]
    written += [f"skipped: {one.path}: {one.sentence}" for one in found.skipped]
    return "\n".join([*written, f"{len(found.entries)} recipes ({found.format or 'nothing'})"]) + "\n"


def main(words: Sequence[str]) -> int:
    if len(words) != 1:
        sys.stderr.write("Usage: python -m platform_manager.catalogs.report FOLDER\n")
        return 2
    path = Path(words[0])
    try:
        tree = archive.unpacked(path.read_bytes(), path.name) if path.is_file() else folder.read(path).tree
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    found = read_tree(tree, name=path.name)
    sys.stdout.write(table(report(found), found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
