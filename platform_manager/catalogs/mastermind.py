"""``mastermind.yml`` next to a compose file: what the recipe is, its variables, and the services it wants to find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from platform_manager.catalogs.guesses import kind_of
from platform_manager.recipes.about import MOST_HELP, MOST_QUESTIONS, MOST_TEXT, is_variable
from platform_manager.recipes.plain import is_true, items_of, line_of_text, read_plain, text_of
from platform_manager.recipes.questions import Question, QuestionKind

NAMES = ("mastermind.yml", "mastermind.yaml")


@dataclass(frozen=True)
class Mastermind:
    name: str
    version: str
    description: str
    questions: tuple[Question, ...]


def read_mastermind(text: str) -> Mastermind:
    """Raises ComposeInvalid for what is no YAML; entries that are none are left out."""
    value = read_plain(text)
    variables = [_variable(entry) for entry in items_of(value.get("environment_variables"))[:MOST_QUESTIONS]]
    services = [_service(entry) for entry in items_of(value.get("services"))[:MOST_QUESTIONS]]
    questions: dict[str, Question] = {}
    for question in (*services, *variables):
        if question is not None:
            questions.setdefault(question.variable, question)
    return Mastermind(
        name=line_of_text(value.get("name"), 200),
        version=line_of_text(value.get("version"), 100),
        description=text_of(value.get("description"))[:MOST_TEXT].strip(),
        questions=tuple(questions.values()),
    )


def _variable(entry: Any) -> Question | None:
    """``managed`` variables are those that the platform needs when it deploys the recipe, which it always does."""
    if not isinstance(entry, dict) or not is_variable(text_of(entry.get("variable"))):
        return None
    default = entry.get("default")
    kind = QuestionKind.BOOLEAN if default in ("true", "false") else kind_of(entry["variable"])
    return Question(
        entry["variable"],
        kind,
        label=line_of_text(entry.get("name"), 200),
        help=text_of(entry.get("description"))[:MOST_HELP].strip(),
        default=None if default is None else text_of(default)[:MOST_TEXT],
        required=is_true(entry.get("required")),
    )


def _service(entry: Any) -> Question | None:
    """A deployed service of a type, whose endpoint becomes the value of the variable ``as``."""
    if not isinstance(entry, dict) or not is_variable(text_of(entry.get("as"))):
        return None
    return Question(
        entry["as"],
        QuestionKind.SERVICE,
        label=line_of_text(entry.get("name"), 200),
        help=text_of(entry.get("description"))[:MOST_HELP].strip(),
        required=is_true(entry.get("required")),
        service_type=line_of_text(entry.get("service_type"), 100),
    )
