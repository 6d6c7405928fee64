"""``recipe.yml``, in which a folder says what its recipe is and what it asks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from platform_manager.recipes.plain import as_int, is_true, items_of, line_of_text, read_plain, text_of
from platform_manager.recipes.questions import Choice, Question, QuestionKind

MOST_QUESTIONS = 300
MOST_CHOICES = 300
MOST_TEXT = 20_000
MOST_HELP = 2_000

_VARIABLE = re.compile("[_a-zA-Z][_a-zA-Z0-9]{0,199}")


@dataclass(frozen=True)
class About:
    """``icon`` is the name of a Tabler icon, ``description`` and ``notes`` Markdown; all may be ""."""

    title: str = ""
    description: str = ""
    icon: str = ""
    notes: str = ""
    version: str = ""
    link: str = ""
    maintainer: str = ""
    license: str = ""
    categories: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()


def read_about(text: str) -> About:
    """Raises ComposeInvalid for what is no YAML; fields that are not what they should be are left out."""
    value = read_plain(text)
    return About(
        title=line_of_text(value.get("title"), 200),
        description=text_of(value.get("description"))[:MOST_TEXT].strip(),
        icon=line_of_text(value.get("icon"), 40),
        notes=text_of(value.get("notes"))[:MOST_TEXT].strip(),
        version=line_of_text(value.get("version"), 100),
        link=line_of_text(value.get("link"), 500),
        maintainer=line_of_text(value.get("maintainer"), 200),
        license=line_of_text(value.get("license"), 100),
        categories=categories_of(value.get("categories")),
        questions=questions_of(value.get("questions")),
    )


def categories_of(value: Any) -> tuple[str, ...]:
    found = [line_of_text(name, 50) for name in (value if isinstance(value, list) else [value])[:20]]
    return tuple(dict.fromkeys(name for name in found if name))


def questions_of(value: Any) -> tuple[Question, ...]:
    """What ``questions:`` lists, each a mapping with ``variable``; the first of two alike counts."""
    found: dict[str, Question] = {}
    for entry in items_of(value)[:MOST_QUESTIONS]:
        question = _question(entry) if isinstance(entry, dict) else None
        if question is not None:
            found.setdefault(question.variable, question)
    return tuple(found.values())


def is_variable(name: str) -> bool:
    return bool(_VARIABLE.fullmatch(name))


def _question(entry: dict[str, Any]) -> Question | None:
    variable = text_of(entry.get("variable"))
    if not is_variable(variable):
        return None
    choices = _choices(entry.get("options", entry.get("choices")))
    named = text_of(entry.get("type")).lower()
    kind = QuestionKind(named) if named in set(QuestionKind) else QuestionKind.ENUM if choices else QuestionKind.STRING
    return Question(
        variable,
        kind,
        label=line_of_text(entry.get("label"), 200),
        help=text_of(entry.get("help", entry.get("description")))[:MOST_HELP].strip(),
        default=None if entry.get("default") is None else text_of(entry["default"])[:MOST_TEXT],
        required=is_true(entry.get("required")),
        choices=choices,
        minimum=as_int(entry.get("min")),
        maximum=as_int(entry.get("max")),
        hidden=is_true(entry.get("hidden")),
        service_type=line_of_text(entry.get("service_type"), 100),
    )


def _choices(value: Any) -> tuple[Choice, ...]:
    found = []
    for entry in items_of(value)[:MOST_CHOICES]:
        if isinstance(entry, dict):
            chosen = text_of(entry.get("value"))
            found.append(Choice(chosen, line_of_text(entry.get("label"), 200) or chosen))
        else:
            found.append(Choice(text_of(entry), text_of(entry)))
    return tuple(found)
