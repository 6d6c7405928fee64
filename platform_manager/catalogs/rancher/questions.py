"""The catalog section of rancher-compose.yml: what a version is called, and what it asks."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from platform_manager.catalogs.rancher.trees import Tree, plain, read_tree
from platform_manager.recipes.problems import ComposeInvalid
from platform_manager.recipes.questions import Choice, Question, QuestionKind

_MAX_KEYS = 40
_MAX_QUESTIONS = 500
_MAX_CHOICES = 500
_MAX_DEFAULT = 20_000
_MAX_HELP = 4000
_TRUE = ("true", "yes", "y", "on", "1")
_KINDS = {
    **{kind.value: kind for kind in QuestionKind},
    "bool": QuestionKind.BOOLEAN,
    "integer": QuestionKind.INT,
    "number": QuestionKind.INT,
    "text": QuestionKind.STRING,
    "select": QuestionKind.ENUM,
}


@dataclass(frozen=True)
class Section:
    """``problems`` are sentences on what could not be read."""

    version: str = ""
    name: str = ""
    description: str = ""
    questions: tuple[Question, ...] = ()
    problems: tuple[str, ...] = ()


def field_of(tree: Tree, name: str) -> Any:
    """The value of a key that may be misspelt, as ``decription`` or ``minimun_rancher_version``."""
    if name in tree:
        return tree[name]
    plainly = {key.lower().replace("-", "_"): key for key in islice(tree, _MAX_KEYS) if len(key) < 40}
    close = difflib.get_close_matches(name, [key for key in plainly if len(key) > 4], n=1, cutoff=0.85)
    found = name if name in plainly else next(iter(close), "")
    return tree[plainly[found]] if found else None


def questions_of(text: str) -> Section:
    """The catalog section of a rancher-compose.yml; what can't be read is left out and told."""
    if not text.strip():
        return Section()
    try:
        tree = read_tree(text)
    except ComposeInvalid as error:
        return Section(problems=(f"rancher-compose.yml can't be read. {error}",))
    section = tree.get("catalog", tree.get(".catalog"))
    if not isinstance(section, dict):
        return Section()
    questions, problems = _questions(field_of(section, "questions"))
    return Section(
        plain(field_of(section, "version")),
        plain(field_of(section, "name")),
        plain(field_of(section, "description")),
        questions,
        problems,
    )


def defaults(questions: Iterable[Question]) -> dict[str, str]:
    return {question.variable: question.default for question in questions if question.default is not None}


def _questions(listed: Any) -> tuple[tuple[Question, ...], tuple[str, ...]]:
    found: dict[str, Question] = {}
    problems: list[str] = []
    for place, entry in enumerate(listed if isinstance(listed, list) else [], 1):
        variable = plain(field_of(entry, "variable")).strip() if isinstance(entry, dict) else ""
        if not variable:
            problems.append(f"Question {place} names no variable, so it is not asked.")
        elif len(variable) > 200:
            problems.append(f"Question {place} has a variable with too long a name, so it is not asked.")
        elif len(found) >= _MAX_QUESTIONS:
            return tuple(found.values()), (*problems, f"Only the first {_MAX_QUESTIONS} questions are asked.")
        else:
            found.setdefault(variable, _question(variable, entry))
    return tuple(found.values()), tuple(problems)


def _question(variable: str, entry: Tree) -> Question:
    kind = _kind(plain(field_of(entry, "type")))
    value = field_of(entry, "default")
    default = None if value is None else plain(value)[:_MAX_DEFAULT]
    choices: tuple[Choice, ...] = ()
    if kind is QuestionKind.ENUM:
        choices = _choices(field_of(entry, "options"), default)
        kind = kind if choices else QuestionKind.STRING
    elif kind is QuestionKind.BOOLEAN and default is not None:
        default = "true" if default.strip().lower() in _TRUE else "false"
    is_number = kind is QuestionKind.INT
    return Question(
        variable,
        kind,
        label=plain(entry.get("label")).strip()[:200] or variable,
        help=plain(field_of(entry, "description")).strip()[:_MAX_HELP],
        default=default,
        required=plain(field_of(entry, "required")).lower() in _TRUE,
        choices=choices,
        minimum=_bound(entry, "min", "" if is_number else "min_length"),
        maximum=_bound(entry, "max", "" if is_number else "max_length"),
    )


def _kind(word: str) -> QuestionKind:
    word = word.strip().lower()[:20]
    if word not in _KINDS:
        word = next(iter(difflib.get_close_matches(word, _KINDS, n=1, cutoff=0.7)), "string")
    return _KINDS[word]


def _choices(listed: Any, default: str | None) -> tuple[Choice, ...]:
    options = listed if isinstance(listed, list) else []
    values = [plain(option) for option in options[:_MAX_CHOICES] if not isinstance(option, (list, dict))]
    if default and values and default not in values:
        values.insert(0, default)
    return tuple(Choice(value, value) for value in dict.fromkeys(values))


def _bound(entry: Tree, *names: str) -> int | None:
    for name in filter(None, names):
        text = plain(entry.get(name)).strip()
        if text.removeprefix("-").isdecimal() and len(text) < 19:
            return int(text)
    return None
