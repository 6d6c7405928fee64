"""YAML that people write about recipes, with every value as the text that stands there.

A version 1.10 is not the number 1.1, and an answer is text whatever it looks like. Booleans become ``true`` and
``false``, nothing at all None.
"""

from __future__ import annotations

from typing import Any

import yaml

from platform_manager.recipes.document import PLAIN, children, pairs, read
from platform_manager.recipes.scalars import resolve


def read_plain(text: str) -> dict[str, Any]:
    """A mapping of dict, list, str and None; raises ComposeInvalid, capped as compose files are."""
    value = _value(read(text).root)
    return value if isinstance(value, dict) else {}


def _value(node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _value(value) for key, value in pairs(node)}
    if isinstance(node, yaml.SequenceNode):
        return [_value(item) for item in children(node)]
    text = str(node.value)
    found = resolve(text) if node.tag == PLAIN else text
    if isinstance(found, bool):
        return "true" if found else "false"
    return None if found is None else text


def text_of(value: Any) -> str:
    """A value that should be text: "" for nothing and for lists and mappings; numbers and booleans as answers."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, str | int | float) else ""


def items_of(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def line_of_text(value: Any, most: int) -> str:
    """Text on one line without control characters, at most so long."""
    words = "".join(letter if letter.isprintable() else " " for letter in text_of(value)[: most * 4]).split()
    return " ".join(words)[:most].strip()


def as_int(value: Any) -> int | None:
    text = text_of(value)
    digits = text.removeprefix("-")
    return int(text) if digits.isdecimal() and digits.isascii() and len(digits) <= 15 else None


def is_true(value: Any) -> bool:
    return text_of(value).lower() in ("true", "yes", "on", "1")
