"""The same client against a real engine, straight and through a real link."""

import asyncio
import io
import tarfile
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from linked import Host, Watched

from platform_manager.engines.client import EngineClient, EngineError

pytestmark = pytest.mark.engine
ENGINE = Path("/var/run/docker.sock")
LABEL = "platform-manager.test"
Until = Callable[[Callable[[], object]], Awaitable[None]]


def image() -> bytes:
    """The smallest image with a shell in it."""
    busybox = which("busybox")
    assert busybox, "the tests need a shell for containers: apt-get install busybox-static"
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(busybox, "bin/busybox")
        link = tarfile.TarInfo("bin/sh")
        link.type, link.linkname = tarfile.SYMTYPE, "busybox"
        tar.addfile(link)
    return archive.getvalue()


@pytest.fixture
async def linked(short_dir: Path, until: Until) -> AsyncIterator[EngineClient]:
    watched = Watched(short_dir)
    await watched.new_hub(keepalive_seconds=5).start()
    host = Host(short_dir, "host-1")
    watched.admit(host)
    await host.dial(watched.hub, ENGINE)
    await until(lambda: watched.said == ["host-1 up"])
    async with EngineClient(watched.hub.socket_path("host-1")) as client:
        yield client
    await host.stop()
    await watched.hub.stop()


@pytest.fixture
async def tag(linked: EngineClient) -> AsyncGenerator[str, None]:
    tag = f"pm-test-{uuid.uuid4().hex[:8]}:1"
    await linked.post("/images/create", image(), fromSrc="-", repo=tag.split(":")[0], tag="1")
    yield tag
    filters = {"label": [f"{LABEL}={tag}"]}
    for container in await linked.get("/containers/json", all=True, filters=filters):
        await linked.delete(f"/containers/{container['Id']}", force=True)
    await linked.delete(f"/images/{tag}", force=True)


async def run(client: EngineClient, tag: str, script: str, **settings: Any) -> str:
    body = {"Image": tag, "Cmd": ["/bin/sh", "-c", script], "Labels": {LABEL: tag}, "StopTimeout": 0}
    container = (await client.post("/containers/create", {**body, **settings}))["Id"]
    await client.post(f"/containers/{container}/start")
    return str(container)


async def test_a_link_reaches_the_engine(linked: EngineClient) -> None:
    async with EngineClient(ENGINE) as straight:
        assert (await linked.get("/info"))["ID"] == (await straight.get("/info"))["ID"]
        assert await linked.version() == await straight.version()


async def test_logs_of_both_streams_with_a_very_long_line(linked: EngineClient, tag: str) -> None:
    script = "echo out; echo err >&2; busybox head -c 40000 /dev/zero | busybox tr '\\0' x; echo; echo last"
    container = await run(linked, tag, script.replace("busybox", "/bin/busybox"))
    await linked.post(f"/containers/{container}/wait")
    texts = {1: b"", 2: b""}
    async for batch in linked.container_logs(container, tty=False):
        for stream, data in batch:
            texts[stream] += data
    lines = [line.split(b" ", 1)[1] for line in texts[1].splitlines()]
    assert lines == [b"out", b"x" * 40_000, b"last"]
    assert texts[2].endswith(b"Z err\n")


async def test_a_followed_log_comes_while_it_is_written(linked: EngineClient, tag: str) -> None:
    container = await run(linked, tag, "while read line; do echo got $line; done", OpenStdin=True)
    async with asyncio.timeout(10):
        async with aclosing(linked.container_logs(container, tty=False, follow=True)) as batches:
            waiting = asyncio.ensure_future(anext(batches))
            await linked.post(f"/containers/{container}/kill", signal="KILL")
            with pytest.raises(StopAsyncIteration):
                await waiting


async def test_a_terminals_log(linked: EngineClient, tag: str) -> None:
    container = await run(linked, tag, "echo one; echo two >&2", Tty=True)
    await linked.post(f"/containers/{container}/wait")
    batches = [batch async for batch in linked.container_logs(container, tty=True, timestamps=False)]
    assert b"".join(data for batch in batches for _, data in batch) == b"one\r\ntwo\r\n"


async def test_a_command_in_a_container(linked: EngineClient, tag: str) -> None:
    container = await run(linked, tag, "while :; do /bin/busybox sleep 1; done")
    script = ["/bin/sh", "-c", "echo out; echo err >&2; exit 7"]
    code, output = await linked.run(container, script, timeout=10, limit_bytes=1000)
    assert code == 7
    assert sorted(output.split()) == [b"err", b"out"]
    endless = ["/bin/sh", "-c", "/bin/busybox yes"]
    with pytest.raises(EngineError, match="within"):
        await linked.run(container, endless, timeout=0.5, limit_bytes=1000)


async def test_events_and_images_through_the_link(linked: EngineClient, tag: str) -> None:
    name, begun = tag.split(":")[0], int(time.time()) - 1

    async def created() -> str:
        # Since a moment before, and only ours: no need to listen already, and others make networks too.
        async for event in linked.json_lines("/events", since=begun, filters={"type": ["network"], "network": [name]}):
            return f"{event['Action']} {event['Actor']['Attributes']['name']}"
        return ""

    waiting = asyncio.create_task(created())
    network = await linked.post("/networks/create", {"Name": name, "Labels": {LABEL: tag}})
    async with asyncio.timeout(20):
        assert await waiting == f"create {name}"
    await linked.delete(f"/networks/{network['Id']}")
    archive = linked.download("/images/get", names=[tag])
    await linked.upload("/images/load", archive, quiet=True)
