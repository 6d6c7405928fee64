"""Services that gave up or only keep failing: a deployment that changes nothing of them starts them anew.

The swarm itself does nothing when it is given a service again as it is, so whoever freed a disk or mended
a registry, and then deploys again, would wait for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from .snapshot import ENDED, Json, mapping, number, part, text

GIVEN_UP = ("failed", "rejected")


class Client(Protocol):
    async def post(self, path: str, body: Any = None, **params: Any) -> Any: ...


def failing(services: Iterable[Json], tasks: Iterable[Json]) -> dict[str, Mapping[str, Any]]:
    """The specs, by id, of the services that have tried and lack what the swarm does not try again by itself."""
    of_service: dict[str, list[Json]] = {}
    for task in tasks:
        of_service.setdefault(text(task.get("ServiceID"), 64), []).append(task)
    found: dict[str, Mapping[str, Any]] = {}
    for service in services:
        own = of_service.get(text(service.get("ID"), 64), [])
        if not _is_job(service) and (_only_fails(own) or _has_given_up(service, own)):
            found[text(service.get("ID"), 64)] = mapping(service.get("Spec"))
    return found


def _only_fails(tasks: list[Json]) -> bool:
    seen = {_state(task) for task in tasks}
    return "running" not in seen and bool(seen & set(ENDED))


def _has_given_up(service: Json, tasks: list[Json]) -> bool:
    """One of its slots ended badly and stays so, while others run: the swarm may not start it again."""
    policy = mapping(part(service, "Spec", "TaskTemplate", "RestartPolicy"))
    if policy.get("Condition") != "none" and not number(policy.get("MaxAttempts")):
        return False
    replicas = part(service, "Spec", "Mode", "Replicated", "Replicas")
    slots: dict[object, list[Json]] = {}
    for task in sorted(tasks, key=lambda task: text(task.get("CreatedAt"), 40)):
        slots.setdefault(number(task.get("Slot")) or text(task.get("NodeID"), 64), []).append(task)
    live = [slot for slot in slots.values() if any(_state(task) not in ENDED for task in slot)]
    gone = [slot for slot in slots.values() if slot not in live and _state(slot[-1]) in GIVEN_UP]
    return bool(gone) and (replicas is None or len(live) < number(replicas))


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


def _state(task: Json) -> str:
    return text(part(task, "Status", "State"), 20)


def _is_job(service: Json) -> bool:
    return any("Job" in mode for mode in mapping(part(service, "Spec", "Mode")))
