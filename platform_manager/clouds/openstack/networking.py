"""What a host needs of the network service: the environment's security group, ports, floating IPs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from openstack.connection import Connection
from openstack.exceptions import ConflictException

from platform_manager.errors import ProviderError, UserError

from .connection import Cloud
from .marks import Mark
from .sharing import Shared

WAIT_SECONDS = 60
# What swarm nodes say to each other: control plane, gossip, overlay networks.
MEMBERS = (("tcp", 2377, 2377), ("tcp", 7946, 7946), ("udp", 7946, 7946), ("udp", 4789, 4789))
SSH = ("tcp", 22, 22)


@dataclass(frozen=True)
class Rule:
    """What is let in: from everywhere within ``source``, or, where that is "", from the group's own members."""

    protocol: str
    first: int
    last: int
    source: str = ""


def rules(*, ssh_from: str = "", published: Iterable[Rule] = ()) -> list[Rule]:
    """What the group of an environment lets in. ``ssh_from``: the platform's address where links are direct."""
    wanted = [Rule(*member) for member in MEMBERS]
    if ssh_from:
        wanted.append(Rule(*SSH, source=ssh_from))
    return [*wanted, *published]


class Networking:
    """Security groups, key pairs and floating IPs of environments and hosts."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._groups: Shared[str] = Shared()

    async def group(self, mark: Mark, name: str, wanted: Iterable[Rule]) -> str:
        """The id of the environment's security group, found or made, with these rules in any case."""
        asked = tuple(wanted)

        async def make() -> str:
            return await self._cloud.ask(lambda cloud: _group(cloud, mark, name, asked))

        # Hosts of one environment are made at once: without this each would make a group of its own.
        return await self._groups.same((mark.installation, mark.environment), make)

    async def key_pair(self, mark: Mark, public_key: str) -> str:
        """The name of the environment's key pair, found or made."""
        return await self._cloud.ask(lambda cloud: _key_pair(cloud, mark.name(), public_key))

    async def delete_key_pair(self, mark: Mark) -> None:
        await self._cloud.ask(lambda cloud: cloud.compute.delete_keypair(mark.name(), ignore_missing=True))

    async def delete_group(self, mark: Mark) -> None:
        """Waits for servers that still use it."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not await self._cloud.ask(lambda cloud: _deleted(cloud, mark)):
            if time.monotonic() > deadline:
                raise ProviderError("The environment's security group is still in use: servers outside it have it.")
            await asyncio.sleep(self._cloud.pause)

    async def floating_ip(self, mark: Mark, pool: str, server_id: str) -> str:
        """The address of the host's floating IP, found or allocated, at the server's port."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not (port := await self._cloud.ask(lambda cloud: _port(cloud, server_id))):
            # The port is made a moment after the server was accepted.
            if time.monotonic() > deadline:
                raise ProviderError("The cloud gave the server no port for a floating IP.")
            await asyncio.sleep(self._cloud.pause)
        return await self._cloud.ask(lambda cloud: _associated(cloud, mark, pool, port))

    async def release(self, installation: str, *, host: str = "", environment: str = "") -> None:
        """Releases the floating IPs of a host or of an environment, also when servers are gone already."""

        def belongs(mark: Mark | None) -> bool:
            if mark is None or mark.installation != installation:
                return False
            return mark.host == host if host else bool(environment) and mark.environment == environment

        await self._cloud.ask(lambda cloud: _release(cloud, belongs))

    async def mtu(self, network_id: str) -> int | None:
        """What Neutron says of the network."""
        found: Any = await self._cloud.ask(lambda cloud: cloud.network.get_network(network_id))
        return int(found.mtu) if found.mtu else None


def _marked(found: Iterable[Any], mark: Mark) -> list[Any]:
    """Those of the mark's installation, environment and host, the oldest first."""
    ours = [one for one in found if mark.same_place(Mark.of_description(one.description))]
    return sorted(ours, key=lambda one: (str(one.created_at), str(one.id)))


def _group(cloud: Connection, mark: Mark, name: str, wanted: Iterable[Rule]) -> str:
    found = _marked(cloud.network.security_groups(), mark)
    group: Any = found[0] if found else cloud.network.create_security_group(name=name, description=mark.description())
    there = {_rule(rule, str(group.id)) for rule in group.security_group_rules if rule["direction"] == "ingress"}
    for rule in wanted:
        if rule not in there:
            _let_in(cloud, str(group.id), rule)
    return str(group.id)


def _rule(found: Mapping[str, Any], group: str) -> Rule | None:
    """None for a rule unlike those that are made here, such as one that lets in another group's members."""
    first, last, source = found["port_range_min"], found["port_range_max"], found["remote_ip_prefix"]
    if first is None or last is None or not (source or found["remote_group_id"] == group):
        return None
    return Rule(str(found["protocol"]), first, last, source or "")


def _let_in(cloud: Connection, group: str, rule: Rule) -> None:
    source = {"remote_ip_prefix": rule.source} if rule.source else {"remote_group_id": group}
    try:
        cloud.network.create_security_group_rule(
            security_group_id=group,
            direction="ingress",
            ether_type="IPv4",
            protocol=rule.protocol,
            port_range_min=rule.first,
            port_range_max=rule.last,
            **source,
        )
    except ConflictException:
        return  # another host's step made the same rule meanwhile


def _key_pair(cloud: Connection, name: str, public_key: str) -> str:
    if all(found.name != name for found in cloud.compute.keypairs()):
        try:
            cloud.compute.create_keypair(name=name, public_key=public_key)
        except ConflictException:
            return name  # another host's step made it meanwhile
    return name


def _deleted(cloud: Connection, mark: Mark) -> bool:
    for group in _marked(cloud.network.security_groups(), mark):
        try:
            cloud.network.delete_security_group(group.id, ignore_missing=True)
        except ConflictException:
            return False
    return True


def _port(cloud: Connection, server_id: str) -> str:
    found = next(iter(cloud.network.ports(device_id=server_id)), None)
    return str(found.id) if found else ""


def _associated(cloud: Connection, mark: Mark, pool: str, port: str) -> str:
    mine = _marked(cloud.network.ips(), mark)
    there = next((one for one in mine if one.port_id == port), None)
    if there is not None:
        return str(there.floating_ip_address)
    found: Any = mine[0] if mine else _allocated(cloud, mark, pool)
    try:
        cloud.network.update_ip(found.id, port_id=port)
    except ConflictException:
        # Somebody gave the host one in the cloud's own console; ours is not needed.
        theirs = next((one for one in cloud.network.ips() if one.port_id == port), None)
        if theirs is None:
            raise
        cloud.network.delete_ip(found.id)
        return str(theirs.floating_ip_address)
    return str(found.floating_ip_address)


def _allocated(cloud: Connection, mark: Mark, pool: str) -> Any:
    network = next((one for one in cloud.network.networks(is_router_external=True) if pool in (one.id, one.name)), None)
    if network is None:
        raise UserError("The pool of floating IPs is gone: choose another one.", "floating_pool")
    return cloud.network.create_ip(floating_network_id=network.id, description=mark.description())


def _release(cloud: Connection, belongs: Callable[[Mark | None], bool]) -> None:
    for found in cloud.network.ips():
        if belongs(Mark.of_description(found.description)):
            cloud.network.delete_ip(found.id, ignore_missing=True)
