"""log_p95_ms: from a line printed in a container to its receipt by a websocket client."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import datetime
from statistics import median

from .bed import Bed
from .figures import Figure, p95, say, spread

ROUNDS = 3
SECONDS = 20
RATE = 100
COMPOSE = f"""\
version: "3.8"
services:
  ticker:
    image: 127.0.0.1:1/ticker:1
    environment: {{RATE: "{RATE}"}}
    deploy: {{replicas: 1, placement: {{constraints: [node.role == ROLE]}}}}
"""


def measure(bed: Bed) -> list[Figure]:
    found = []
    for role in ("worker", "manager", "worker")[:ROUNDS]:
        with bed.stack("delay", COMPOSE.replace("ROLE", role), 1):
            found.append(asyncio.run(_delays(bed, role)))
    return [Figure("log_p95_ms", spread("p95 from printed to received", found, "ms"), 150)]


async def _delays(bed: Bed, role: str) -> float:
    """The 95th percentile in ms of the lines of ``SECONDS``."""
    delays: list[float] = []
    async with bed.browser.socket(f"/ws{bed.path}/logs/", stack="delay", tail="0") as socket:
        begun = time.time()
        while (now := time.time()) < begun + SECONDS:
            message = await asyncio.wait_for(socket.recv(), 10)
            now = time.time()
            for _, _, text in json.loads(message).get("lines", ()):
                delays += [1000 * (now - stamp(line)) for line in text.splitlines()]
    middle, most = median(delays), max(delays)
    say(f"{role}: {len(delays) / SECONDS:.0f} lines/s, p50 {middle:.0f} p95 {p95(delays):.0f} max {most:.0f} ms")
    return p95(delays)


def stamp(line: str) -> float:
    """The engine's timestamp at the beginning of a line, in seconds: "2026-11-22T19:01:02.123456789Z ..."."""
    whole, _, fraction = line.split(" ", 1)[0].rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{fraction or 0}")
