"""The values that templates work with, and how Go prints them."""

import re
from typing import Any

from platform_manager.catalogs.rancher.gotemplate.errors import MAX_OUTPUT

Value = Any

_MAX_DEPTH = 20
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")


class Secret(str):
    """Text that is compared like any other, but written as ``instead``, which stands for it."""

    __slots__ = ("instead",)
    instead: str

    def __new__(cls, text: str, instead: str) -> "Secret":
        made = super().__new__(cls, text)
        made.instead = instead
        return made

    def plain(self) -> str:
        """The text itself, written like any other."""
        return str.__str__(self)


def truth(value: Value) -> bool:
    """Go's: empty text, lists and mappings, zero, false and nothing are not true."""
    return bool(value)


def shown(value: Value) -> str:
    """As ``print`` shows it, secrets by what stands for them; raises ValueError when that grows beyond bounds."""
    return _Printer().text(value)


def number(value: Value) -> int:
    """The whole number that a value stands for, as sprig's ``int``: 0 for what is none."""
    if isinstance(value, str):
        text = value.strip()
        return checked(int(text)) if _WHOLE.fullmatch(text) else 0
    if isinstance(value, (bool, int, float)):
        return checked(int(value)) if value == value and abs(value) < 2**64 else 0
    return 0


def checked(value: int) -> int:
    if not -(2**63) <= value < 2**63:
        raise ValueError("a number is too large")
    return value


def size(value: Value) -> int:
    """What looking through it costs, in characters and items."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return sum(len(item) if isinstance(item, str) else 1 for item in value)
    return len(value) if isinstance(value, str) else 1


class _Printer:
    """Lists can hold one long text many times over: what is printed is counted, not what is held."""

    def __init__(self) -> None:
        self.left = MAX_OUTPUT

    def text(self, value: Value, depth: int = 0) -> str:
        if depth > _MAX_DEPTH:
            raise ValueError("a list is nested too deeply")
        if isinstance(value, list):
            text = f"[{' '.join(self.text(item, depth + 1) for item in value)}]"
        elif isinstance(value, dict):
            items = (f"{key}:{self.text(value[key], depth + 1)}" for key in sorted(value))
            text = f"map[{' '.join(items)}]"
        else:
            text = _plain(value)
            self.left -= len(text)
        self.left -= 1
        if self.left < 0:
            raise ValueError("a text grows too long")
        return text


def _plain(value: Value) -> str:
    if value is None:
        return "<nil>"
    if isinstance(value, Secret):
        return value.instead
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return str(value)
