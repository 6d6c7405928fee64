"""Direct links: the hub dials a host's SSH server, which is asyncssh's own here and OpenSSH's in the nested hosts."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from fake_engine import FakeEngine, hanging, http
from linked import Watched

from platform_manager.engines import dialling
from platform_manager.engines.client import EngineClient
from platform_manager.engines.dialling import Dialler, Target, new_key_pair

Until = Callable[[Callable[[], object]], Awaitable[None]]
FACTS = json.dumps({"hostname": "far", "mtu": 1400})


class Door(asyncssh.SSHServer):
    """Lets one key in, to open sockets."""

    def __init__(self, machine: "Machine") -> None:
        self._machine = machine

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._machine.connections.append(conn)

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        known = asyncssh.import_public_key(self._machine.let_in)
        return username == dialling.USER and key.public_data == known.public_data

    def unix_connection_requested(self, dest_path: str) -> bool:
        return True


class Machine:
    """A host with an SSH server on one port, as the bootstrap script leaves it."""

    def __init__(self, let_in: str) -> None:
        self.let_in, self.facts = let_in, FACTS
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self.connections: list[asyncssh.SSHServerConnection] = []
        self.port = 0
        self._server: asyncssh.SSHAcceptor | None = None

    @property
    def key_line(self) -> str:
        return " ".join(self.key.export_public_key().decode().split()[:2])

    async def start(self) -> None:
        async def tell(process: asyncssh.SSHServerProcess[str]) -> None:
            process.stdout.write(self.facts)
            process.exit(0)

        self._server = await asyncssh.listen(
            "127.0.0.1", self.port, server_factory=lambda: Door(self), server_host_keys=[self.key], process_factory=tell
        )
        self.port = self._server.get_port()

    async def stop(self) -> None:
        if self._server:
            self._server.close()
            await self._server.wait_closed()
        self.cut()

    def cut(self) -> None:
        while self.connections:
            self.connections.pop().abort()


class Dialled(Watched):
    """A hub whose dialler notes what it is told."""

    def __init__(self, directory: Path, engine: FakeEngine) -> None:
        super().__init__(directory)
        self.facts: list[tuple[str, str, str]] = []
        self.failures: list[str] = []
        self.trouble: list[Exception] = []
        self.dialler = Dialler(
            self.hub,
            on_facts=self._told,
            on_failure=self._failed,
            engine_socket=str(engine.path),
            pause_seconds=0.05,
            connect_seconds=1,
        )

    async def _told(self, host_id: str, facts: str, host_key: str) -> None:
        if self.trouble:
            raise self.trouble.pop()
        self.facts.append((host_id, facts, host_key))

    async def _failed(self, host_id: str, reason: str) -> None:
        self.failures.append(f"{host_id}: {reason}")


@pytest.fixture(scope="module")
def pair() -> tuple[str, str]:
    return new_key_pair("platform")


@pytest.fixture
async def machine(pair: tuple[str, str]) -> AsyncIterator[Machine]:
    machine = Machine(pair[1])
    await machine.start()
    yield machine
    await machine.stop()


@pytest.fixture
async def hub(short_dir: Path, engine: FakeEngine) -> AsyncIterator[Dialled]:
    dialled = Dialled(short_dir, engine)
    await dialled.hub.start()
    yield dialled
    await dialled.dialler.stop()
    await dialled.hub.stop()


@pytest.fixture
def target(machine: Machine, pair: tuple[str, str]) -> Target:
    return Target("host-1", ("127.0.0.1",), pair[0], machine.key_line, machine.port)


async def test_the_engine_answers_on_the_hosts_socket(
    hub: Dialled, target: Target, engine: FakeEngine, until: Until
) -> None:
    engine.answers["/info"] = http({"Name": "far away"})
    await hub.dialler.keep([target])
    await until(lambda: hub.said == ["host-1 up"])
    async with EngineClient(hub.hub.socket_path("host-1")) as client:
        answers = await asyncio.gather(*(client.get("/info") for _ in range(20)))
    assert answers == [{"Name": "far away"}] * 20
    assert hub.facts == [("host-1", FACTS, target.host_key)]
    assert hub.failures == []


async def test_a_server_with_another_key_gets_no_link(hub: Dialled, target: Target, until: Until) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    await hub.dialler.keep([replace(target, host_key=other)])
    await until(lambda: hub.failures)
    assert hub.failures[0] == "host-1: 127.0.0.1: its SSH server has another key than this machine had"
    assert (hub.said, hub.facts) == ([], [])


async def test_where_no_key_is_known_the_first_one_counts_from_then_on(
    hub: Dialled, target: Target, machine: Machine, until: Until
) -> None:
    await hub.dialler.keep([replace(target, host_key="")])
    await until(lambda: hub.said == ["host-1 up"])
    assert hub.facts == [("host-1", FACTS, machine.key_line)]

    await machine.stop()
    machine.key = asyncssh.generate_private_key("ssh-ed25519")
    await machine.start()
    await until(lambda: any("another key" in failure for failure in hub.failures))
    assert len(hub.facts) == 1


async def test_a_link_goes_on_when_the_key_it_showed_is_written_down(
    hub: Dialled, target: Target, machine: Machine, until: Until
) -> None:
    await hub.dialler.keep([replace(target, host_key="")])
    await until(lambda: hub.said == ["host-1 up"])
    await hub.dialler.keep([target])
    assert [state.host_id for state in hub.hub.links()] == ["host-1"]
    assert len(machine.connections) == 1


async def test_a_cut_link_is_told_and_dialled_again(
    hub: Dialled, target: Target, machine: Machine, engine: FakeEngine, until: Until
) -> None:
    engine.answers["/events"] = hanging(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    await hub.dialler.keep([target])
    await until(lambda: hub.said == ["host-1 up"])
    machine.cut()
    await until(lambda: hub.said == ["host-1 up", "host-1 down: the link was cut", "host-1 up"])


async def test_who_is_dialled_no_more_is_hung_up_on(hub: Dialled, target: Target, until: Until) -> None:
    await hub.dialler.keep([target])
    await until(lambda: hub.said == ["host-1 up"])
    await hub.dialler.keep([])
    await until(lambda: len(hub.said) == 2)
    assert hub.hub.links() == []


async def test_a_link_goes_on_while_its_own_address_is_one_of_the_hosts(
    hub: Dialled, target: Target, machine: Machine, until: Until
) -> None:
    await hub.dialler.keep([target])
    await until(lambda: hub.said == ["host-1 up"])
    await hub.dialler.keep([replace(target, addresses=("127.0.0.9", "127.0.0.1"))])
    await hub.dialler.keep([target])
    assert [state.host_id for state in hub.hub.links()] == ["host-1"]
    assert len(machine.connections) == 1

    await hub.dialler.keep([replace(target, addresses=("127.0.0.9",))])
    assert hub.hub.links() == []


async def test_a_host_that_does_not_answer_is_dialled_at_its_new_address(
    hub: Dialled, target: Target, until: Until
) -> None:
    await hub.dialler.keep([replace(target, addresses=("127.0.0.9",))])
    await until(lambda: hub.failures)
    await hub.dialler.keep([target])
    await until(lambda: hub.said == ["host-1 up"])


async def test_the_next_address_is_tried_where_one_does_not_answer(hub: Dialled, target: Target, until: Until) -> None:
    await hub.dialler.keep([replace(target, addresses=("127.0.0.2", "127.0.0.1"))])
    await until(lambda: hub.said == ["host-1 up"])


async def test_a_key_that_is_not_let_in_is_told_and_tried_again(
    hub: Dialled, target: Target, machine: Machine, until: Until
) -> None:
    right, machine.let_in = machine.let_in, new_key_pair("another")[1]
    await hub.dialler.keep([target])
    await until(lambda: "host-1: 127.0.0.1: it does not let the platform's key in (yet)" in hub.failures)
    machine.let_in = right
    await until(lambda: hub.said == ["host-1 up"])


async def test_a_server_that_says_nothing_is_given_up(hub: Dialled, target: Target, until: Until) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        await hub.dialler.keep([replace(target, port=server.sockets[0].getsockname()[1])])
        await until(lambda: hub.failures)
        await hub.dialler.stop()
    assert "no answer within 1 s" in hub.failures[0]


async def test_endless_facts_are_cut(hub: Dialled, target: Target, machine: Machine, until: Until) -> None:
    machine.facts = "x" * (4 * dialling.MOST_FACTS_BYTES)
    await hub.dialler.keep([target])
    await until(lambda: hub.facts)
    assert len(hub.facts[0][1]) == dialling.MOST_FACTS_BYTES


async def test_a_failure_to_write_down_what_a_host_told_does_not_end_its_dialling(
    hub: Dialled, target: Target, machine: Machine, until: Until
) -> None:
    hub.trouble = [ValueError("a value that the database does not take"), OSError(24, "Too many open files")]
    await hub.dialler.keep([target])
    await until(lambda: hub.said == ["host-1 up"])
    assert hub.trouble == []


async def test_what_a_hostile_server_says_is_one_line_of_text(hub: Dialled, target: Target, until: Until) -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"SSH-2.0-x\r\n" + _packet(b"\x01\0\0\0\x02" + _string(b"go\n2026 INFO all is\0 well") + _string(b""))
        )
        await reader.read()
        writer.close()

    server = await asyncio.start_server(rude, "127.0.0.1", 0)
    async with server:
        await hub.dialler.keep([replace(target, port=server.sockets[0].getsockname()[1])])
        await until(lambda: hub.failures)
        await hub.dialler.stop()
    assert "INFO all is" in hub.failures[0]
    assert hub.failures[0].isprintable()


def _string(text: bytes) -> bytes:
    return len(text).to_bytes(4, "big") + text


def _packet(payload: bytes) -> bytes:
    """In the clear, as before the exchange of keys."""
    padding = 16 - (5 + len(payload)) % 8
    return (1 + len(payload) + padding).to_bytes(4, "big") + bytes([padding]) + payload + bytes(padding)


def test_keys_are_of_the_kind_that_openssh_reads(pair: tuple[str, str]) -> None:
    private, public = pair
    assert private.splitlines()[0].strip("-") == "BEGIN OPENSSH PRIVATE KEY"
    assert public.startswith("ssh-ed25519 AAAA") and public.endswith(" platform")


def test_a_private_key_is_no_part_of_what_a_target_says_of_itself(target: Target) -> None:
    told: Any = repr(target)
    assert "PRIVATE" not in told
