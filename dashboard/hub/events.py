"""The events of one engine, for as long as it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from platform_manager.engines.client import EngineClient, EngineUnreachable

HEARD = {
    "type": ["container", "node", "service", "network", "volume", "secret", "config"],
    "event": ["create", "start", "die", "oom", "health_status", "destroy", "update", "remove"],
}
# An engine that hangs is noticed after the sum of both; a lost host by its link.
PING_EVERY = 5.0
PING_SECONDS = 11.0


async def follow(client: EngineClient, tell: Callable[[Mapping[str, Any]], None]) -> None:
    """Call ``tell`` with each event until the engine ends the stream; EngineError when it breaks or hangs."""
    tasks = [asyncio.ensure_future(_hear(client, tell)), asyncio.ensure_future(_ping(client))]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _hear(client: EngineClient, tell: Callable[[Mapping[str, Any]], None]) -> None:
    async for event in client.json_lines("/events", filters=HEARD):
        tell(event)


async def _ping(client: EngineClient) -> None:
    """For ever; a stream of events would only be silent where the engine hangs."""
    while True:
        await asyncio.sleep(PING_EVERY)
        try:
            async with asyncio.timeout(PING_SECONDS):
                await client.get("/_ping")
        except TimeoutError:
            raise EngineUnreachable(f"The Docker engine did not answer within {PING_SECONDS:g} seconds.") from None
