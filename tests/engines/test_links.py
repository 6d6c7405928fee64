"""Reverse links, dialled by the real OpenSSH client."""

import asyncio
import socket
import stat
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import asyncssh
import pytest
import uvloop
from fake_engine import FakeEngine, endless, hanging, http
from linked import Host, Watched, Wire

from platform_manager.engines.client import EngineClient, EngineUnreachable
from platform_manager.engines.links import load_host_key
from platform_manager.errors import PlatformError

Until = Callable[[Callable[[], object]], Awaitable[None]]


@pytest.fixture
async def watched(short_dir: Path) -> AsyncIterator[Watched]:
    watched = Watched(short_dir)
    await watched.hub.start()
    yield watched
    await watched.hub.stop()


@pytest.fixture
async def host(short_dir: Path, watched: Watched) -> AsyncIterator[Host]:
    host = Host(short_dir, "host-1")
    watched.admit(host)
    yield host
    await host.stop()


@pytest.fixture
async def linked(watched: Watched, host: Host, engine: FakeEngine, until: Until) -> Watched:
    """The hub with the host's link up."""
    await host.dial(watched.hub, engine.path)
    await until(lambda: watched.said == ["host-1 up"])
    return watched


async def test_the_engine_answers_on_the_hosts_socket(linked: Watched, engine: FakeEngine) -> None:
    engine.answers["/info"] = http({"Name": "far away"})
    path = linked.hub.socket_path("host-1")
    async with EngineClient(path) as client:
        answers = await asyncio.gather(*(client.get("/info") for _ in range(20)))
    assert answers == [{"Name": "far away"}] * 20
    (state,) = linked.hub.links()
    assert state.host_id == "host-1"
    assert state.peer.startswith("127.0.0.1:")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_a_half_closed_connection_still_gets_its_answer(linked: Watched, engine: FakeEngine) -> None:
    reader, writer = await asyncio.open_unix_connection(linked.hub.socket_path("host-1"))
    writer.write(b"GET /_ping HTTP/1.1\r\n\r\n")
    writer.write_eof()
    async with asyncio.timeout(20):
        assert b"Api-Version" in await reader.read()
    writer.close()


async def test_a_killed_client_is_noticed_at_once(
    linked: Watched, host: Host, until: Until, engine: FakeEngine
) -> None:
    engine.answers["/events"] = hanging(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    path = linked.hub.socket_path("host-1")
    async with EngineClient(path) as client:
        await client.version()
        await host.stop()
        await until(lambda: linked.said[1:] and linked.said[1].startswith("host-1 down: the link was cut"))
        assert linked.hub.links() == []
        assert not path.exists()
        with pytest.raises(EngineUnreachable):
            await client.get("/info")


async def test_a_silent_link_is_given_up(watched: Watched, host: Host, engine: FakeEngine, until: Until) -> None:
    await watched.hub.stop()
    await watched.new_hub(keepalive_seconds=0.3).start()
    wire = Wire()
    await wire.start(host.trust(watched.hub))
    host.known.write_text(f"[127.0.0.1]:{wire.port} {watched.hub.host_key_line()}\n")
    await host.dial(watched.hub, engine.path, port=wire.port)
    await until(lambda: watched.said == ["host-1 up"])
    loop = asyncio.get_running_loop()
    await asyncio.sleep(0.3 * 3)
    assert watched.said == ["host-1 up"]
    wire.cut()
    cut_at = loop.time()
    await until(lambda: len(watched.said) > 1)
    assert "keepalive" in watched.said[1]
    assert loop.time() - cut_at < 0.3 * 4 + 5
    await wire.stop()


async def test_the_newest_link_of_a_host_wins(linked: Watched, host: Host, short_dir: Path, until: Until) -> None:
    second = FakeEngine(short_dir / "second.sock")
    await second.start()
    second.answers["/info"] = http({"Name": "second"})
    await host.dial(linked.hub, second.path)
    await until(lambda: linked.said[-1] == "host-1 up" and len(linked.said) == 3)
    assert linked.said[1] == "host-1 down: a newer link of the same host took over"
    assert len(linked.hub.links()) == 1
    async with EngineClient(linked.hub.socket_path("host-1")) as client:
        assert await client.get("/info") == {"Name": "second"}
    await second.stop()


async def test_a_dropped_host_is_down(linked: Watched) -> None:
    await linked.hub.drop("host-1")
    assert linked.said == ["host-1 up", "host-1 down: the platform closed it"]
    assert linked.hub.links() == []
    await linked.hub.drop("host-1")


@pytest.mark.parametrize("end", ["stop", "drop"])
async def test_no_connection_outlives_its_link(
    linked: Watched, engine: FakeEngine, short_dir: Path, until: Until, end: str
) -> None:
    """Neither one that waits for an answer, nor one whose reader stalls, nor one whose channel is not open yet."""
    engine.answers["/info"] = hanging()
    engine.answers["/logs"] = endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 4096)
    clients = [
        await client_of(linked, request) for request in (b"GET /info HTTP/1.1\r\n\r\n", b"GET /logs HTTP/1.1\r\n\r\n")
    ]
    await until(lambda: len(engine.requests) == 2)
    clients.append(await client_of(linked, b""))
    await (linked.hub.stop() if end == "stop" else linked.hub.drop("host-1"))
    for client in clients:
        with client, suppress(ConnectionResetError):
            while client.recv(65536):
                pass


