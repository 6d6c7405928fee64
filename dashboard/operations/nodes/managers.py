"""Which engine speaks for an environment's swarm."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from dashboard.models import Environment, Host, HostRole
from platform_manager import wiring
from platform_manager.engines.client import EngineClient, EngineError
from platform_manager.errors import ProviderError
from platform_manager.swarm import cluster

from ..context import StepContext

Value = TypeVar("Value")

# A hub that is started again has its links back within seconds.
PATIENCE_SECONDS = 20.0
# A manager that lost its leader may be silent until the client gives up: meanwhile another one is asked.
PROBE_SECONDS = 5.0
NO_MANAGER = (
    "No manager of this environment answers. Wait until one is back (the hosts page shows which), or start its machine."
)


class NoManager(ProviderError):
    """None of the environment's managers answers."""

    def __init__(self) -> None:
        super().__init__(NO_MANAGER, retryable=False)


def managers(environment: Environment) -> list[Host]:
    """Hosts that are swarm managers and have a link, in a steady order."""
    return list(
        environment.hosts.filter(role=HostRole.MANAGER, link_up=True).exclude(node_id="").order_by("created_at", "id")
    )


async def speaking(hosts: list[Host]) -> EngineClient:
    """The engine of the first of these managers that controls the swarm; NoManager when none does."""
    for host in hosts:
        client = wiring.engine(host.pk)
        try:
            async with asyncio.timeout(None if host is hosts[-1] else PROBE_SECONDS):
                found = await cluster.info(client)
                if found.manager:
                    await client.get("/swarm")
                    return client
        except (EngineError, TimeoutError):
            continue
    raise NoManager


def on_manager(
    context: StepContext,
    work: Callable[[EngineClient], Coroutine[Any, Any, Value]],
    *,
    but: Host | None = None,
    seconds: float = 120,
) -> Value:
    """What ``work`` gives with the engine of a manager that answers, any except ``but``'s.

    NoManager when none does for :data:`PATIENCE_SECONDS`.
    """

    async def speak(hosts: list[Host]) -> Value:
        return await work(await speaking(hosts))

    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        hosts = [host for host in managers(context.environment) if but is None or host.pk != but.pk]
        try:
            return context.run(speak(hosts), seconds)
        except NoManager:
            if time.monotonic() > deadline:
                raise
        context.check()
        time.sleep(0.25)
