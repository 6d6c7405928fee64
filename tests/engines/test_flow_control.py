"""A slow reader costs one window of memory, however much the engine has to say."""

import asyncio
import hashlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncssh
import pytest
from fake_engine import FakeEngine, Request
from linked import Host, Watched

from platform_manager.engines import flow_control
from platform_manager.engines.links import WINDOW_BYTES
from platform_manager.errors import PlatformError

Until = Callable[[Callable[[], object]], Awaitable[None]]
PIECE = os.urandom(64 * 1024)
PIECES = 160
READERS = 3


@pytest.fixture
async def linked(short_dir: Path, engine: FakeEngine, until: Until) -> AsyncIterator[Watched]:
    watched = Watched(short_dir)
    await watched.new_hub(keepalive_seconds=5).start()
    host = Host(short_dir, "host-1")
    watched.admit(host)
    await host.dial(watched.hub, engine.path)
    await until(lambda: watched.said == ["host-1 up"])
    yield watched
    await host.stop()
    await watched.hub.stop()


def resident() -> int:
    """This process's memory in bytes; tests, hub and fake engine are all in it."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def connect(watched: Watched) -> socket.socket:
    """A connection that reads nothing by itself."""
    near = socket.socket(socket.AF_UNIX)
    near.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(near, str(watched.hub.socket_path("host-1")))
    await loop.sock_sendall(near, b"GET /v1.41/bulk HTTP/1.1\r\n\r\n")
    return near


async def read_slowly(near: socket.socket, pause: float = 0.01) -> str:
    """The checksum of all that comes, at some 6 MB/s."""
    seen = hashlib.md5(usedforsecurity=False)
    loop = asyncio.get_running_loop()
    while data := await loop.sock_recv(near, 65536):
        seen.update(data)
        await asyncio.sleep(pause)
    return seen.hexdigest()


async def test_slow_and_stalled_readers_cost_a_window_each(linked: Watched, engine: FakeEngine, until: Until) -> None:
    async def bulk(writer: asyncio.StreamWriter, _: Request) -> None:
        for _ in range(PIECES):
            writer.write(PIECE)
            await writer.drain()

    engine.answers["/bulk"] = bulk
    expected = hashlib.md5(PIECE * PIECES, usedforsecurity=False).hexdigest()
    slow = [await connect(linked) for _ in range(READERS)]
    stalled = await connect(linked)
    before = highest = resident()
    reading = asyncio.gather(*(read_slowly(near) for near in slow))
    while not reading.done():
        await asyncio.wait([reading], timeout=0.02)
        highest = max(highest, resident())
    assert await reading == [expected] * READERS
    assert highest - before < (READERS + 1) * (WINDOW_BYTES + 1024 * 1024) + 8 * 1024 * 1024
    assert await read_slowly(stalled, 0) == expected
    for near in (*slow, stalled):
        near.close()


async def test_an_upload_to_a_slow_engine_is_held_back(linked: Watched, engine: FakeEngine, until: Until) -> None:
    far = socket.socket(socket.AF_UNIX)
    engine.path.unlink()
    far.bind(str(engine.path))
    far.listen()
    far.setblocking(False)
    loop = asyncio.get_running_loop()
    near = socket.socket(socket.AF_UNIX)
    near.setblocking(False)
    await loop.sock_connect(near, str(linked.hub.socket_path("host-1")))
    accepted, _ = await loop.sock_accept(far)
    archive = PIECE * PIECES * 3
    before = resident()
    upload = asyncio.create_task(loop.sock_sendall(near, archive))
    done, _ = await asyncio.wait([upload], timeout=0.5)
    assert not done
    assert resident() - before < 16 * 1024 * 1024 < len(archive) / 1.5
    reading = asyncio.create_task(read_slowly(accepted, 0))
    await upload
    near.shutdown(socket.SHUT_WR)
    assert await reading == hashlib.md5(archive, usedforsecurity=False).hexdigest()
    for each in (near, accepted, far):
        each.close()


async def test_another_asyncssh_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    flow_control.check()
    with monkeypatch.context() as patch:
        patch.setattr(asyncssh, "__version__", "2.25.0")
        with pytest.raises(PlatformError, match=r"asyncssh 2\.25\.0"):
            flow_control.check()
    with monkeypatch.context() as patch:
        patch.delattr("asyncssh.channel.SSHChannel._deliver_data")
        with pytest.raises(PlatformError, match="pinned requirements"):
            flow_control.check()