async def client_of(linked: Watched, request: bytes) -> socket.socket:
    """A connection to host-1 that reads nothing by itself, and never waits."""
    client = socket.socket(socket.AF_UNIX)
    client.setblocking(False)
    await asyncio.get_running_loop().sock_connect(client, str(linked.hub.socket_path("host-1")))
    client.sendall(request)
    return client


async def test_a_client_in_a_loop_comes_back_after_a_restart_of_the_hub(
    watched: Watched, host: Host, engine: FakeEngine, until: Until
) -> None:
    port = host.trust(watched.hub)
    ssh = " ".join(f"'{word}'" for word in host.command(port, "-N", "-R", f"/run/x:{engine.path}"))
    await host.start(["sh", "-c", f"while :; do {ssh}; sleep 0.1; done"])
    await until(lambda: watched.said == ["host-1 up"])
    key = watched.hub.host_key_line()
    await watched.hub.stop()
    assert watched.said[1] == "host-1 down: the platform's hub was stopped"
    await watched.new_hub(port).start()
    await until(lambda: watched.said[-1] == "host-1 up" and len(watched.said) == 3)
    assert watched.hub.host_key_line() == key
    async with EngineClient(watched.hub.socket_path("host-1")) as client:
        assert await client.version() == "1.41"


async def test_sockets_of_an_earlier_run_are_removed(watched: Watched) -> None:
    await watched.hub.stop()
    stale = watched.hub.socket_path("host-9")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(stale))
    await watched.new_hub().start()
    assert not stale.exists()


async def test_the_host_key_is_kept_private(watched: Watched) -> None:
    assert stat.S_IMODE((watched.directory / "host_key").stat().st_mode) == 0o600
    assert watched.hub.host_key_line().startswith("ssh-ed25519 AAAA")
    assert len(watched.hub.host_key_line().split()) == 2


async def test_a_host_id_that_is_no_file_name_is_refused(watched: Watched) -> None:
    for host_id in ("", "../x", "a/b", "x" * 65, ".hidden"):
        with pytest.raises(PlatformError, match="can't be a socket"):
            watched.hub.socket_path(host_id)


def test_all_who_want_the_host_key_at_once_get_the_same_one(short_dir: Path) -> None:
    path = short_dir / "new" / "host_key"
    with ThreadPoolExecutor(8) as threads:
        keys = list(threads.map(lambda _: load_host_key(path).export_public_key(), range(8)))
    assert len(set(keys)) == 1
    assert [file.name for file in path.parent.iterdir()] == ["host_key"]


async def test_an_unknown_key_and_a_wrong_name_are_refused(watched: Watched, host: Host, short_dir: Path) -> None:
    stranger = Host(short_dir, "host-2")
    forward = ("-N", "-R", "/run/x:/nonexistent")
    assert "Permission denied (publickey)" in await stranger.refused(watched.hub, *forward)
    assert "Permission denied (publickey)" in await stranger.refused(watched.hub, *forward, user="host-1")
    assert "Permission denied (publickey)" in await host.refused(watched.hub, *forward, user="root")
    assert watched.said == []


async def test_a_password_is_never_asked_for(watched: Watched, host: Host) -> None:
    said = await host.refused(watched.hub, "-N", "-o", "PubkeyAuthentication=no", "-o", "BatchMode=no")
    assert "Permission denied (publickey)" in said


async def test_another_host_key_is_noticed_by_the_client(watched: Watched, host: Host) -> None:
    port = host.trust(watched.hub)
    other = host.key.with_suffix(".key.pub").read_text().split()
    host.known.write_text(f"[127.0.0.1]:{port} {other[0]} {other[1]}\n")
    process = await host.start(host.command(port, "-N"))
    output, _ = await process.communicate()
    assert b"Host key verification failed" in output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-T",), "Session refused"),
        (("-tt",), "Session refused"),
        (("-A", "-X", "--", "id"), "Session refused"),
        (("-s", "--", "sftp"), "Session refused"),
        (("-W", "127.0.0.1:22"), "Connection refused"),
        (("-N", "-R", "0:127.0.0.1:22"), "forwarding failed for listen port 0"),
        (("-N", "-R", "127.0.0.1:9:127.0.0.1:22"), "forwarding failed for listen port 9"),
        (("-N", "-R", "/run/a:/run/b", "-R", "/run/c:/run/d"), "forwarding failed for listen path /run/c"),
    ],
    ids=["shell", "pty", "exec", "sftp", "TCP", "port", "fixed port", "second forward"],
)
async def test_nothing_but_one_forward_is_allowed(
    watched: Watched, host: Host, arguments: tuple[str, ...], words: str
) -> None:
    assert words in await host.refused(watched.hub, *arguments)


