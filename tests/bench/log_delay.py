"""log_p95_ms: from a line printed in a container to its receipt by a websocket client."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import datetime
from statistics import median
from typing import Any

from .bed import Bed
from .figures import Figure, p95, say, spread

BARS = {"log_p95_ms": 150}
SECONDS = 20
RATE = 100
COMPOSE = f"""\
version: "3.8"
services:
  ticker:
    image: 127.0.0.1:1/ticker:1
    environment: {{RATE: "{RATE}"}}
    deploy: {{mode: global}}
"""


def measure(bed: Bed) -> list[Figure]:
    """One container after the other, on the manager and on both workers."""
    with bed.stack("delay", COMPOSE, 3) as tasks:
        found = [asyncio.run(_delays(bed, task)) for task in tasks]
    return [Figure("log_p95_ms", spread("p95 from printed to received", found, "ms"), BARS["log_p95_ms"])]


async def _delays(bed: Bed, task: dict[str, Any]) -> float:
    """The 95th percentile in ms of the lines of ``SECONDS``."""
    delays: list[float] = []
    async with bed.browser.socket(f"/ws{bed.path}/logs/", task=task["id"], tail="0") as socket:
        begun = time.time()
        while (now := time.time()) < begun + SECONDS:
            message = await asyncio.wait_for(socket.recv(), 10)
            now = time.time()
            for _, _, text in json.loads(message).get("lines", ()):
                delays += [1000 * (now - stamp(line)) for line in text.splitlines()]
    role, rate = bed.host_of(task["node_id"]).role, len(delays) / SECONDS
    middle, most = median(delays), max(delays)
    say(f"{role}: {rate:.0f} lines/s, p50 {middle:.0f} p95 {p95(delays):.0f} max {most:.0f} ms")
    return p95(delays)


def stamp(line: str) -> float:
    """The engine's timestamp at the beginning of a line, in seconds: "2026-11-22T19:01:02.123456789Z ..."."""
    whole, _, fraction = line.split(" ", 1)[0].rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{fraction or 0}")
