"""Which of a service's update news belong to the last deployment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from .snapshot import part, text

STAMP = re.compile(r"(?P<head>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.(?P<fraction>\d+))?(?P<zone>Z|[+-]\d\d:\d\d)", re.ASCII)


def moment(value: str) -> datetime | None:
    """An engine's timestamp (RFC 3339, nanoseconds, any time zone), cut to microseconds; None when it is none."""
    found = STAMP.fullmatch(value)
    if found is None:
        return None
    try:
        at = datetime.fromisoformat(f"{found['head']}.{(found['fraction'] or '')[:6]:0<6}{found['zone']}")
        # Swarms speak UTC, but an engine tells its own time in the zone of its machine.
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
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