async def test_a_client_of_its_own_making_gets_no_further(watched: Watched, host: Host, until: Until) -> None:
    async with asyncssh.connect(
        "127.0.0.1",
        host.trust(watched.hub),
        username="host-1",
        client_keys=[str(host.key)],
        known_hosts=str(host.known),
        config=None,
    ) as connection:
        with pytest.raises(asyncssh.ChannelListenError):
            await connection.forward_remote_path("/run/" + "x" * 20_000, "/run/y")
        await connection.forward_remote_path("/run/x", "/run/y")
        with pytest.raises(asyncssh.ChannelListenError):
            await connection.forward_remote_path("/run/z", "/run/y")
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.create_tun(asyncssh.SSHTunTapSession)
        await until(lambda: watched.said == ["host-1 up"])
    await until(lambda: watched.said[1:] == ["host-1 down: the host closed it"])


async def test_cancelling_the_forward_ends_the_link(watched: Watched, host: Host, until: Until) -> None:
    async with asyncssh.connect(
        "127.0.0.1",
        host.trust(watched.hub),
        username="host-1",
        client_keys=[str(host.key)],
        known_hosts=str(host.known),
        config=None,
    ) as connection:
        forward = await connection.forward_remote_path("/run/x", "/run/y")
        await until(lambda: watched.said == ["host-1 up"])
        forward.close()
        await until(lambda: len(watched.said) == 2)
        assert watched.hub.links() == []


@pytest.mark.parametrize("target", ["127.0.0.1:{port}", "{socket}"], ids=["TCP", "socket"])
async def test_a_host_reaches_nothing_on_the_platform(
    watched: Watched, host: Host, engine: FakeEngine, until: Until, target: str
) -> None:
    """A -L forward listens on the host's side; using it must open nothing on ours."""
    port = host.trust(watched.hub)
    near = watched.directory / "near.sock"
    goal = target.format(port=port, socket=engine.path)
    await host.start(host.command(port, "-N", "-R", f"/run/x:{engine.path}", "-L", f"{near}:{goal}"))
    await until(lambda: watched.said == ["host-1 up"] and near.exists())
    reader, writer = await asyncio.open_unix_connection(near)
    writer.write(b"GET /_ping HTTP/1.1\r\n\r\n")
    async with asyncio.timeout(20):
        with suppress(ConnectionError):
            assert await reader.read() == b""
    assert engine.requests == []
    writer.close()


async def test_strangers_can_not_take_all_connections(
    watched: Watched, host: Host, engine: FakeEngine, until: Until
) -> None:
    await watched.hub.stop()
    hub = watched.new_hub(connections_per_address=3, login_seconds=0.6)
    await hub.start()
    port = host.trust(hub)
    open_connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(8)]
    greetings = await asyncio.gather(*(reader.read(7) for reader, _ in open_connections))
    assert greetings.count(b"SSH-2.0") == 3
    await asyncio.gather(*(reader.read() for reader, _ in open_connections))
    for _, writer in open_connections:
        writer.close()
    await host.dial(hub, engine.path)
    await until(lambda: watched.said == ["host-1 up"])


async def test_a_failing_callback_does_not_harm_the_link(
    watched: Watched, host: Host, engine: FakeEngine, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    async def failing(host_id: str) -> None:
        raise LookupError(host_id)

    watched.hub._on_up = failing
    await host.dial(watched.hub, engine.path)
    await until(lambda: "callback of the hub failed" in caplog.text)
    async with EngineClient(watched.hub.socket_path("host-1")) as client:
        assert await client.version() == "1.41"


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
async def test_the_hub_runs_in_a_thread_and_loop_of_its_own(
    short_dir: Path, engine: FakeEngine, until: Until, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    watched, host = Watched(short_dir), Host(short_dir, "host-1")
    watched.admit(host)
    loop = new_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(watched.hub.start(), loop))
    await host.dial(watched.hub, engine.path)
    await until(lambda: watched.said == ["host-1 up"])
    engine.answers["/build"] = http({})
    async with EngineClient(watched.hub.socket_path("host-1")) as client:
        await asyncio.gather(*(client.post("/build", b"x" * 300_000) for _ in range(10)))
    assert sum(len(request.body) for request in engine.requests) == 10 * 300_000
    await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(watched.hub.stop(), loop))
    loop.call_soon_threadsafe(loop.stop)
    await asyncio.to_thread(thread.join)
    loop.close()
    await host.stop()
