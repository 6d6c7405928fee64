"""Which of a service's update news belong to the last deployment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from .snapshot import part, text


def moment(value: str) -> datetime | None:
    """An engine's timestamp (RFC 3339, nanoseconds), cut to microseconds; None when it is none."""
    head, _, tail = value.rstrip("Z").partition(".")
    try:
        return datetime.fromisoformat(f"{head}.{tail[:6]:0<6}").replace(tzinfo=UTC)
    except ValueError:
        return None


def since(services: Iterable[Mapping[str, Any]], engine_time: str) -> list[dict[str, Any]]:
    """The services without the status of updates that began before ``engine_time``.

    The engine keeps the status of a service's last update for ever: a rollback of last week must not speak
    for a deployment of today that left the service as it was.
    """
    start = moment(engine_time)
    fresh = []
    for service in services:
        kept = dict(service)
        begun = moment(text(part(service, "UpdateStatus", "StartedAt"), 40))
        if start is not None and begun is not None and begun < start:
            kept.pop("UpdateStatus", None)
        fresh.append(kept)
    return fresh
