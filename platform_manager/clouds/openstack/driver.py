"""Hosts as servers of an OpenStack project."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from platform_manager.clouds.base import Machine, MachineSpec, MachineState
from platform_manager.clouds.bootstrap import render
from platform_manager.errors import ProviderError, UserError

from .connection import Cloud
from .groups import Group, Openings, published
from .marks import Mark
from .networking import Networking
from .parts import Parts
from .servers import Server, ServerOrder, Servers

BUILD_SECONDS = 600
STATES = {"BUILD": MachineState.BUILDING, "ACTIVE": MachineState.RUNNING}


class OpenStackDriver:
    """A ``Driver`` for one account; ``installation`` keeps two platforms in one project apart.

    A machine's options: ``flavor``, ``image`` and ``network`` (ids, needed), ``security_groups``, ``zone``,
    ``key_pair`` (one of the user's own) or ``public_key`` (where there is none of the user's own, a key pair of the
    environment's is made of it), ``volume_gib`` (boot volume), ``floating_pool`` (a floating IP out of it),
    ``ssh_from`` (a network in CIDR form that may reach SSH, for direct links, or "" for none), ``open_ports`` (all that
    the environment lets in, a list of protocol, port and source each). Without these two what is open stays open.
    """

    name = "openstack"

    def __init__(self, cloud: Cloud, installation: str) -> None:
        self._cloud = cloud
        self._installation = installation
        self._servers = Servers(cloud)
        self._networking = Networking(cloud)
        self._parts = Parts(cloud)

    async def find(self, host_id: str) -> Machine | None:
        server = await self._find(host_id)
        return _machine(server) if server else None

    async def create(self, spec: MachineSpec) -> Machine:
        """Returns once the server runs. One that failed to build is removed and made anew by the next call."""
        server = await self._usable(spec.host_id)
        server_id = server.id if server else await self._servers.create(await self._order(spec))
        if server is None or server.status == "BUILD":
            server = await self._settled(server_id)
        if server.status == "SHUTOFF":
            await self._servers.start(server.id)
            server = await self._settled(server.id)
        return _machine(server, extra=await self._equip(spec, server))

    async def start(self, host_id: str) -> None:
        server = await self._find(host_id)
        if server is None:
            raise ProviderError(
                "The server is gone from the cloud: remove the host, then add a new one.", retryable=False
            )
        if server.status == "SHUTOFF":
            await self._servers.start(server.id)

    async def destroy(self, host_id: str) -> None:
        """The server, then its floating IP; a volume made for it goes with it."""
        await self._servers.delete([server.id for server in await self._of_host(host_id)])
        await self._networking.release(self._installation, host=host_id)

    async def destroy_environment(self, environment_id: str) -> None:
        """Its servers if there are any, then what they used."""
        mark = Mark(self._installation, environment_id)
        mine = await self._mine()
        await self._servers.delete([one.id for one in mine if one.mark and one.mark.environment == environment_id])
        await self._networking.release(self._installation, environment=environment_id)
        await self._networking.delete_group(mark)
        await self._networking.delete_key_pair(mark)

    async def open_ports(
        self, environment_id: str, operation_id: str, ports: Sequence[Sequence[object]], *, ssh_from: str | None = None
    ) -> Group | None:
        """Puts the environment's group right, as ``create`` does; None where it has none, so has no machine yet.

        ``ports`` and ``ssh_from`` are as the machines' options ``open_ports`` and ``ssh_from``.
        """
        mark = Mark(self._installation, environment_id, operation=operation_id)
        return await self._networking.group(mark, Openings(ssh_from, published(ports)))

    async def list_machines(self, environment_id: str | None = None) -> list[Machine]:
        mine = await self._mine()
        return [_machine(one) for one in mine if one.mark and environment_id in (None, one.mark.environment)]

    async def console(self, host_id: str, lines: int = 200) -> str:
        server = await self._find(host_id)
        text = await self._servers.console(server.id, lines) if server else ""
        return text.replace("\0", "\ufffd")

    async def _mine(self) -> list[Server]:
        return [one for one in await self._servers.now() if one.mark and one.mark.installation == self._installation]

    async def _of_host(self, host_id: str) -> list[Server]:
        """More than one takes a lost answer to a request that was done; the one that works best comes first."""
        found = [one for one in await self._mine() if one.mark and one.mark.host == host_id]
        return sorted(found, key=lambda one: (one.going, one.status == "ERROR", one.created_at, one.id))

    async def _find(self, host_id: str) -> Server | None:
        return next((one for one in await self._of_host(host_id) if not one.going), None)

    async def _usable(self, host_id: str) -> Server | None:
        """The host's server, unless it failed; all others of the host are removed."""
        found = await self._of_host(host_id)
        best = found[0] if found and not found[0].going and found[0].status != "ERROR" else None
        await self._servers.delete([one.id for one in found if one is not best])
        return best

    async def _settled(self, server_id: str) -> Server:
        return await self._servers.settled(server_id, BUILD_SECONDS)

    async def _order(self, spec: MachineSpec) -> ServerOrder:
        options = spec.options
        flavor, image, network = (_needed(options, name) for name in ("flavor", "image", "network"))
        user_data = render(spec.bootstrap)
        group, key_pair = await asyncio.gather(self._group(spec), self._key_pair(spec))
        return ServerOrder(
            name=spec.name,
            flavor=flavor,
            image=image,
            networks=[network],
            security_groups=[group, *_words(options.get("security_groups"))],
            user_data=user_data,
            mark=self._mark(spec),
            zone=_word(options, "zone"),
            key_pair=key_pair,
            volume_gib=int(_word(options, "volume_gib") or 0),
        )

    async def _group(self, spec: MachineSpec) -> str:
        ssh_from = _word(spec.options, "ssh_from") if spec.options.get("ssh_from") is not None else None
        openings = Openings(ssh_from, published(spec.options.get("open_ports")))
        mark = self._shared_mark(spec)
        group = await self._networking.group(mark, openings, name=mark.group_name())
        return group.id if group else ""

    async def _key_pair(self, spec: MachineSpec) -> str:
        own, public_key = _word(spec.options, "key_pair"), _word(spec.options, "public_key")
        if own or not public_key:
            return own
        return await self._networking.key_pair(self._shared_mark(spec), public_key)

    def _mark(self, spec: MachineSpec) -> Mark:
        return Mark(self._installation, spec.environment_id, spec.host_id, spec.operation_id)

    def _shared_mark(self, spec: MachineSpec) -> Mark:
        """Of what all hosts of the environment share."""
        return Mark(self._installation, spec.environment_id, operation=spec.operation_id)

    async def _equip(self, spec: MachineSpec, server: Server) -> str:
        """Marks what came with the server; the address of its floating IP, where it shall have one."""
        network, pool = _word(spec.options, "network"), _word(spec.options, "floating_pool")
        address, *_ = await asyncio.gather(
            self._floating_ip(spec, server.id, network, pool),
            self._mark_ports(spec, server.id, network),
            self._parts.mark_volumes(self._mark(spec), server.volumes),
        )
        return address

    async def _floating_ip(self, spec: MachineSpec, server_id: str, network: str, pool: str) -> str:
        if not pool:
            return ""
        port = await self._parts.first_port(server_id, network)
        return await self._networking.floating_ip(self._mark(spec), pool, port.id)

    async def _mark_ports(self, spec: MachineSpec, server_id: str, network: str) -> None:
        await self._parts.mark_ports(self._mark(spec), await self._parts.ports(server_id, network))


def _word(options: Mapping[str, object], name: str) -> str:
    return str(options.get(name) or "")


def _needed(options: Mapping[str, object], name: str) -> str:
    if not (value := _word(options, name)):
        raise UserError(f"Choose {'an' if name[0] in 'aeiou' else 'a'} {name}.", name)
    return value


def _words(value: object) -> Sequence[str]:
    return [str(word) for word in value] if isinstance(value, list | tuple) else []


def _machine(server: Server, *, extra: str = "") -> Machine:
    addresses: Any = [*server.addresses, *([extra] if extra and extra not in server.addresses else [])]
    state = MachineState.GONE if server.going else STATES.get(server.status, MachineState.STOPPED)
    return Machine(server.mark.host if server.mark else "", server.id, tuple(addresses), state)
