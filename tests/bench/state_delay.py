"""state_p95_ms: from a killed container to its task's changed row at a client of the stack's page."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

from platform_manager.engines.client import EngineClient
from tests.support.lab import until

from .bed import Bed
from .figures import Figure, p95, say, spread

BARS = {"state_p95_ms": 500}
KILLS = 10
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


def measure(bed: Bed) -> list[Figure]:
    found = []
    for role in ("manager", "worker"):
        with bed.stack("kill", COMPOSE.replace("ROLE", role), 3):
            delays = [_kill(bed) for _ in range(KILLS)]
        spread(f"killed container on a {role} to its row at the client", delays, "ms")
        found.append(p95(delays))
    say(f"p95: manager {found[0]:.0f} ms, worker {found[1]:.0f} ms")
    why = f"p95 on the manager {found[0]:.0f} ms, on workers {found[1]:.0f} ms"
    return [Figure("state_p95_ms", max(found), BARS["state_p95_ms"], why=why)]


def _kill(bed: Bed) -> float:
    """One kill once everything runs and a moment later, so that nothing is read for another reason."""
    until(lambda: len(bed.running("kill")) == 3, what="3 tasks run", every=0.2)
    time.sleep(random.uniform(0.7, 1.2))  # noqa: S311
    return asyncio.run(_until_row(bed, random.choice(bed.running("kill"))))  # noqa: S311


async def _until_row(bed: Bed, task: dict[str, Any]) -> float:
    rows = (f"slot-{task['service_id']}-{task['slot']}", f"past-{task['id']}")
    async with (
        asyncio.timeout(30),
        bed.browser.socket(f"/ws{bed.path}/", page="stack", name="kill") as socket,
        bed.engine(bed.host_of(task["node_id"])) as engine,
    ):
        await socket.recv()
        await engine.version()
        await _quiet(socket)
        begun = time.monotonic()
        await _sigkill(engine, task["container_id"])
        async for message in socket:
            if any(row in str(message) for row in rows):
                return 1000 * (time.monotonic() - begun)
    raise AssertionError("the stack's page was closed")


async def _sigkill(engine: EngineClient, container: str) -> None:
    await engine.post(f"/containers/{container}/kill", signal="SIGKILL")


async def _quiet(socket: Any) -> None:
    """Take what is still on its way."""
    try:
        while True:
            await asyncio.wait_for(socket.recv(), 0.3)
    except TimeoutError:
        return
