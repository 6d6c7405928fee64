"""link_kb: memory of the hub for each idle link."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from contextlib import AsyncExitStack

import asyncssh

from .figures import Figure, resident_mb, spread

BARS = {"link_kb": 100}
ROUNDS = 3
WARM = 200
LINKS = 200
AT_ONCE = 20
SETTLE_SECONDS = 1


def measure() -> list[Figure]:
    found = [_round() for _ in range(ROUNDS)]
    return [Figure("link_kb", spread(f"an idle link of {LINKS}", found, "kB"), BARS["link_kb"])]


def _round() -> float:
    with (
        tempfile.TemporaryDirectory(prefix="pm-bench-hub-") as directory,
        subprocess.Popen(
            [sys.executable, "-m", "tests.bench.hub_process", directory],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as hub,
    ):
        assert hub.stdout is not None
        return asyncio.run(_kilobytes(hub.pid, int(hub.stdout.readline())))


async def _kilobytes(pid: int, port: int) -> float:
    """What each link after the first 200 adds: those fill memory that the start left free."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    busy = asyncio.Semaphore(AT_ONCE)
    async with AsyncExitStack() as stack:

        async def link(n: int) -> None:
            async with busy:
                connection = await asyncssh.connect(
                    "127.0.0.1", port, username=f"host-{n}", client_keys=[key], known_hosts=None, config=None
                )
                stack.push_async_callback(connection.wait_closed)
                stack.callback(connection.abort)
                await connection.forward_remote_path("/run/x.sock", "/nonexistent.sock")

        await asyncio.gather(*(link(n) for n in range(WARM)))
        await asyncio.sleep(SETTLE_SECONDS)
        before = resident_mb(pid)
        await asyncio.gather(*(link(n) for n in range(WARM, WARM + LINKS)))
        await asyncio.sleep(SETTLE_SECONDS)
        return (resident_mb(pid) - before) * 1024 / LINKS
