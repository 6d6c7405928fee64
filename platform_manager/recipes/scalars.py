"""Plain YAML scalars as the Docker CLI reads them.

The CLI decodes YAML with Go's yaml.v3: ``yes`` and ``22:22`` are text, ``0777`` is octal, ``2001-01-01`` is a
timestamp. PyYAML's own rules (YAML 1.1) differ in all of these.
"""

import re
from datetime import datetime
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool | None


class Timestamp(str):
    """Unquoted text that the CLI takes for a date: it would reach the container in another form."""

    __slots__ = ()


_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
_BASES = {"hex": 16, "bin": 2, "oct": 8, "dec": 10}
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|0[oO]?(?P<oct>[0-7]+)"
    r"|(?P<dec>0|[1-9][0-9]*))"
)
# No whole number of 64 bits has more; Python reads none of thousands.
_MOST_DIGITS = 20
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_TIME = r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?"
_MOMENT = re.compile(
    rf"([0-9]{{4}})-([0-9]{{1,2}})-([0-9]{{1,2}})(?:[Tt]{_TIME}(?:Z|[-+][0-9]{{2}}:[0-9]{{2}})| {_TIME})?"
)


def resolve(text: str) -> Scalar:
    """The value the CLI gives to an unquoted scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] == ".":
        return float(text) if _FLOAT.fullmatch(text) else text
    if text[0] not in "+-0123456789":
        return text
    if _is_timestamp(text):
        return Timestamp(text)
    number = _number(text.replace("_", ""))
    return text if number is None else number


def _number(digits: str) -> int | float | None:
    match = _INTEGER.fullmatch(digits)
    if match and len(match["dec"] or "") <= _MOST_DIGITS:
        group = next(name for name in _BASES if match[name] is not None)
        value = int(match[group], _BASES[group]) * (-1 if match["sign"] == "-" else 1)
        if -(2**63) <= value < 2**64:
            return value
    if _FLOAT.fullmatch(digits) and abs(float(digits)) != float("inf"):
        return float(digits)
    return None


def _is_timestamp(text: str) -> bool:
    match = _MOMENT.fullmatch(text)
    if not match:
        return False
    year, month, day, *clock = (int(part) for part in match.groups() if part is not None)
    hour, minute, second = clock or (0, 0, 0)
    try:
        datetime(year, month, day, hour, minute, second)
    except ValueError:
        return False
    return True
