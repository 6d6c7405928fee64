"""state_p95_ms: from a killed container to its task's changed row at a client of the stack's page."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection

from platform_manager.engines.client import EngineClient
from tests.support.lab import until

from .bed import Bed
from .figures import Figure, p95, say, spread

BARS = {"state_p95_ms": 500}
KILLS = 10
POLL_SECONDS = 0.02
COMPOSE = """\
version: "3.8"
services:
  web:
    image: 127.0.0.1:1/whoami:1
    deploy:
      replicas: 3
      placement: {constraints: [node.role == ROLE]}
      restart_policy: {condition: any, delay: 1s}
"""


@dataclass(frozen=True)
class Delay:
    """In ms from the kill: until the manager told of it when asked all the time, and until the client's row changed."""

    engine: float
    row: float


def measure(bed: Bed) -> list[Figure]:
    found = []
    for role in ("manager", "worker"):
        with bed.stack("kill", COMPOSE.replace("ROLE", role), 3):
            delays = [_kill(bed) for _ in range(KILLS)]
        engine = spread(f"killed on a {role} to the engines' own answer", [delay.engine for delay in delays], "ms")
        spread(f"killed on a {role} to its row at the client", [delay.row for delay in delays], "ms")
        found.append(p95([delay.row for delay in delays]))
        own = p95([delay.row - delay.engine for delay in delays])
        say(
            f"{role}: p95 {found[-1]:.0f} ms; of it after the engines' own answer {own:.0f} ms, which took {engine:.0f}"
        )
    why = f"p95 on the manager {found[0]:.0f} ms, on workers {found[1]:.0f} ms"
    return [Figure("state_p95_ms", max(found), BARS["state_p95_ms"], why=why)]


def _kill(bed: Bed) -> Delay:
    """One kill once everything runs and a moment later, so that nothing is read for another reason."""
    until(lambda: len(bed.running("kill")) == 3, what="3 tasks run", every=0.2)
    time.sleep(random.uniform(0.7, 1.2))  # noqa: S311
    return asyncio.run(_delay(bed, random.choice(bed.running("kill"))))  # noqa: S311


async def _delay(bed: Bed, task: dict[str, Any]) -> Delay:
    async with (
        asyncio.timeout(30),
        bed.browser.socket(f"/ws{bed.path}/", page="stack", name="kill") as socket,
        bed.engine() as manager,
        bed.engine(bed.host_of(task["node_id"])) as engine,
    ):
        await socket.recv()
        await manager.version()
        await engine.version()
        await _quiet(socket)
        begun = time.monotonic()
        told, shown, _ = await asyncio.gather(
            _told(manager, task["id"]),
            _shown(socket, task),
            engine.post(f"/containers/{task['container_id']}/kill", signal="SIGKILL"),
        )
        return Delay(1000 * (told - begun), 1000 * (shown - begun))


async def _told(manager: EngineClient, task_id: str) -> float:
    """When the manager told another state of the task."""
    while (await manager.get(f"/tasks/{task_id}"))["Status"]["State"] == "running":
        await asyncio.sleep(POLL_SECONDS)
    return time.monotonic()


async def _shown(socket: ClientConnection, task: dict[str, Any]) -> float:
    """When the stack's page was sent the task as failed: in its slot's row, or among those of the past."""
    rows = (f"slot-{task['service_id']}-{task['slot']}", f"past-{task['id']}")
    async for message in socket:
        if "Failed" in str(message) and any(row in str(message) for row in rows):
            return time.monotonic()
    raise AssertionError("the stack's page was closed")


async def _quiet(socket: ClientConnection) -> None:
    """Take what is still on its way."""
    try:
        while True:
            await asyncio.wait_for(socket.recv(), 0.3)
    except TimeoutError:
        return
