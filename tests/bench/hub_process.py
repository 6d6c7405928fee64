"""A hub that lets everybody in, alone in its process: prints its port, and ends with its stdin."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from platform_manager.engines.links import Hub


async def _authorise(username: str, fingerprint: str) -> str | None:
    return username


async def _up(host_id: str) -> None:
    pass


async def _down(host_id: str, reason: str) -> None:
    pass


async def main(directory: Path) -> None:
    hub = Hub(
        socket_dir=directory / "links",
        host_key=directory / "key",
        listen=[("127.0.0.1", 0)],
        authorise=_authorise,
        on_up=_up,
        on_down=_down,
    )
    await hub.start()
    sys.stdout.write(f"{hub.addresses()[0][1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await hub.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
