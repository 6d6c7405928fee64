"""A host's local socket: no connection outlives its link, whenever it came."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import uvloop

from platform_manager.engines.bridge import EngineSide
from platform_manager.engines.local_socket import LocalSocket

NewLoop = Callable[[], asyncio.AbstractEventLoop]


async def never_opens(side: EngineSide) -> None:
    await asyncio.Event().wait()


@pytest.fixture
async def local(short_dir: Path) -> AsyncIterator[LocalSocket]:
    """A socket whose far end does not answer."""
    local = LocalSocket(short_dir / "host.sock", never_opens)
    yield local
    local.close()
    await local.wait_closed()


def connected(path: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(10)
    try:
        client.connect(str(path))
    except OSError:
        client.close()
        raise
    return client


async def read(client: socket.socket) -> bytes:
    """What there is up to the end; fails when it does not end."""
    try:
        return await asyncio.to_thread(client.recv, 100)
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("turns", range(5))
@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_connection_is_cut_however_new_it_is(short_dir: Path, turns: int, new_loop: NewLoop) -> None:
    """Closed some turns of the loop after the connection came: before, while and after it is accepted."""

    async def come_and_close() -> bytes:
        local = LocalSocket(short_dir / "host.sock", never_opens)
        with connected(short_dir / "host.sock") as client:
            for _ in range(turns):
                await asyncio.sleep(0)
            local.close()
            await local.wait_closed()
            return await read(client)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(come_and_close()) == b""


async def test_a_closed_socket_takes_no_more(local: LocalSocket, short_dir: Path) -> None:
    local.close()
    local.close()
    await local.wait_closed()
    with pytest.raises(ConnectionRefusedError):
        connected(short_dir / "host.sock")


async def test_many_are_accepted_and_all_are_cut(local: LocalSocket, short_dir: Path) -> None:
    clients = [connected(short_dir / "host.sock") for _ in range(100)]
    await asyncio.sleep(0)
    local.close()
    await local.wait_closed()
    assert await asyncio.gather(*(read(client) for client in clients)) == [b""] * 100
    for client in clients:
        client.close()
