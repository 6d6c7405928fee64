"""Which tasks ended a deployment, and the last lines that their containers said."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from platform_manager.engines.client import EngineClient
from platform_manager.engines.errors import EngineError

from .judgement import ServiceStatus, StackState, StackStatus
from .scheduling import MIB
from .snapshot import Json, mapping, number, part, sequence, text
from .tasks import TaskFailure, essence

MOST_SERVICES = 3
LINES = 20
BYTES = 64 * 1024
LINE_CHARACTERS = 1_000
SECONDS = 5.0
OUT_OF_MEMORY = "Out of memory"
_BROKEN = (StackState.FAILED, StackState.ROLLED_BACK, StackState.DEGRADED, StackState.CONVERGING)


@dataclass(frozen=True)
class Culprit:
    """A task that ended a deployment. ``node`` is a host's name, ``node_id`` the swarm's, "" where it never ran."""

    service: str
    task_id: str
    node: str
    node_id: str
    container_id: str
    error: str
    tty: bool


def culprits(services: Iterable[Json], tasks: Iterable[Json], status: StackStatus) -> list[Culprit]:
    """One of each service that failed, at most :data:`MOST_SERVICES`, the worst first."""
    specs = {text(service.get("ID"), 64): part(service, "Spec", "TaskTemplate") for service in services}
    by_id = {text(task.get("ID"), 64): task for task in tasks}
    broken = [one for one in status.services if one.state in _BROKEN and one.failures]
    broken.sort(key=lambda one: _BROKEN.index(one.state))
    return [_culprit(one, by_id, specs.get(one.id)) for one in broken[:MOST_SERVICES]]


def _culprit(status: ServiceStatus, tasks: dict[str, Json], template: object) -> Culprit:
    """The newest failure; after a rollback, of the version that failed, which the service no longer has."""
    failures = status.failures
    if status.update_state.startswith("rollback"):
        other = [one for one in failures if _is_other(tasks.get(one.task_id), template)]
        failures = other or failures
    # One that ran says more than one that never came so far.
    ran = [one for one in failures if _container(tasks.get(one.task_id))]
    chosen: TaskFailure = (ran or failures)[0]
    task = tasks.get(chosen.task_id, {})
    return Culprit(
        service=status.name,
        task_id=chosen.task_id,
        node=chosen.node,
        node_id=text(task.get("NodeID"), 64),
        container_id=_container(task),
        error=chosen.error.removeprefix("task: "),
        tty=part(task, "Spec", "ContainerSpec", "TTY") is True,
    )


def _is_other(task: Json | None, template: object) -> bool:
    return task is not None and essence(task.get("Spec")) != essence(template)


def _container(task: Json | None) -> str:
    return text(part(task, "Status", "ContainerStatus", "ContainerID"), 64)


async def last_lines(engine: EngineClient, culprit: Culprit) -> list[str]:
    """The end of the container's log, from its own host; [] where it has none. Raises EngineError."""
    if not culprit.container_id:
        return []
    kept = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            logs = engine.container_logs(culprit.container_id, tty=culprit.tty, timestamps=False, tail=str(LINES))
            async with aclosing(logs) as batches:
                async for runs in batches:
                    for _, data in runs:
                        kept += data
                    # The newest count.
                    del kept[:-BYTES]
    except TimeoutError:
        pass
    return _lines(bytes(kept))


async def further(engine: EngineClient, culprit: Culprit) -> str:
    """What its host alone knows of the container's end, such as :data:`OUT_OF_MEMORY`; "" where it knows nothing."""
    if not culprit.container_id:
        return ""
    try:
        async with asyncio.timeout(SECONDS):
            found = await engine.get(f"/containers/{culprit.container_id}/json")
    except (EngineError, TimeoutError):
        return ""
    if part(found, "State", "OOMKilled") is True:
        limit = number(part(found, "HostConfig", "Memory"))
        return f"{OUT_OF_MEMORY} (its limit is {limit / MIB:.6g} MiB)" if limit else OUT_OF_MEMORY
    checks = [mapping(check) for check in sequence(part(found, "State", "Health", "Log"))]
    if not checks or not checks[-1].get("ExitCode"):
        return ""
    said = " ".join(_lines(text(checks[-1].get("Output"), BYTES).encode()))[:LINE_CHARACTERS]
    said = said or f"it said nothing, exit code {number(checks[-1]['ExitCode'])}"
    return f"Its last healthcheck failed: {said}"


def _lines(data: bytes) -> list[str]:
    lines = data.decode(errors="replace").replace("\0", "\ufffd").splitlines()
    return [line[:LINE_CHARACTERS].rstrip() for line in lines[-LINES:]]


def as_dict(culprit: Culprit, error: str, lines: list[str]) -> dict[str, Any]:
    """As a revision keeps it."""
    return {"service": culprit.service, "node": culprit.node, "error": error, "lines": lines}
