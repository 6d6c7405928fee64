"""A platform to join (HTTP) and a hub to link to (SSH), both small and real, on the engine's own bridge."""

import asyncio
import json
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
from aiohttp import web

from platform_manager.clouds.base import BootstrapSpec
from platform_manager.engines.client import EngineClient, EngineError

ENGINE = Path("/var/run/docker.sock")
SCRIPTS = Path(__file__).parents[2] / "scripts"


async def until(condition: Callable[[], Awaitable[Any]], seconds: float, what: str) -> Any:
    deadline = time.monotonic() + seconds
    while True:
        if result := await condition():
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        await asyncio.sleep(0.05)


class Door(asyncssh.SSHServer):
    """Lets a host in with the key it enrolled, and gives it one socket of its own."""

    def __init__(self, platform: "FakePlatform") -> None:
        self.platform = platform

    def begin_auth(self, username: str) -> bool:
        self.username = username
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        facts = self.platform.facts.get(username)
        return facts is not None and asyncssh.import_public_key(facts["public_key"]) == key

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self.conn = conn
        self.platform.connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self.platform.connections.discard(self.conn)

    def unix_server_requested(self, listen_path: str) -> Any:
        self.platform.requested.append(listen_path)
        self.platform.links += 1
        return self._listen()

    async def _listen(self) -> asyncssh.SSHListener:
        path = self.platform.socket(self.username)
        path.unlink(missing_ok=True)
        return await self.conn.forward_local_path(str(path), "/run/platform-manager/engine.sock")


@dataclass
class FakePlatform:
    directory: Path
    address: str
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    requested: list[str] = field(default_factory=list)
    connections: set[asyncssh.SSHServerConnection] = field(default_factory=set)
    links: int = 0
    joins: int = 0
    refusal: tuple[int, str] | None = None
    http_port: int = 0
    ssh_port: int = 0
    host_key: str = ""

    def socket(self, host_id: str) -> Path:
        return self.directory / f"{host_id}.sock"

    async def join(self, request: web.Request) -> web.Response:
        self.joins += 1
        if self.refusal:
            return web.Response(status=self.refusal[0], text=self.refusal[1])
        self.facts[request.match_info["token"]] = await request.json()
        return web.json_response({})

    def bootstrap(self, host_id: str, **changes: Any) -> BootstrapSpec:
        """The token is the host id here."""
        values: dict[str, Any] = {
            "join_url": f"http://{self.address}:{self.http_port}/join/{host_id}",
            "hub_host": self.address,
            "hub_port": self.ssh_port,
            "hub_host_key": self.host_key,
            "host_id": host_id,
            "token": host_id,
            "mtu": None,
        }
        return BootstrapSpec(**{**values, **changes})

    async def engine_version(self, host_id: str) -> str:
        """The nested engine's version through the link, "" while it does not answer."""
        try:
            async with EngineClient(self.socket(host_id)) as engine:
                return str((await engine.get("/version"))["Version"])
        except EngineError:
            return ""


def docker(*arguments: str) -> str:
    """The Docker CLI's output on this machine's engine."""
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout.strip()


def engine_json(*arguments: str) -> Any:
    return json.loads(docker(*arguments))
