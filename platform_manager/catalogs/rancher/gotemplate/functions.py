"""The functions of templates: Go's own, and those of sprig that catalogs use.

A function raises ValueError with the reason in words. None makes more than the evaluator can count: texts and lists
are measured before they are made.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import Any

from platform_manager.catalogs.rancher.gotemplate.errors import MAX_ITEMS, MAX_OUTPUT
from platform_manager.catalogs.rancher.gotemplate.printing import go_format, quoted
from platform_manager.catalogs.rancher.gotemplate.values import Value, checked, number, shown, truth


@dataclass(frozen=True)
class TemplateFunction:
    """``least`` and ``most`` arguments; ``most`` None is any number."""

    call: Callable[..., Value]
    least: int
    most: int | None


def _text(value: Value) -> str:
    return value if isinstance(value, str) else shown(value)


def _list(value: Value) -> list[Value]:
    if not isinstance(value, list):
        raise ValueError(f"'{shown(value)[:40]}' is no list")
    return value


def _bounded(length: int) -> None:
    if length > MAX_OUTPUT:
        raise ValueError("a text grows too long")


def _texts(values: Iterable[Value]) -> list[str]:
    """As they are written down. Measured one by one: many long lists may wait to be printed."""
    texts: list[str] = []
    length = 0
    for value in values:
        texts.append(shown(value))
        length += len(texts[-1]) + 1
        _bounded(length)
    return texts


def _items(count: int) -> None:
    if count > MAX_ITEMS:
        raise ValueError(f"a list grows beyond {MAX_ITEMS:,} items")


def _kind(value: Value) -> str:
    return "str" if isinstance(value, str) else type(value).__name__


def _same_kind(first: Value, second: Value) -> None:
    kinds = {_kind(value) for value in (first, second) if value is not None}
    if len(kinds) > 1 or kinds & {"list", "dict"}:
        raise ValueError(f"'{shown(first)[:40]}' and '{shown(second)[:40]}' can't be compared: they differ in type")


def _eq(first: Value, *others: Value) -> bool:
    for other in others:
        _same_kind(first, other)
    return first in others


def _ne(first: Value, second: Value) -> bool:
    return not _eq(first, second)


def _ordered(first: Value, second: Value) -> bool:
    _same_kind(first, second)
    if first is None or second is None or isinstance(first, bool):
        raise ValueError(f"'{shown(first)[:40]}' and '{shown(second)[:40]}' have no order")
    return bool(first < second)


def _index(value: Value, *keys: Value) -> Value:
    for key in keys:
        if isinstance(value, dict):
            value = value.get(_text(key), "")
        elif isinstance(value, (list, str)):
            if isinstance(key, bool) or not isinstance(key, int) or not 0 <= key < len(value):
                raise ValueError(f"there is no item {shown(key)[:40]} in a list of {len(value)}")
            value = value[key] if isinstance(value, list) else ord(value[key])
        else:
            raise ValueError(f"'{shown(value)[:40]}' has no items")
    return value


def _len(value: Value) -> int:
    if not isinstance(value, (str, list, dict)):
        raise ValueError(f"'{shown(value)[:40]}' has no length")
    return len(value.encode()) if isinstance(value, str) else len(value)


def _print(*values: Value) -> str:
    spaced = [not isinstance(before, str) and not isinstance(value, str) for before, value in pairwise(values)]
    texts = _texts(values)
    return "".join(
        [*texts[:1], *(f" {text}" if space else text for space, text in zip(spaced, texts[1:], strict=True))]
    )


def _println(*values: Value) -> str:
    return " ".join(_texts(values)) + "\n"


def _split_list(separator: Value, text: Value) -> list[Value]:
    mark, whole = _text(separator), _text(text)
    _items(whole.count(mark) if mark else len(whole))
    return [*whole.split(mark)] if mark else [*whole]


def _split(separator: Value, text: Value) -> dict[str, Value]:
    return {f"_{place}": part for place, part in enumerate(_split_list(separator, text))}


def _split_preserving_quotes(text: Value) -> list[Value]:
    """Words; white space within quotes separates nothing, and the quotes stay."""
    words: list[Value] = []
    word, is_quoted = "", False
    for character in _text(text):
        if character in "\"'`":
            is_quoted = not is_quoted
        if character.isspace() and not is_quoted:
            words.append(word)
            word = ""
        else:
            word += character
    _items(len(words))
    return [*words, word] if word else words


def _join(separator: Value, values: Value) -> str:
    mark = _text(separator)
    parts = _texts(values if isinstance(values, list) else [values])
    _bounded(sum(map(len, parts)) + len(mark) * len(parts))
    return mark.join(parts)


def _replace(old: Value, new: Value, text: Value) -> str:
    before, after, whole = _text(old), _text(new), _text(text)
    count = whole.count(before) if before else len(whole) + 1
    _bounded(len(whole) + count * len(after))
    return whole.replace(before, after)


def _indent(spaces: Value, text: Value) -> str:
    width, whole = max(number(spaces), 0), _text(text)
    _bounded(len(whole) + (whole.count("\n") + 1) * width)
    margin = " " * width
    return margin + whole.replace("\n", "\n" + margin)


def _repeat(times: Value, text: Value) -> str:
    count, whole = max(number(times), 0), _text(text)
    _bounded(count * max(len(whole), 1))
    return whole * count


def _trunc(length: Value, text: Value) -> str:
    limit, whole = number(length), _text(text)
    return whole[:limit] if limit >= 0 else whole[limit:]


def _substr(start: Value, end: Value, text: Value) -> str:
    first, last, whole = number(start), number(end), _text(text)
    return whole[max(first, 0) :] if last < 0 else whole[max(first, 0) : last]


def _divided(first: Value, second: Value, *, rest: bool = False) -> int:
    dividend, divisor = number(first), number(second)
    if divisor == 0:
        raise ValueError("it divides by zero")
    quotient = abs(dividend) // abs(divisor) * (1 if (dividend < 0) == (divisor < 0) else -1)
    return dividend - quotient * divisor if rest else checked(quotient)


def _summed(*values: Value) -> int:
    return checked(sum(map(number, values)))


def _multiplied(*values: Value) -> int:
    return reduce(lambda product, value: checked(product * number(value)), values, 1)


def _until(count: Value) -> list[Value]:
    total = number(count)
    _items(abs(total))
    return list(range(0, total, -1 if total < 0 else 1))


def _made_list(*values: Value) -> list[Value]:
    _items(len(values))
    return list(values)


def _dict(*values: Value) -> dict[str, Value]:
    if len(values) % 2:
        values = (*values, "")
    return {_text(key): value for key, value in zip(values[::2], values[1::2], strict=True)}


def _default(fallback: Value, *values: Value) -> Value:
    return values[0] if values and truth(values[0]) else fallback


def _coalesce(*values: Value) -> Value:
    return next((value for value in values if truth(value)), None)


def _first(values: Value) -> Value:
    return _list(values)[0] if values else None


def _last(values: Value) -> Value:
    return _list(values)[-1] if values else None


def _has(needle: Value, values: Value) -> bool:
    """Lists and mappings are found nowhere: to compare two that hold others many times over takes for ever."""
    if isinstance(needle, (list, dict)):
        return False
    return any(_kind(value) == _kind(needle) and value == needle for value in _list(values))


def _has_key(values: Value, key: Value) -> bool:
    return isinstance(values, dict) and _text(key) in values


def _trim_all(marks: Value, text: Value) -> str:
    """Not ``str.strip``, which looks through all marks for every character."""
    cut, whole = set(_text(marks)), _text(text)
    start, end = 0, len(whole)
    while start < end and whole[start] in cut:
        start += 1
    while start < end and whole[end - 1] in cut:
        end -= 1
    return whole[start:end]


def _without(text: Value, cut: Callable[[str], str]) -> str:
    return cut(_text(text))


_F = TemplateFunction
FUNCTIONS: dict[str, TemplateFunction] = {
    "eq": _F(_eq, 2, None),
    "ne": _F(_ne, 2, 2),
    "lt": _F(_ordered, 2, 2),
    "ge": _F(lambda a, b: not _ordered(a, b), 2, 2),
    "gt": _F(lambda a, b: _ordered(b, a), 2, 2),
    "le": _F(lambda a, b: not _ordered(b, a), 2, 2),
    # "and" and "or" are the evaluator's: they don't look at what they needn't.
    "and": _F(lambda *values: values[-1], 1, None),
    "or": _F(lambda *values: values[-1], 1, None),
    "not": _F(lambda value: not truth(value), 1, 1),
    "index": _F(_index, 1, None),
    "len": _F(_len, 1, 1),
    "print": _F(_print, 0, None),
    "printf": _F(lambda pattern, *values: go_format(_text(pattern), values), 1, None),
    "println": _F(_println, 0, None),
    "default": _F(_default, 1, 2),
    "empty": _F(lambda value: not truth(value), 1, 1),
    "coalesce": _F(_coalesce, 0, None),
    "ternary": _F(lambda yes, no, test: yes if truth(test) else no, 3, 3),
    "splitList": _F(_split_list, 2, 2),
    "split": _F(_split, 2, 2),
    "splitPreserveQuotes": _F(_split_preserving_quotes, 1, 1),
    "join": _F(_join, 2, 2),
    "trim": _F(lambda text: _without(text, str.strip), 1, 1),
    "trimAll": _F(_trim_all, 2, 2),
    "trimSuffix": _F(lambda end, text: _text(text).removesuffix(_text(end)), 2, 2),
    "trimPrefix": _F(lambda start, text: _text(text).removeprefix(_text(start)), 2, 2),
    "upper": _F(lambda text: _without(text, str.upper), 1, 1),
    "lower": _F(lambda text: _without(text, str.lower), 1, 1),
    "title": _F(lambda text: _without(text, str.title), 1, 1),
    "nospace": _F(lambda text: "".join(_text(text).split()), 1, 1),
    "replace": _F(_replace, 3, 3),
    "contains": _F(lambda part, text: _text(part) in _text(text), 2, 2),
    "hasPrefix": _F(lambda start, text: _text(text).startswith(_text(start)), 2, 2),
    "hasSuffix": _F(lambda end, text: _text(text).endswith(_text(end)), 2, 2),
    "quote": _F(lambda *values: " ".join(quoted(text) for text in _texts(values)), 0, None),
    "squote": _F(lambda *values: " ".join(f"'{text}'" for text in _texts(values)), 0, None),
    "indent": _F(_indent, 2, 2),
    "nindent": _F(lambda spaces, text: "\n" + _indent(spaces, text), 2, 2),
    "repeat": _F(_repeat, 2, 2),
    "substr": _F(_substr, 3, 3),
    "trunc": _F(_trunc, 2, 2),
    "toString": _F(_text, 1, 1),
    "int": _F(number, 1, 1),
    "int64": _F(number, 1, 1),
    "atoi": _F(number, 1, 1),
    "add": _F(_summed, 1, None),
    "add1": _F(lambda value: _summed(value, 1), 1, 1),
    "sub": _F(lambda a, b: checked(number(a) - number(b)), 2, 2),
    "mul": _F(_multiplied, 1, None),
    "div": _F(_divided, 2, 2),
    "mod": _F(lambda a, b: _divided(a, b, rest=True), 2, 2),
    "max": _F(lambda *values: max(map(number, values)), 1, None),
    "min": _F(lambda *values: min(map(number, values)), 1, None),
    "until": _F(_until, 1, 1),
    "list": _F(_made_list, 0, None),
    "tuple": _F(_made_list, 0, None),
    "dict": _F(_dict, 0, None),
    "first": _F(_first, 1, 1),
    "last": _F(_last, 1, 1),
    "rest": _F(lambda values: _list(values)[1:], 1, 1),
    "initial": _F(lambda values: _list(values)[:-1], 1, 1),
    "has": _F(_has, 2, 2),
    "hasKey": _F(_has_key, 2, 2),
}


def call(name: str, arguments: list[Any]) -> Value:
    """Raises ValueError with the reason in words."""
    function = FUNCTIONS[name]
    if len(arguments) < function.least or (function.most is not None and len(arguments) > function.most):
        raise ValueError(f"'{name}' does not take {len(arguments)} values")
    return function.call(*arguments)
