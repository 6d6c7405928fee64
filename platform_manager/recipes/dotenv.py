"""Reads ``.env`` files, as people upload them with their answers."""

import re

from platform_manager.errors import UserError

# Not str.splitlines, which ends lines within values too.
_LINE_END = re.compile("\r\n|\r|\n")
_LINE = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=(?P<value>.*)", re.DOTALL)
_DOUBLE = re.compile(r'"(?P<text>(?:[^"\\]|\\.)*)"\s*(?:#.*)?', re.DOTALL)
_SINGLE = re.compile(r"'(?P<text>[^']*)'\s*(?:#.*)?", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def parse_env(text: str) -> dict[str, str]:
    """Names and values; the last of several wins. Raises :class:`UserError` with the number of a bad line.

    Double quotes know ``\\n``, ``\\t`` and escaped quotes, single ones nothing. Nothing is interpolated.
    """
    answers: dict[str, str] = {}
    for number, line in enumerate(_LINE_END.split(text.removeprefix("\ufeff")), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        if not match:
            raise UserError(f"Line {number}: '{stripped[:60]}' is not of the form NAME=value.", field="env")
        answers[match["name"]] = _value(match["value"], number)
    return answers


def _value(given: str, number: int) -> str:
    text = given.lstrip()
    if text.startswith('"'):
        if match := _DOUBLE.fullmatch(text):
            return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), match["text"])
    elif text.startswith("'"):
        if match := _SINGLE.fullmatch(text):
            return match["text"]
    else:
        return re.split(r"\s#", given, maxsplit=1)[0].strip()
    raise UserError(f"Line {number}: the quote {text[0]} is not closed, or text follows it.", field="env")
