"""Which of a service's update news belong to the last deployment, and the timestamps of engines."""

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


def told(services: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Of each service with an update, by its id, when that update began: what names it for :func:`since`."""
    return {
        text(service.get("ID"), 64): text(part(service, "UpdateStatus", "StartedAt"), 40)
        for service in services
        if part(service, "UpdateStatus") is not None
    }


def since(services: Iterable[Mapping[str, Any]], before: Mapping[str, str] | None) -> list[dict[str, Any]]:
    """The services without the status of updates that were told of ``before`` the deployment.

    The engine may keep the status of a service's last update: a rollback of last week must not speak for a
    deployment of today. The updates themselves are compared, for clocks of managers differ.
    """
    known = before or {}
    fresh = []
    for service in services:
        kept = dict(service)
        now = told([service])
        if now and now.items() <= known.items():
            kept.pop("UpdateStatus", None)
        fresh.append(kept)
    return fresh
