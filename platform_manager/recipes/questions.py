"""The questions that a recipe's form asks: those its catalog knows, and the variables of its files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from platform_manager.recipes.interpolation import Variable


class QuestionKind(StrEnum):
    STRING = "string"
    INT = "int"
    BOOLEAN = "boolean"
    ENUM = "enum"
    MULTILINE = "multiline"
    PASSWORD = "password"  # noqa: S105 - the kind's name
    SERVICE = "service"
    SECRET = "secret"  # noqa: S105 - the kind's name
    CERTIFICATE = "certificate"


@dataclass(frozen=True)
class Choice:
    value: str
    label: str


@dataclass(frozen=True)
class Question:
    """One input of the deploy form; answers are text whatever the kind, booleans ``true`` and ``false``.

    ``default`` is None where there is none; ``hidden`` questions are not asked, their default is the answer.
    ``minimum`` and ``maximum`` are of the number (``int``) or of the length (texts). ``service_type`` is what a
    ``service`` question looks for ("mongo"), "" for any. ``known`` is False for a variable of the files that the
    catalog says nothing of; ``used`` False for a question of the catalog that no file mentions.
    """

    variable: str
    kind: QuestionKind = QuestionKind.STRING
    label: str = ""
    help: str = ""
    default: str | None = None
    required: bool = False
    choices: tuple[Choice, ...] = field(default=())
    minimum: int | None = None
    maximum: int | None = None
    hidden: bool = False
    service_type: str = ""
    known: bool = True
    used: bool = True

    def as_dict(self) -> dict[str, Any]:
        """As JSON takes it; :func:`question_of` reads it back."""
        return asdict(self)


def question_of(stored: Mapping[str, Any]) -> Question:
    """The question that :meth:`Question.as_dict` wrote."""
    known = {name: stored[name] for name in Question.__dataclass_fields__ if name in stored}
    known["kind"] = QuestionKind(known.get("kind", QuestionKind.STRING))
    known["choices"] = tuple(Choice(**choice) for choice in known.get("choices", ()))
    return Question(**known)


def united(questions: Iterable[Question], variables: Iterable[Variable]) -> list[Question]:
    """The catalog's questions in their order, then the files' other variables; strays are marked.

    What the file says counts where the catalog is silent: its default, and that it can't do without.
    """
    found = {variable.name: variable for variable in variables}
    merged: dict[str, Question] = {}
    for question in questions:
        mentioned = found.get(question.variable)
        merged[question.variable] = _completed(question, mentioned) if mentioned else replace(question, used=False)
    for name, variable in found.items():
        if name not in merged:
            merged[name] = Question(
                name, help=variable.error_message, default=variable.default, required=variable.required, known=False
            )
    return list(merged.values())


def _completed(question: Question, variable: Variable) -> Question:
    default = variable.default if question.default is None else question.default
    return replace(question, default=default, required=question.required or variable.required, used=True)
