"""The questions of a recipe as the deploy form asks them, with what was answered and what is wrong with it.

A typed answer counts first, then the ``.env`` file, then the catalog's default. A blank one counts as none; of a
secret it means the answer of the revision before, because such answers are never rendered back.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dashboard.operations.masking import SECRET_NAME
from platform_manager.recipes import Choice, Question, QuestionKind

ANSWER_CAP = 20_000
MOST_ANSWERS = 1_000
PREFIX = "answer."

_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")
_PLAIN_ID = re.compile("[A-Za-z][A-Za-z0-9_-]*")
_WHOLE = re.compile(r"[+-]?\d{1,18}")
# A catalog may know that "PASSWORD_LENGTH" is a number: only texts are secret by their name.
_SECRET_BY_NAME = (QuestionKind.STRING, QuestionKind.MULTILINE)


@dataclass(frozen=True)
class Given:
    """All that answers come from.

    ``defaults`` are the catalog's; the file fills in its own. ``defaults_before`` are the catalog's of the version that
    ``earlier`` was given to: who answered nothing then gets the new default.
    """

    typed: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    earlier: Mapping[str, str] = field(default_factory=dict)
    secret_before: Collection[str] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    defaults_before: Mapping[str, str] = field(default_factory=dict)

    def kept(self, name: str) -> str:
        """The answer of the revision before, where it was more than a default."""
        answer = self.earlier.get(name, "")
        return "" if answer == self.defaults_before.get(name) else answer


@dataclass(frozen=True)
class Field:
    """A question as the form shows it. ``source`` says where a value that is not shown comes from."""

    question: Question
    id: str
    secret: bool
    value: str
    answer: str
    source: str
    error: str
    choices: tuple[Choice, ...]

    @property
    def name(self) -> str:
        return self.question.variable

    @property
    def default(self) -> str:
        return "" if self.secret else self.question.default or ""

    @property
    def on(self) -> bool:
        return truth(self.value) is True

    @property
    def must(self) -> bool:
        """Whether a blank one stands in the way: neither the recipe nor the revision before has an answer."""
        return self.question.required and not self.question.default and self.source != "kept"

    @property
    def missing(self) -> bool:
        return self.question.required and not self.answer

    @property
    def widget(self) -> str:
        """How it is asked: mostly the kind; a number's field would lose what is no number."""
        kind = self.question.kind
        if kind is QuestionKind.STRING and self.secret:
            return "password"
        if kind is QuestionKind.INT and self.value and not _WHOLE.fullmatch(self.value):
            return "string"
        if kind in (QuestionKind.SECRET, QuestionKind.CERTIFICATE):
            return "enum" if self.choices else "string"
        return kind.value


def secret(question: Question, before: Collection[str] = ()) -> bool:
    """Whether its answers are not for everybody's eyes; ``before`` names those that were so in an earlier revision."""
    if question.kind is QuestionKind.PASSWORD or question.variable in before:
        return True
    return question.kind in _SECRET_BY_NAME and SECRET_NAME.search(question.variable) is not None


def typed_answers(data: Mapping[str, Any]) -> dict[str, str]:
    """What stands in the form's fields; one character more than is allowed shows that it is too long."""
    names = [key for key in list(data)[:MOST_ANSWERS] if key.startswith(PREFIX)]
    return {key.removeprefix(PREFIX): _lines(str(data[key]))[: ANSWER_CAP + 1] for key in names}


def fields_of(
    questions: Iterable[Question], given: Given, choices: Mapping[str, tuple[Choice, ...]] | None = None
) -> list[Field]:
    """``choices`` are what can be picked here, by variable: services, secrets."""
    asked = (question for question in questions if not question.hidden)
    return [_field(n, question, given, (choices or {}).get(question.variable, ())) for n, question in enumerate(asked)]


def hidden_answers(questions: Iterable[Question]) -> dict[str, str]:
    """The answers of those that are not asked."""
    return {question.variable: question.default for question in questions if question.hidden and question.default}


