"""Hosts as servers of an OpenStack project."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from platform_manager.clouds.base import Machine, MachineSpec, MachineState
from platform_manager.clouds.bootstrap import render
from platform_manager.errors import ProviderError, UserError

from .connection import Cloud
from .marks import Mark
from .networking import Networking, rules
from .servers import Server, ServerOrder, Servers

BUILD_SECONDS = 600
STATES = {"BUILD": MachineState.BUILDING, "ACTIVE": MachineState.RUNNING, "DELETED": MachineState.GONE}


class OpenStackDriver:
    """A ``Driver`` for one account; ``installation`` keeps two platforms in one project apart.

    A machine's options: ``flavor``, ``image`` and ``network`` (ids, needed), ``security_groups``, ``zone``,
    ``key_pair``, ``volume_gib`` (boot volume), ``floating_pool`` (a floating IP out of it).
    """

    name = "openstack"

    def __init__(self, cloud: Cloud, installation: str) -> None:
        self._cloud = cloud
        self._installation = installation
        self._servers = Servers(cloud)
        self._networking = Networking(cloud)
        self._group_locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def find(self, host_id: str) -> Machine | None:
        server = await self._find(host_id)
        return _machine(server) if server else None

    async def create(self, spec: MachineSpec) -> Machine:
        """Returns once the server runs. One that failed to build is removed and made anew by the next call."""
        server = await self._find(spec.host_id)
        if server is not None and server.status == "ERROR":
            await self._servers.delete([server.id])
            server = None
        server_id = server.id if server else await self._servers.create(await self._order(spec))
        if server is None or server.status == "BUILD":
            server = await self._settled(server_id)
        if server.status == "SHUTOFF":
            await self._servers.start(server.id)
            server = await self._settled(server.id)
        address = await self._floating_ip(spec, server.id)
        return _machine(server, extra=address)

    async def start(self, host_id: str) -> None:
        server = await self._find(host_id)
        if server is None:
            raise ProviderError(
                "The server is gone from the cloud: remove the host, then add a new one.", retryable=False
            )
        if server.status == "SHUTOFF":
            await self._servers.start(server.id)

    async def destroy(self, host_id: str) -> None:
        """The server, its floating IP; volumes made for it go with it."""
        servers = [server for server in await self._mine() if server.mark and server.mark.host == host_id]
        await self._servers.delete([server.id for server in servers])
        await self._networking.release(self._installation, host_id)

    async def destroy_environment(self, environment_id: str) -> None:
        servers = [
            server.id for server in await self._mine() if server.mark and server.mark.environment == environment_id
        ]
        await self._servers.delete(servers)
        await self._networking.delete_group(Mark(self._installation, environment_id))

    async def list_machines(self, environment_id: str | None = None) -> list[Machine]:
        mine = await self._mine()
        return [_machine(one) for one in mine if one.mark and environment_id in (None, one.mark.environment)]

    async def console(self, host_id: str, lines: int = 200) -> str:
        server = await self._find(host_id)
        text = await self._servers.console(server.id, lines) if server else ""
        return text.replace("\0", "\ufffd")

    async def _mine(self) -> list[Server]:
        return [one for one in await self._servers.now() if one.mark and one.mark.installation == self._installation]

    async def _find(self, host_id: str) -> Server | None:
        found = [one for one in await self._mine() if one.mark and one.mark.host == host_id]
        # Of two, which takes a lost answer to a request that was done, the one that works counts.
        found.sort(key=lambda one: (one.status == "ERROR", one.created_at))
        return found[0] if found else None

    async def _settled(self, server_id: str) -> Server:
        return await self._servers.settled(server_id, BUILD_SECONDS)

    def _mark(self, spec: MachineSpec, *, of_host: bool = True) -> Mark:
        return Mark(self._installation, spec.environment_id, spec.host_id if of_host else "", spec.operation_id)

    async def _order(self, spec: MachineSpec) -> ServerOrder:
        options = spec.options
        async with self._group_locks[spec.environment_id]:
            group = await self._networking.group(
                self._mark(spec, of_host=False), f"platform-manager-{spec.environment_id}", rules()
            )
        return ServerOrder(
            name=spec.name,
            flavor=_needed(options, "flavor"),
            image=_needed(options, "image"),
            networks=[_needed(options, "network")],
            security_groups=[group, *_words(options.get("security_groups"))],
            user_data=render(spec.bootstrap),
            mark=self._mark(spec),
            zone=str(options.get("zone") or ""),
            key_pair=str(options.get("key_pair") or ""),
            volume_gib=int(str(options.get("volume_gib") or 0)),
        )

    async def _floating_ip(self, spec: MachineSpec, server_id: str) -> str:
        pool = str(spec.options.get("floating_pool") or "")
        return await self._networking.floating_ip(self._mark(spec), pool, server_id) if pool else ""


def _needed(options: Mapping[str, object], name: str) -> str:
    value = str(options.get(name) or "")
    if not value:
        raise UserError(f"Choose a {name}.", name)
    return value


def _words(value: object) -> Sequence[str]:
    return [str(word) for word in value] if isinstance(value, list | tuple) else []


def _machine(server: Server, *, extra: str = "") -> Machine:
    addresses: Any = [*server.addresses, *([extra] if extra and extra not in server.addresses else [])]
    state = STATES.get(server.status, MachineState.STOPPED)
    return Machine(server.mark.host if server.mark else "", server.id, tuple(addresses), state)
