"""Direct links: the platform dials hosts that can't reach it, and keeps each link up.

The host's SSH server lets the platform's key in as one user, who may open the engine's socket and run one command,
which tells the machine's facts. The server's key is pinned; where none is known yet, the first one shown is told.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace

import asyncssh

from platform_manager.engines.bridge import EngineSide
from platform_manager.engines.links import CIPHERS, Hub, log_failure, new_channel

USER = "platform-manager"
ENGINE_SOCKET = "/var/run/docker.sock"
CONNECT_SECONDS = 10
MOST_FACTS_BYTES = 64 * 1024
FIRST_PAUSE_SECONDS, LAST_PAUSE_SECONDS = 1.0, 20.0

# The host's id, its facts as it tells them, and the line of its server's key.
OnFacts = Callable[[str, str, str], Awaitable[None]]
# The host's id, and why it could not be dialled.
OnFailure = Callable[[str, str], Awaitable[None]]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Target:
    """A host to dial at the first of its addresses that answers.

    ``private_key`` as OpenSSH writes it. ``host_key`` is the line of its server's key, "" where none is known: then
    any counts, and what it is gets told.
    """

    host_id: str
    addresses: tuple[str, ...]
    private_key: str = field(repr=False)
    host_key: str = ""
    port: int = 22


class Dialler:
    """Keeps a link to each of its targets; all methods belong to the hub's event loop."""

    def __init__(
        self,
        hub: Hub,
        *,
        on_facts: OnFacts,
        on_failure: OnFailure,
        engine_socket: str = ENGINE_SOCKET,
        user: str = USER,
        pause_seconds: float = FIRST_PAUSE_SECONDS,
        connect_seconds: float = CONNECT_SECONDS,
        keepalive_seconds: float = 4,
        keepalive_count: int = 3,
    ) -> None:
        self._hub = hub
        self._on_facts, self._on_failure = on_facts, on_failure
        self._engine_socket, self._user = engine_socket, user
        self._pause, self._connect_seconds = pause_seconds, connect_seconds
        self._keepalive = {"keepalive_interval": keepalive_seconds, "keepalive_count_max": keepalive_count}
        self._targets: dict[str, Target] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        # By host, the address at which it is connected to.
        self._at: dict[str, str] = {}

    async def keep(self, targets: Iterable[Target]) -> None:
        """Dial those that are new, go on with those that are the same, hang up on all others."""
        wanted = {target.host_id: target for target in targets}
        await self._hang_up(
            [host_id for host_id, target in self._targets.items() if self._elsewhere(target, wanted.get(host_id))]
        )
        self._targets = wanted
        for host_id in wanted.keys() - self._tasks.keys():
            task = self._tasks[host_id] = asyncio.create_task(self._keep_up(host_id), name=f"dial {host_id}")
            task.add_done_callback(log_failure)

    def _elsewhere(self, before: Target, now: Target | None) -> bool:
        """Whether a link to the one is none to the other. A key that was any and is known now is the one it showed.

        Who is connected to stays while that address is one of the host's, whatever became of the others.
        """
        if now is None:
            return True
        stays = self._at.get(before.host_id) in now.addresses
        addresses = now.addresses if stays else before.addresses
        return replace(before, addresses=addresses, host_key=before.host_key or now.host_key) != now

    async def stop(self) -> None:
        await self._hang_up(list(self._tasks))

    async def _hang_up(self, host_ids: Iterable[str]) -> None:
        tasks = [self._tasks.pop(host_id) for host_id in host_ids if host_id in self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_up(self, host_id: str) -> None:
        pause = self._pause
        while True:
            linked = False
            try:
                linked = await self._tried(host_id)
            except Exception:
                # Of a task that ends nobody hears: the host would not be dialled until the hub starts again.
                logger.exception("dialling host %s failed, trying again", host_id)
            pause = self._pause if linked else min(pause * 2, LAST_PAUSE_SECONDS)
            # Hosts of a cloud that came back shall not all be dialled in the same moment.
            await asyncio.sleep(pause * random.uniform(0.7, 1.3))  # noqa: S311 - no secret

    async def _tried(self, host_id: str) -> bool:
        """Whether there was a link; why there was none is told."""
        reason = await self._dial(self._targets[host_id])
        if reason:
            await self._on_failure(host_id, reason)
        return not reason

    async def _dial(self, target: Target) -> str:
        """One link, from its beginning to its end; why there was none, "" where there was."""
        reason = "it has no address yet"
        for address in target.addresses:
            try:
                async with asyncio.timeout(self._connect_seconds):
                    connection = await self._connect(target, address)
            except (asyncssh.Error, OSError, TimeoutError) as error:
                reason = f"{address}: {self._reason(error)}"
                continue
            self._at[target.host_id] = address
            try:
                async with connection:
                    return await self._hold(target, connection)
            finally:
                del self._at[target.host_id]
        return reason

    async def _connect(self, target: Target, address: str) -> asyncssh.SSHClientConnection:
        key = asyncssh.import_private_key(target.private_key)
        trusted = [asyncssh.import_public_key(target.host_key)] if target.host_key else []
        return await asyncssh.connect(
            address,
            target.port,
            config=None,
            username=self._user,
            client_keys=[key],
            agent_path=None,
            known_hosts=(trusted, [], []) if trusted else None,
            preferred_auth="publickey",
            encryption_algs=CIPHERS,
            compression_algs=None,
            client_version="PlatformManager",
            **self._keepalive,
        )

    async def _hold(self, target: Target, connection: asyncssh.SSHClientConnection) -> str:
        try:
            async with asyncio.timeout(self._connect_seconds):
                facts = await _facts(connection)
        except (asyncssh.Error, OSError, TimeoutError) as error:
            return f"it does not tell what it is: {self._reason(error)}"
        shown = _host_key(connection)
        await self._on_facts(target.host_id, facts, shown)
        # Others of its addresses may be known by now.
        self._targets[target.host_id] = replace(self._targets[target.host_id], host_key=shown)

        async def open_channel(side: EngineSide) -> object:
            return await new_channel(connection).connect(lambda: side, self._engine_socket)

        link = self._hub.attach(target.host_id, connection, open_channel)
        try:
            await connection.wait_closed()
        finally:
            self._hub.close_link(link, "the link was cut")
        return ""

    def _reason(self, error: Exception) -> str:
        """For people; a machine's own words are cut short."""
        if isinstance(error, TimeoutError):
            return f"no answer within {self._connect_seconds:g} s"
        if isinstance(error, asyncssh.HostKeyNotVerifiable):
            return "its SSH server has another key than this machine had"
        if isinstance(error, asyncssh.PermissionDenied):
            return "it does not let the platform's key in (yet)"
        told = (str(error) or type(error).__name__)[:200]
        # One line of a log, and text that every database stores.
        return "".join(letter if letter.isprintable() else "\ufffd" for letter in told)


async def _facts(connection: asyncssh.SSHClientConnection) -> str:
    """What the forced command says. A session also makes sshd send small packets at once, which engines need."""
    said = ""
    async with connection.create_process("facts", stdin=asyncssh.DEVNULL, stderr=asyncssh.DEVNULL) as process:
        while len(said) < MOST_FACTS_BYTES and (more := await process.stdout.read(MOST_FACTS_BYTES)):
            said += str(more)
    return said[:MOST_FACTS_BYTES]


def _host_key(connection: asyncssh.SSHClientConnection) -> str:
    key = connection.get_server_host_key()
    return " ".join(key.export_public_key().decode().split()[:2]) if key else ""


def new_key_pair(comment: str) -> tuple[str, str]:
    """A private key, as OpenSSH writes it, and the line of its public one."""
    key = asyncssh.generate_private_key("ssh-ed25519", comment)
    return key.export_private_key().decode(), key.export_public_key().decode().strip()
