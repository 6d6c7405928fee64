"""log_ratio: lines a second at a websocket client, against ``docker service logs --raw`` of the same tasks."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from typing import Any

from .bed import Bed
from .figures import Figure, spread

BARS = {"log_ratio": 1.5}
ROUNDS = 3
COUNT = 100_000
# A first line, and each tenth line once more on stderr.
LINES = 3 * (COUNT + COUNT // 10 + 1)
COMPOSE = f"""\
version: "3.8"
services:
  ticker:
    image: 127.0.0.1:1/ticker:1
    environment: {{RATE: "0", COUNT: "{COUNT}"}}
    deploy: {{mode: global}}
"""


def measure(bed: Bed) -> list[Figure]:
    raw, ours = [], []
    with bed.stack("rate", COMPOSE, 3) as tasks:
        asyncio.run(_printed(bed, tasks))
        for _ in range(ROUNDS):
            raw.append(_raw(bed))
            ours.append(asyncio.run(_ours(bed)))
    theirs = spread("docker service logs --raw", raw, "lines/s")
    mine = spread("log websocket", ours, "lines/s")
    return [
        Figure("log_ratio", mine / theirs, BARS["log_ratio"], lower=False, why=f"{mine:.0f} to {theirs:.0f} lines/s")
    ]


async def _printed(bed: Bed, tasks: list[dict[str, Any]]) -> None:
    """Wait until every container has printed its last line."""
    last = f"line {COUNT}\n".encode()
    for task in tasks:
        async with bed.engine(bed.host_of(task["node_id"])) as client, asyncio.timeout(120):
            seen = b""
            while not seen.endswith(last):
                await asyncio.sleep(0.2)
                logs = client.container_logs(task["container_id"], tty=False, tail="2")
                seen = b"".join([data async for runs in logs for _, data in runs])


def _raw(bed: Bed) -> float:
    begun = time.monotonic()
    with subprocess.Popen(
        bed.command("service", "logs", "--raw", "rate_ticker"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        lines = 0
        while piece := process.stdout.read1(1 << 20):  # type: ignore[attr-defined]
            lines += piece.count(b"\n")
    assert lines == LINES, f"docker service logs gave {lines} of {LINES} lines"
    return lines / (time.monotonic() - begun)


async def _ours(bed: Bed) -> float:
    begun = time.monotonic()
    lines = 0
    async with (
        asyncio.timeout(120),
        bed.browser.socket(f"/ws{bed.path}/logs/", stack="rate", tail="all") as socket,
    ):
        async for message in socket:
            lines += sum(text.count("\n") for _, _, text in json.loads(message).get("lines", ()))
            if lines >= LINES:
                break
    assert lines == LINES, f"the websocket gave {lines} of {LINES} lines"
    return lines / (time.monotonic() - begun)
