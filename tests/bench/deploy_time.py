"""deploy_ratio: from the deploy request to all tasks running, against the raw CLI and polling."""

from __future__ import annotations

import asyncio
import time

from dashboard.models import Stack
from tests.support.lab import until

from .bed import Bed
from .figures import Figure, spread

BARS = {"deploy_ratio": 1.15}
ROUNDS = 5
TASKS = 3
POLL_SECONDS = 0.05
COMPOSE = f"""\
version: "3.8"
services:
  web:
    image: 127.0.0.1:1/whoami:1
    deploy:
      replicas: {TASKS}
"""


def measure(bed: Bed) -> list[Figure]:
    raw, ours = [], []
    for n in range(ROUNDS):
        raw.append(asyncio.run(_raw(bed, f"raw{n}")))
        bed.remove(f"raw{n}")
        ours.append(asyncio.run(_ours(bed, f"own{n}")))
        bed.browser.post(f"{bed.path}/stacks/own{n}/remove/")
        until(lambda: not Stack.objects.exists(), what="the stack is removed")
        bed.wait_gone(f"own{n}")
    theirs = spread("raw stack deploy and polling", raw, "s")
    mine = spread("deploy form to the page's last task", ours, "s")
    why = f"{mine - theirs:.2f} s more than the raw tool's {theirs:.2f} s"
    return [Figure("deploy_ratio", mine / theirs, BARS["deploy_ratio"], why=why)]


async def _raw(bed: Bed, name: str) -> float:
    async with bed.engine() as client:
        await client.version()
        begun = time.monotonic()
        await asyncio.to_thread(bed.deploy, name, COMPOSE)
        while True:
            tasks = await bed.tasks(client, name)
            if sum(task["Status"]["State"] == "running" for task in tasks) == TASKS:
                return time.monotonic() - begun
            await asyncio.sleep(POLL_SECONDS)


async def _ours(bed: Bed, name: str) -> float:
    """Until the stack's page, opened after the form was accepted, is told that all tasks run."""
    begun = time.monotonic()
    await asyncio.to_thread(bed.browser.post, f"{bed.path}/stacks/deploy/", name=name, compose=COMPOSE)
    async with (
        asyncio.timeout(60),
        bed.browser.socket(f"/ws{bed.path}/", page="stack", name=name) as socket,
    ):
        async for message in socket:
            if f"{TASKS} of {TASKS} tasks run" in str(message):
                return time.monotonic() - begun
    raise AssertionError(f"the page of {name} was closed before its tasks ran")
