"""What a cloud makes along with a server, its ports and its boot volume, and how it gets the server's mark."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any

from openstack.connection import Connection

from platform_manager.errors import ProviderError, UserError

from .connection import Cloud
from .marks import Mark
from .sharing import Shared

WAIT_SECONDS = 60


@dataclass(frozen=True)
class Port:
    id: str
    server: str
    network: str
    description: str


class Parts:
    """Ports and volumes of servers. Hosts that are made at once share one list of each."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._ports: Shared[list[Port]] = Shared()
        self._volumes: Shared[dict[str, Mark | None]] = Shared()

    async def ports(self, server_id: str, network: str) -> list[Port]:
        """The server's ports in the network as they are now."""
        found = await self._ports.fresh("now", lambda: self._cloud.ask(_ports))
        return [one for one in found if (one.server, one.network) == (server_id, network)]

    async def first_port(self, server_id: str, network: str) -> Port:
        """Waits for it: a port is there a moment after its server was accepted."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not (found := await self.ports(server_id, network)):
            if time.monotonic() > deadline:
                raise ProviderError("The cloud gave the server no port for a floating IP.")
            await asyncio.sleep(self._cloud.pause)
        return found[0]

    async def mark_ports(self, mark: Mark, ports: Sequence[Port]) -> None:
        """Those that describe themselves already are left as they are."""
        bare = [one.id for one in ports if not one.description]
        await asyncio.gather(*(_unless_refused(self._describe(port, mark)) for port in bare))

    async def _describe(self, port_id: str, mark: Mark) -> None:
        await self._cloud.ask(lambda cloud: cloud.network.update_port(port_id, description=mark.description()))

    async def mark_volumes(self, mark: Mark, volume_ids: Sequence[str]) -> None:
        if volume_ids and "volume" in await self._cloud.services():
            await _unless_refused(self._mark_volumes(mark, volume_ids))

    async def _mark_volumes(self, mark: Mark, volume_ids: Sequence[str]) -> None:
        marks = await self._volumes.fresh("now", lambda: self._cloud.ask(_volumes))
        for volume_id in volume_ids:
            if marks.get(volume_id) is None:
                await self._cloud.ask(_marking(volume_id, mark))


async def _unless_refused(call: Awaitable[None]) -> None:
    """A cloud that does not allow it, or where the thing is gone, costs the mark and not the host."""
    try:
        await call
    except UserError:
        return
    except ProviderError as error:
        if error.retryable:
            raise


def _ports(cloud: Connection) -> list[Port]:
    # An administrator sees all projects' ports; of each only what is read here has to be sent.
    wanted = ["id", "device_id", "network_id", "description"]
    found: Any = cloud.network.ports(project_id=cloud.current_project_id, fields=wanted)
    return [Port(str(one.id), str(one.device_id), str(one.network_id), one.description or "") for one in found]


def _volumes(cloud: Connection) -> dict[str, Mark | None]:
    return {str(one.id): Mark.of_metadata(one.metadata) for one in cloud.block_storage.volumes(details=True)}


def _marking(volume_id: str, mark: Mark) -> Any:
    return lambda cloud: cloud.block_storage.set_volume_metadata(volume_id, **mark.metadata())
