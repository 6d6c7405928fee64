"""What a host needs of the network service: the environment's security group, ports, floating IPs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from openstack.connection import Connection
from openstack.exceptions import ConflictException, NotFoundException

from platform_manager.errors import ProviderError, UserError

from .connection import Cloud
from .marks import Mark

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
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    async def group(self, mark: Mark, name: str, wanted: Iterable[Rule]) -> str:
        """The id of the environment's security group, found or made, with these rules in any case."""
        return await self._cloud.ask(lambda cloud: _group(cloud, mark, name, list(wanted)))

    async def delete_group(self, mark: Mark) -> None:
        """Waits for servers that still use it."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not await self._cloud.ask(lambda cloud: _deleted(cloud, mark)):
            if time.monotonic() > deadline:
                raise ProviderError("The environment's security group is still in use: servers outside it have it.")
            await asyncio.sleep(1)

    async def floating_ip(self, mark: Mark, pool: str, server_id: str) -> str:
        """The address of the host's floating IP, found or allocated, at the server's port."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not (port := await self._cloud.ask(lambda cloud: _port(cloud, server_id))):
            # The port is made a moment after the server was accepted.
            if time.monotonic() > deadline:
                raise ProviderError("The cloud gave the server no port for a floating IP.")
            await asyncio.sleep(1)
        return await self._cloud.ask(lambda cloud: _associated(cloud, mark, pool, port))

    async def release(self, installation: str, host: str) -> None:
        """Releases the host's floating IPs, also when its server is gone already."""
        await self._cloud.ask(lambda cloud: _release(cloud, installation, host))

    async def mtu(self, network_id: str) -> int | None:
        """What Neutron says of the network."""
        found: Any = await self._cloud.ask(lambda cloud: cloud.network.get_network(network_id))
        return int(found.mtu) if found.mtu else None


def _marked(found: Iterable[Any], mark: Mark) -> list[Any]:
    """Those of the mark's installation, environment and host."""

    def ours(one: Any) -> bool:
        its = Mark.of_description(one.description)
        return its is not None and (its.installation, its.environment, its.host) == (
            mark.installation,
            mark.environment,
            mark.host,
        )

    return [one for one in found if ours(one)]


def _group(cloud: Connection, mark: Mark, name: str, wanted: list[Rule]) -> str:
    found = _marked(cloud.network.security_groups(), mark)
    group: Any = found[0] if found else cloud.network.create_security_group(name=name, description=mark.description())
    there = {
        Rule(str(rule["protocol"]), rule["port_range_min"], rule["port_range_max"], rule["remote_ip_prefix"] or "")
        for rule in group.security_group_rules
        if rule["direction"] == "ingress" and rule["port_range_min"] is not None
    }
    for rule in wanted:
        if rule not in there:
            _let_in(cloud, str(group.id), rule)
    return str(group.id)


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


def _deleted(cloud: Connection, mark: Mark) -> bool:
    for group in _marked(cloud.network.security_groups(), mark):
        try:
            cloud.network.delete_security_group(group.id)
        except NotFoundException:
            continue
        except ConflictException:
            return False
    return True


def _port(cloud: Connection, server_id: str) -> str:
    found = next(iter(cloud.network.ports(device_id=server_id)), None)
    return str(found.id) if found else ""


def _associated(cloud: Connection, mark: Mark, pool: str, port: str) -> str:
    mine = _marked(cloud.network.ips(), mark)
    if mine and mine[0].port_id == port:
        return str(mine[0].floating_ip_address)
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


def _release(cloud: Connection, installation: str, host: str) -> None:
    for found in cloud.network.ips():
        mark = Mark.of_description(found.description)
        if mark is None or (mark.installation, mark.host) != (installation, host):
            continue
        try:
            cloud.network.delete_ip(found.id)
        except NotFoundException:
            continue
