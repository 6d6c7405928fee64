"""A small platform to join (HTTP) and the real hub to link to (SSH), on the engine's own bridge."""

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
from platform_manager.engines.links import Hub

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


@dataclass
class FakePlatform:
    """Lets a host in with the key it enrolled; the links are those of the real hub."""

    directory: Path
    address: str
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    links: int = 0
    joins: int = 0
    refusal: tuple[int, str] | None = None
    http_port: int = 0

    def __post_init__(self) -> None:
        self.hub = Hub(
            socket_dir=self.directory / "links",
            host_key=self.directory / "host_key",
            listen=[(self.address, 0)],
            authorise=self._authorise,
            on_up=self._up,
            on_down=self._down,
        )

    def socket(self, host_id: str) -> Path:
        return self.hub.socket_path(host_id)

    async def _authorise(self, username: str, fingerprint: str) -> str | None:
        facts = self.facts.get(username)
        known = facts is not None and asyncssh.import_public_key(facts["public_key"]).get_fingerprint() == fingerprint
        return username if known else None

    async def _up(self, host_id: str) -> None:
        self.links += 1

    async def _down(self, host_id: str, reason: str) -> None:
        pass

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
            "hub_port": self.hub.addresses()[0][1],
            "hub_host_key": self.hub.host_key_line(),
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
