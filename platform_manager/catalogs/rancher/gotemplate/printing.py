"""Go's ``printf``, as far as templates of catalogs need it."""

import re
from collections.abc import Iterator

from platform_manager.catalogs.rancher.gotemplate.errors import MAX_OUTPUT
from platform_manager.catalogs.rancher.gotemplate.values import Secret, Value, number, shown

_VERB = re.compile(r"%(?P<flags>[-+# 0]*+)(?P<width>[0-9]{0,9})(?:\.(?P<precision>[0-9]{0,9}))?(?P<verb>[^\W\d_]|%|$)")
_MAX_WIDTH = 1000
_ESCAPED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def quoted(text: str) -> str:
    return '"' + "".join(_ESCAPED.get(character, character) for character in text) + '"'


def go_format(pattern: str, values: tuple[Value, ...]) -> str:
    """Raises ValueError for what it can't format, with the reason in words."""
    left = iter(values)
    parts: list[str] = []
    length = position = 0
    for match in _VERB.finditer(pattern):
        parts += [pattern[position : match.start()], _formatted(match, left)]
        length += len(parts[-2]) + len(parts[-1])
        position = match.end()
        if length > MAX_OUTPUT:
            raise ValueError("a text grows too long")
    if many := sum(1 for _ in left):
        raise ValueError(f"'printf' is given {many} values too many")
    return "".join([*parts, pattern[position:]])


def _formatted(match: re.Match[str], left: Iterator[Value]) -> str:
    verb = match["verb"]
    if verb == "%":
        return "%"
    width = int(match["width"] or 0)
    precision = None if match["precision"] is None else int(match["precision"] or 0)
    if width > _MAX_WIDTH or (verb in "feg" and (precision or 0) > _MAX_WIDTH):
        raise ValueError(f"'{match[0][:20]}' is too wide")
    if not verb or verb not in "svqdtxXfegc":
        raise ValueError(f"'{match[0][:20]}' can't be printed")
    try:
        value = next(left)
    except StopIteration:
        raise ValueError(f"'{match[0][:20]}' has no value to print") from None
    if isinstance(value, Secret) and (width or precision is not None):
        value = value.plain()  # what stands for it has another length
    text = _verb(verb, value, precision, "+" if "+" in match["flags"] else "")
    if "-" in match["flags"]:
        return text.ljust(width)
    if "0" in match["flags"] and verb in "dxXfeg":
        return text.zfill(width)
    return text.rjust(width)


def _verb(verb: str, value: Value, precision: int | None, sign: str) -> str:
    if verb in "sv":
        return shown(value)[:precision]
    if verb == "q":
        return quoted(shown(value)[:precision])
    if verb == "t":
        if not isinstance(value, bool):
            raise ValueError("'%t' prints true and false only")
        return shown(value)
    if verb in "feg":
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"'%{verb}' prints numbers only")
        return format(float(value), f"{sign}.{6 if precision is None else precision}{verb}")
    if verb in "xX" and isinstance(value, str):
        return value.encode("utf-8", "replace").hex()
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"'%{verb}' prints whole numbers only")
    if verb == "c":
        return chr(value) if 0 <= value < 0xD800 else "\ufffd"
    return format(number(value), f"{sign}{verb}")
