"""The hub: hosts dial in with the stock OpenSSH client, and each gets a local unix socket to its engine.

    ssh -N -p 2222 -i KEY -R /run/platform-manager/engine.sock:/var/run/docker.sock HOST_ID@HUB

To everybody else a host is a socket path and the state of its link. All a host may do here is this one
forward: no shell, no command, no other forward in either direction. The newest link of a host wins.
"""

import asyncio
import logging
import os
import re
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncssh

from platform_manager.engines import flow_control
from platform_manager.engines.bridge import EngineSide, OpenChannel
from platform_manager.engines.flow_control import BoundedChannel
from platform_manager.engines.local_socket import LocalSocket
from platform_manager.errors import PlatformError, cannot_listen

Authorise = Callable[[str, str], Awaitable[str | None]]
OnUp = Callable[[str], Awaitable[None]]
OnDown = Callable[[str, str], Awaitable[None]]
Connection = asyncssh.SSHServerConnection | asyncssh.SSHClientConnection

HOST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
SOCKET_PATH_BYTES = 107
STRANGERS = 200
# Log lines come in small packets; asyncssh's chacha20, every client's first choice, sets up anew for each.
CIPHERS = ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"]
FORWARD_SECONDS = 10
# Held in the hub for each stalled reader at the most; over 50 ms of distance it still carries 5 MB/s.
WINDOW_BYTES = 256 * 1024
PACKET_BYTES = 32 * 1024

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LinkState:
    """One link that is up; ``peer`` is the host's address and port."""

    host_id: str
    since: datetime
    peer: str


@dataclass(slots=True, eq=False)
class Link:
    """A link with the means to end it."""

    state: LinkState
    connection: Connection
    socket: LocalSocket


