"""Services that gave up or only keep failing: a deployment that changes nothing of them starts them anew.

The swarm itself does nothing when it is given a service again as it is, so whoever freed a disk or mended
a registry, and then deploys again, would wait for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from .snapshot import ENDED, Json, mapping, number, part, text


class Client(Protocol):
    async def post(self, path: str, body: Any = None, **params: Any) -> Any: ...


def failing(services: Iterable[Json], tasks: Iterable[Json]) -> dict[str, Mapping[str, Any]]:
    """The specs, by id, of the services that have tried and have no task running."""
    states: dict[str, set[str]] = {}
    for task in tasks:
        states.setdefault(text(task.get("ServiceID"), 64), set()).add(text(part(task, "Status", "State"), 20))
    found: dict[str, Mapping[str, Any]] = {}
    for service in services:
        seen = states.get(text(service.get("ID"), 64), set())
        if "running" not in seen and seen & set(ENDED) and not _is_job(service):
            found[text(service.get("ID"), 64)] = mapping(service.get("Spec"))
    return found


async def start_anew(client: Client, services: Iterable[Json], failed: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """New tasks for those services whose spec is still what it was when they failed; their names. EngineError."""
    names = []
    for service in services:
        service_id, spec = text(service.get("ID"), 64), mapping(service.get("Spec"))
        if failed.get(service_id) != spec:
            continue
        template = mapping(spec.get("TaskTemplate"))
        forced = {**spec, "TaskTemplate": {**template, "ForceUpdate": number(template.get("ForceUpdate")) + 1}}
        version = number(part(service, "Version", "Index"))
        await client.post(f"/services/{service_id}/update", forced, version=version)
        names.append(text(spec.get("Name"), 255))
    return names


def _is_job(service: Json) -> bool:
    return any("Job" in mode for mode in mapping(part(service, "Spec", "Mode")))
