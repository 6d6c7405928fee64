"""How values are spelled in the generated compose files: quoted, plain, as blocks, merged from anchors."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass(frozen=True)
class Spelled:
    """A scalar as it stands in the file."""

    text: str


@dataclass(frozen=True)
class Merged:
    """A mapping that takes entries from an anchor."""

    anchor: str
    own: dict[str, Any]


def spelled(draw: Draw, text: str, plain: bool = True) -> Spelled:
    """``text`` quoted, plain or as a block, as it may be."""
    ways = [_double(text)]
    if not re.search("[\n\t\u2028\u0085\ufeff\u00a0]", text):
        ways.append("'" + text.replace("'", "''") + "'")
    if plain and re.fullmatch(r"[a-z$][\w$ {}:./?=-]*[\w}]", text) and not re.search(r": | #|^(yes|no|on|null)$", text):
        ways += [text, text]
    if (
        re.fullmatch(r"[^\s\u2028\u0085\ufeff][^\t\u2028\u0085\ufeff]*", text)
        and "\n " not in text
        and " \n" not in text
    ):
        ways.append("|-\n" + text if not text.endswith("\n") else "|+\n" + text)
    return Spelled(draw(st.sampled_from(ways)))


def _double(text: str) -> str:
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
    special = {char: f"\\u{ord(char):04x}" for char in "\u2028\u0085\ufeff\u00a0"}
    return '"' + "".join({**escapes, **special}.get(char, char) for char in text) + '"'


def written(value: Any, depth: int = 0) -> str:
    """Block style; nothing but what a value says."""
    indent = "  " * depth
    if isinstance(value, Spelled):
        head, _, body = value.text.partition("\n")
        if head in ("|-", "|+"):
            return head + "\n" + "\n".join(indent + "  " + line if line else "" for line in body.split("\n"))
        return value.text
    if isinstance(value, Merged):
        return f"\n{indent}<<: *{value.anchor}" + _entries(value.own, depth)
    if isinstance(value, dict):
        return _entries(value, depth) or "{}"
    if isinstance(value, list):
        return "".join(f"\n{indent}- {written(item, depth + 1)}" for item in value) or "[]"
    return str(value)


def _entries(value: dict[str, Any], depth: int) -> str:
    return "".join(f"\n{'  ' * depth}{key}: {written(item, depth + 1)}" for key, item in value.items())