def _field(n: int, question: Question, given: Given, here: tuple[Choice, ...]) -> Field:
    name, hidden = question.variable, secret(question, given.secret_before)
    own, source = _own_answer(question, given, hidden)
    # Before anything was typed, the form shows what the revision before was given.
    value = given.typed[name] if name in given.typed else given.kept(name)
    if question.kind is QuestionKind.BOOLEAN and not value:
        value = question.default or "false"
    # A switch always says something.
    unsaid = "false" if question.kind is QuestionKind.BOOLEAN and question.default is None else ""
    answer = own or given.defaults.get(name, "") or unsaid
    return Field(
        question=question,
        id=name if _PLAIN_ID.fullmatch(name) else f"q{n}",
        secret=hidden,
        value="" if hidden else value,
        answer=answer,
        source=source,
        error=problem_of(question, own) if own else "",
        choices=_choices(question, here, value),
    )


def _own_answer(question: Question, given: Given, hidden: bool) -> tuple[str, str]:
    """The answer that somebody gave, "" for none, and where it comes from: ``typed``, ``env`` or ``kept``."""
    name = question.variable
    typed, env = given.typed.get(name, ""), given.env.get(name, "")
    if question.kind is QuestionKind.BOOLEAN:
        typed, env = _switched(question, typed), _as_switch(env)
    if typed:
        return typed, "typed"
    if env:
        return env, "env"
    # What was not asked yet (the form is new, or the question is) keeps the answer of the revision before.
    kept = given.kept(name) if hidden or name not in given.typed else ""
    return kept, "kept" if kept else ""


def _switched(question: Question, typed: str) -> str:
    """A switch always sends something: where it stands as the default does, nothing was answered."""
    default = truth(question.default or "")
    return "" if typed and default is not None and truth(typed) is default else typed


def _as_switch(env: str) -> str:
    found = truth(env)
    return env if found is None else str(found).lower()


def truth(text: str) -> bool | None:
    """What a switch says; None for a text that says neither."""
    word = text.strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def _choices(question: Question, here: tuple[Choice, ...], value: str) -> tuple[Choice, ...]:
    """Those of the question or of the environment; what was chosen before stays among them."""
    found = question.choices or here
    if question.kind is QuestionKind.SERVICE or not value or not found or value in [one.value for one in found]:
        return found
    return (*found, Choice(value, f"{value} (no longer in the list)"))


def _lines(text: str) -> str:
    """Browsers send CRLF, whatever was typed."""
    return text.replace("\r\n", "\n")


def problem_of(question: Question, answer: str) -> str:
    """Why the question can't be answered so, as a sentence; "" when it can."""
    if len(answer) > ANSWER_CAP:
        return f"The answer is longer than {ANSWER_CAP} characters."
    if question.kind is QuestionKind.INT:
        return _number_problem(question, answer)
    if question.kind is QuestionKind.ENUM and answer not in [choice.value for choice in question.choices]:
        return "Choose one of the list: " + ", ".join(choice.value for choice in question.choices[:20]) + "."
    if question.kind is QuestionKind.BOOLEAN and truth(answer) is None:
        return "Answer true or false."
    if question.kind in (QuestionKind.STRING, QuestionKind.MULTILINE, QuestionKind.PASSWORD):
        return _length_problem(question, len(answer))
    return ""


def _number_problem(question: Question, answer: str) -> str:
    least, most = question.minimum, question.maximum
    between = f" from {least} to {most}" if least is not None and most is not None else ""
    if not _WHOLE.fullmatch(answer.strip()):
        return f"Write a whole number{between} in digits."
    if least is not None and int(answer) < least:
        return f"{answer} is too small: write a number{between or f' of at least {least}'}."
    if most is not None and int(answer) > most:
        return f"{answer} is too large: write a number{between or f' of at most {most}'}."
    return ""


def _length_problem(question: Question, length: int) -> str:
    if question.minimum is not None and length < question.minimum:
        return f"It has {length} characters; at least {question.minimum} are needed."
    if question.maximum is not None and length > question.maximum:
        return f"It has {length} characters; at most {question.maximum} go."
    return ""
