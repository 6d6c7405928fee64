"""Compose values in the one form that the Docker CLI turns their short and long notations into.

Each function takes a value that the schema accepts, and gives a loaded value back unchanged.
"""

import re
from collections.abc import Iterable
from typing import Any

from platform_manager.recipes.scalars import Timestamp
from platform_manager.recipes.shorthand import mount_entry, ports, split_command

Entries = list[dict[str, Any]]


def text_of(value: Any) -> str:
    """A number as the CLI writes it into text: 1.0 is ``1``."""
    if isinstance(value, Timestamp):
        return _moment(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)
    return "" if value is None else str(value)


_MOMENT = re.compile(
    r"(?P<date>[0-9]+-[0-9]+-[0-9]+)(?:[Tt ](?P<clock>[0-9:]+)(?:[.,](?P<part>[0-9]+))?(?P<zone>Z|[-+][0-9:]+)?)?"
)


def _moment(text: str) -> str:
    """A date without quotes reaches the container in this form."""
    match = _MOMENT.fullmatch(text)
    if not match:
        return str(text)
    year, month, day = (int(number) for number in match["date"].split("-"))
    hour, minute, second = (int(number) for number in (match["clock"] or "0:0:0").split(":"))
    part = (match["part"] or "")[:9].rstrip("0")
    zone = (match["zone"] or "Z").replace(":", "")
    offset = "+0000 UTC" if zone[1:].strip("0") == "" else f"{zone} {zone}"
    day_and_time = f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
    return f"{day_and_time}{'.' if part else ''}{part} {offset}"


def mapping(value: Any) -> dict[str, Any]:
    """Labels, options and the like: a missing value is the empty text."""
    return {key: text_of(item) for key, item in environment(value).items()}


def environment(value: Any) -> dict[str, Any]:
    """Here a missing value (None) is not the same as an empty one."""
    if isinstance(value, list):
        split = [str(entry).partition("=") for entry in value]
        return {name: text if assigned else None for name, assigned, text in split}
    return {key: None if item is None else text_of(item) for key, item in (value or {}).items()}


def texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [text_of(item) for item in value or []]


def words(value: Any) -> list[str]:
    return split_command(value) if isinstance(value, str) else list(value or [])


def health_test(value: Any) -> list[str]:
    return ["CMD-SHELL", value] if isinstance(value, str) else list(value or [])


def hosts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return sorted(f"{name}:{text_of(item)}" for name, item in value.items() if item is not None)
    return list(value or [])


def port_entries(value: Any) -> Entries:
    return [entry for item in value or [] for entry in _ports(item)]


def _ports(entry: Any) -> Iterable[dict[str, Any]]:
    if isinstance(entry, dict):
        return [entry]
    found = sorted(ports(text_of(entry)), key=lambda port: f"{port.target}/{port.protocol}")
    return [
        {
            "mode": port.mode,
            "target": port.target,
            **({"published": port.published} if port.published else {}),
            "protocol": port.protocol,
        }
        for port in found
    ]


def mount_entries(value: Any) -> Entries:
    return [entry if isinstance(entry, dict) else mount_entry(entry) for entry in value or []]


def references(value: Any) -> Entries:
    """Configs and secrets of a service."""
    return [entry if isinstance(entry, dict) else {"source": entry} for entry in value or []]


def attachments(value: Any) -> dict[str, Any]:
    """Networks of a service."""
    return dict.fromkeys(value) if isinstance(value, list) else dict(value or {})
