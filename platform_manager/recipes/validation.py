"""Checks an interpolated compose file against the structure the Docker CLI accepts."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from platform_manager.recipes import shorthand
from platform_manager.recipes.problems import Path, dotted
from platform_manager.recipes.schema import (
    COMPOSE,
    AnyOf,
    Fields,
    ListOf,
    MapOf,
    Scalar,
    Shape,
    Since,
)
from platform_manager.recipes.words import key_hint

Finding = tuple[Path, str]

_TYPE_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "empty",
    "list": "a list",
    "mapping": "a mapping",
}
FORMATS: dict[str, Callable[[str], object]] = {
    "duration": shorthand.check_duration,
    "ports": shorthand.check_ports,
}


def validate(value: dict[str, Any], minor: int) -> list[Finding]:
    """What the schema of version ``3.<minor>`` refuses, in document order."""
    return list(_Validator(minor).check(value, COMPOSE, ()))


def kind(value: object) -> str:
    """The JSON type, where a float without a fraction is an integer, as it is for the CLI."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "list" if isinstance(value, list) else "mapping"


class _Validator:
    def __init__(self, minor: int) -> None:
        self.minor = minor

    def check(self, value: Any, shape: Shape, path: Path) -> Iterator[Finding]:
        if isinstance(shape, AnyOf):
            yield from self._any_of(value, shape, path)
        elif not _fits(value, shape):
            yield path, _type_words(value, [shape], path)
        elif isinstance(shape, Scalar):
            yield from self._scalar(value, shape, path)
        elif isinstance(shape, ListOf):
            yield from self._list(value, shape, path)
        elif isinstance(shape, MapOf):
            yield from self._map(value, shape, path)
        else:
            yield from self._fields(value, shape, path)

    def _any_of(self, value: Any, shape: AnyOf, path: Path) -> Iterator[Finding]:
        for option in shape.shapes:
            if _fits(value, option):
                yield from self.check(value, option, path)
                return
        yield path, _type_words(value, list(shape.shapes), path)

    def _scalar(self, value: Any, shape: Scalar, path: Path) -> Iterator[Finding]:
        if shape.choices and value not in shape.choices:
            yield path, f"{dotted(path)} must be one of: {', '.join(shape.choices)}."
        if shape.minimum is not None and value < shape.minimum:
            yield path, f"{dotted(path)} must be {shape.minimum} or more."
        if shape.format:
            text = value if isinstance(value, str) else f"{value:g}" if value % 1 else str(int(value))
            try:
                FORMATS[shape.format](text)
            except ValueError as error:
                yield path, f"{dotted(path)}: {error}."

    def _list(self, value: list[Any], shape: ListOf, path: Path) -> Iterator[Finding]:
        seen: dict[str, int] = {}
        for index, item in enumerate(value):
            yield from self.check(item, shape.item, (*path, index))
            mark = json.dumps(item, sort_keys=True, default=str)
            if shape.unique and mark in seen:
                yield (*path, index), f"{dotted(path)} has {_short(item)} twice. Remove one."
            seen[mark] = index

    def _map(self, value: dict[str, Any], shape: MapOf, path: Path) -> Iterator[Finding]:
        for key, item in value.items():
            if re.fullmatch(shape.names, key, re.DOTALL):
                yield from self.check(item, shape.value, (*path, key))
            elif not shape.lenient:
                yield (
                    (*path, key),
                    f"The name '{key}' in {dotted(path)} is not allowed: use letters, digits and . _ -",
                )

    def _fields(self, value: dict[str, Any], shape: Fields, path: Path) -> Iterator[Finding]:
        for key in shape.required:
            if key not in value:
                yield path, f"{dotted(path)} lacks '{key}'. Add it."
        for key, item in value.items():
            yield from self._field(key, item, shape, (*path, key))

    def _field(self, key: str, item: Any, shape: Fields, path: Path) -> Iterator[Finding]:
        known = shape.known.get(key)
        if isinstance(known, Since):
            if self.minor < known.minor and known.before is None and not shape.open:
                yield path, self._too_new(path, known.minor)
                return
            known = known.shape if self.minor >= known.minor else known.before
        if known is not None:
            yield from self.check(item, known, path)
        elif key.startswith("x-") and shape.x_since is not None:
            if self.minor < shape.x_since:
                yield path, self._too_new(path, shape.x_since)
        elif not shape.open:
            yield path, f"{dotted(path)}: {key_hint(path)}"

    def _too_new(self, path: Path, minor: int) -> str:
        return (
            f"{dotted(path)} needs compose version 3.{minor}, but the file says 3.{self.minor}. "
            f"Write version: '3.{max(minor, 8)}' or remove the line."
        )


def _fits(value: Any, shape: Shape) -> bool:
    found = kind(value)
    if isinstance(shape, Scalar):
        return found in shape.types or (found == "integer" and "number" in shape.types)
    if isinstance(shape, ListOf):
        return found == "list"
    if isinstance(shape, AnyOf):
        return any(_fits(value, option) for option in shape.shapes)
    return found == "mapping"


def _type_words(value: Any, shapes: list[Shape], path: Path) -> str:
    wanted: list[str] = []
    for shape in shapes:
        if isinstance(shape, Scalar):
            wanted += [_TYPE_WORDS[name] for name in shape.types]
        else:
            wanted.append(_TYPE_WORDS["list" if isinstance(shape, ListOf) else "mapping"])
    quote = ""
    if "text" in wanted and kind(value) in ("boolean", "integer", "number"):
        quote = f" Put it in quotes: '{_short(value)}'."
    elif kind(value) == "string" and not {"text"} & set(wanted) and {"a whole number", "true or false"} & set(wanted):
        quote = " Remove the quotes." if re.fullmatch("[0-9]+|true|false", value) else ""
    listing = " or ".join(wanted)
    return f"{dotted(path)} must be {listing}, not {_short(value)}.{quote}"


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return _TYPE_WORDS[kind(value)]
    if value is None:
        return "empty"
    text = str(value)
    shown = text if len(text) <= 60 else text[:57] + "..."
    return shown if isinstance(value, int | float) else f"'{shown}'"