class Hub:
    """Serves reverse links and keeps those that were dialled; all methods belong to the loop that called ``start``."""

    def __init__(
        self,
        *,
        socket_dir: Path,
        host_key: Path,
        listen: Sequence[tuple[str, int]],
        authorise: Authorise,
        on_up: OnUp,
        on_down: OnDown,
        keepalive_seconds: float = 4,
        keepalive_count: int = 3,
        connections_per_address: int = 30,
        login_seconds: float = 15,
    ) -> None:
        """``authorise(username, fingerprint)`` names the host a key ("SHA256:...") belongs to, or None.

        ``on_up`` and ``on_down`` of one host are called one after the other, in order. A silent host is
        given up after ``keepalive_seconds * (keepalive_count + 1)``. ``connections_per_address`` caps
        those not signed in.
        """
        self._socket_dir = socket_dir
        self._host_key = host_key
        self._listen = listen
        self._on_up, self._on_down = on_up, on_down
        self._settings: dict[str, Any] = {
            "keepalive_interval": keepalive_seconds,
            "keepalive_count_max": keepalive_count,
            "login_timeout": login_seconds,
        }
        self.authorise = authorise
        self.strangers = Strangers(connections_per_address)
        self.gates: set[Gate] = set()
        self.waiting: dict[str, Gate] = {}
        self._links: dict[str, Link] = {}
        self._acceptors: list[asyncssh.SSHAcceptor] = []
        self._announcements: dict[str, asyncio.Task[None]] = {}
        self._opened = 0

    async def start(self) -> None:
        """Listen; PlatformError when the host key is unusable or an address is taken."""
        flow_control.check()
        prepare_directory(self._socket_dir)
        options = asyncssh.SSHServerConnectionOptions(
            server_factory=lambda: Gate(self),
            server_host_keys=[load_host_key(self._host_key)],
            server_version="PlatformManager",
            config=None,
            encryption_algs=CIPHERS,
            compression_algs=None,
            password_auth=False,
            kbdint_auth=False,
            host_based_auth=False,
            gss_host=None,
            allow_pty=False,
            allow_scp=False,
            agent_forwarding=False,
            x11_forwarding=False,
            **self._settings,
        )
        for host, port in self._listen:
            try:
                self._acceptors.append(await asyncssh.listen(host, port, options=options, backlog=512))
            except OSError as error:
                raise cannot_listen(f"{host}:{port}", error, "PM_HUB_LISTEN (make demo: HUB_PORT)") from None

    async def stop(self) -> None:
        """Close all links and wait until that is announced."""
        for acceptor in self._acceptors:
            acceptor.close()
        for link in list(self._links.values()):
            self._down(link, "the platform's hub was stopped")
        connections = [gate.connection for gate in self.gates if gate.connection]
        for connection in connections:
            connection.abort()
        for connection in connections:
            await connection.wait_closed()
        self._acceptors.clear()
        while self._announcements:
            await asyncio.wait(self._announcements.values())

    def addresses(self) -> list[tuple[str, int]]:
        """Where the hub listens, with the real port where 0 was asked for."""
        return [address[:2] for acceptor in self._acceptors for address in acceptor.get_addresses()]

    def socket_path(self, host_id: str) -> Path:
        """Where a host's engine answers while its link is up."""
        path = self._socket_dir / f"{host_id}.sock"
        if not HOST_ID.fullmatch(host_id) or len(os.fsencode(path)) > SOCKET_PATH_BYTES:
            raise PlatformError(
                f"{str(path)!r} can't be a socket: choose a host id of letters, digits, - and _ "
                f"and a socket directory short enough for {SOCKET_PATH_BYTES} bytes."
            )
        return path

    def links(self) -> list[LinkState]:
        """All links that are up."""
        return [link.state for link in list(self._links.values())]

    async def drop(self, host_id: str) -> None:
        """Cut a host's link, when it has one; returns when that was announced. The host may dial again."""
        if link := self._links.get(host_id):
            self._down(link, "the platform closed it")
        if announcement := self._announcements.get(host_id):
            await asyncio.wait([announcement])

    def host_key_line(self) -> str:
        """The public host key as known_hosts wants it after the address."""
        return " ".join(load_host_key(self._host_key).export_public_key().decode().split()[:2])

    def open_link(self, gate: "Gate", requested_path: str) -> Link | None:
        """Give a signed-in host its socket; ``requested_path`` only labels the channels back to it."""
        connection = gate.connection
        if not connection or not gate.host_id:
            return None

        async def open_channel(side: EngineSide) -> object:
            return await new_channel(connection).accept(lambda: side, requested_path)

        return self.attach(gate.host_id, connection, open_channel)

    def attach(self, host_id: str, connection: Connection, open_channel: OpenChannel) -> Link:
        """Give a host its socket, whose connections go through ``open_channel``; an older link ends."""
        path = self.socket_path(host_id)
        self._opened += 1
        fresh = self._socket_dir / f".{self._opened}"
        local = LocalSocket(fresh, open_channel)
        if older := self._links.get(host_id):
            self._down(older, "a newer link of the same host took over")
        fresh.rename(path)
        peer = "{}:{}".format(*connection.get_extra_info("peername")[:2])
        link = Link(LinkState(host_id, datetime.now(UTC), peer), connection, local)
        self._links[host_id] = link
        self._announce(host_id, self._on_up(host_id))
        return link

    def close_link(self, link: Link, reason: str) -> None:
        """The connection of ``link`` is gone."""
        self._down(link, reason)

    def _down(self, link: Link, reason: str) -> None:
        host_id = link.state.host_id
        if self._links.get(host_id) is not link:
            return
        del self._links[host_id]
        self.socket_path(host_id).unlink(missing_ok=True)
        link.socket.close()
        link.connection.abort()
        self._announce(host_id, self._gone(link, reason))

    async def _gone(self, link: Link, reason: str) -> None:
        await link.socket.wait_closed()
        await self._on_down(link.state.host_id, reason)

    def _announce(self, host_id: str, call: Awaitable[None]) -> None:
        before = self._announcements.get(host_id)

        async def in_order() -> None:
            if before:
                await asyncio.wait([before])
            await call

        task = asyncio.get_running_loop().create_task(in_order())
        self._announcements[host_id] = task
        task.add_done_callback(log_failure)
        task.add_done_callback(lambda done: self._announced(host_id, done))

    def _announced(self, host_id: str, done: asyncio.Task[None]) -> None:
        if self._announcements.get(host_id) is done:
            del self._announcements[host_id]


class Strangers:
    """How many connections that have not signed in yet may be open, from one address and in all."""

    def __init__(self, per_address: int) -> None:
        self._per_address = per_address
        self._open: Counter[str] = Counter()

    def admit(self, address: str) -> bool:
        """Count one in, unless there are too many."""
        if self._open[address] >= self._per_address or self._open.total() >= STRANGERS:
            return False
        self._open[address] += 1
        return True

    def leave(self, address: str) -> None:
        """Count one out: signed in, or gone."""
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]


class Gate(asyncssh.SSHServer):
    """One connection: public key sign-in, then one forward. asyncssh's base class refuses all the rest."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._link: Link | None = None
        self._asked = False
        self._stranger = ""
        self._deadline: asyncio.TimerHandle | None = None
        self.connection: asyncssh.SSHServerConnection | None = None
        self.host_id = ""

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        address = str(conn.get_extra_info("peername")[0])
        if not self._hub.strangers.admit(address):
            conn.abort()
            return
        self._stranger = address
        self.connection = conn
        self._hub.gates.add(self)

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        self.host_id = ""
        lookup = asyncio.ensure_future(self._hub.authorise(username, key.get_fingerprint()))
        lookup.add_done_callback(log_failure)
        self.host_id = await lookup or ""
        return bool(self.host_id)

    def auth_completed(self) -> None:
        self._signed_in_or_gone()
        if older := self._hub.waiting.get(self.host_id):
            older.abort()
        self._hub.waiting[self.host_id] = self
        self._deadline = asyncio.get_running_loop().call_later(FORWARD_SECONDS, self.abort)

    def unix_server_requested(self, listen_path: str) -> Any:
        if self._asked or len(listen_path) > SOCKET_PATH_BYTES:
            return False
        self._asked = True
        return self._forward(listen_path)

    async def _forward(self, listen_path: str) -> asyncssh.SSHListener | bool:
        self._stop_waiting()
        try:
            self._link = self._hub.open_link(self, listen_path)
        except (PlatformError, OSError) as error:
            logger.error("The link of host %s can't get its socket: %s", self.host_id, error)
        return Forward(self.abort) if self._link else False

    def connection_lost(self, exc: Exception | None) -> None:
        self.connection = None
        self._hub.gates.discard(self)
        self._signed_in_or_gone()
        self._stop_waiting()
        if self._link:
            self._hub.close_link(self._link, f"the link was cut ({exc})" if exc else "the host closed it")

    def _signed_in_or_gone(self) -> None:
        if self._stranger:
            self._hub.strangers.leave(self._stranger)
            self._stranger = ""

    def _stop_waiting(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None
        if self._hub.waiting.get(self.host_id) is self:
            del self._hub.waiting[self.host_id]

    def abort(self) -> None:
        """End this connection."""
        if self.connection:
            self.connection.abort()


class Forward(asyncssh.SSHListener):
    """The forward as asyncssh sees it; a host that cancels it ends its link."""

    def __init__(self, end: Callable[[], None]) -> None:
        super().__init__()
        self._end = end

    def close(self) -> None:
        self._end()


def new_channel(connection: Connection) -> BoundedChannel:
    """A channel to an engine, not open yet."""
    return BoundedChannel(connection, asyncio.get_running_loop(), None, "strict", WINDOW_BYTES, PACKET_BYTES)


def prepare_directory(directory: Path) -> None:
    """A directory only we can enter, without sockets of an earlier run."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    for stale in directory.iterdir():
        if stale.is_socket():
            stale.unlink()


def load_host_key(path: Path) -> asyncssh.SSHKey:
    """The hub's private key, made when missing."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(asyncssh.generate_private_key("ssh-ed25519").export_private_key())
        # Linked, not renamed: of several that want it at once, processes or threads, all use the first one's key.
        with suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    try:
        return asyncssh.read_private_key(path)
    except (OSError, asyncssh.KeyImportError) as error:
        raise PlatformError(f"The hub's host key {path} can't be read ({error}): mend or remove it.") from None


def log_failure(done: "asyncio.Future[Any]") -> None:
    """Callbacks are not ours: what they raise is logged, and the link goes on."""
    if not done.cancelled() and (error := done.exception()):
        logger.error("A callback of the hub failed", exc_info=error)
