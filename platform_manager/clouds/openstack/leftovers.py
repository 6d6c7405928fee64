"""What is in a project, whose it is, and how to remove it: for the reconciler and for a clean start."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from openstack.connection import Connection
from openstack.exceptions import ConflictException

from platform_manager.errors import ProviderError

from .connection import Cloud
from .marks import Mark
from .servers import Servers

WAIT_SECONDS = 60


class Kind(StrEnum):
    """In the order in which they have to be removed."""

    SERVER = "server"
    VOLUME = "volume"
    FLOATING_IP = "floating IP"
    SECURITY_GROUP = "security group"
    KEY_PAIR = "key pair"


@dataclass(frozen=True)
class Thing:
    """``mark`` is None for what this platform did not make; ``name`` of a floating IP is its address."""

    kind: Kind
    id: str
    name: str
    mark: Mark | None = None

    def made_by(self, installation: str) -> bool:
        """Whether this installation made it, rather than another one or a person."""
        return self.mark is not None and self.mark.installation == installation


async def everything(cloud: Cloud) -> list[Thing]:
    """All of the project's servers, volumes, floating IPs, security groups (but the default one) and key pairs."""
    lists = [_servers, _floating_ips, _security_groups, _key_pairs]
    if "volume" in await cloud.services():
        lists.append(_volumes)
    order = list(Kind)
    found = [thing for things in await asyncio.gather(*(cloud.ask(one) for one in lists)) for thing in things]
    return sorted(found, key=lambda thing: (order.index(thing.kind), thing.name.lower(), thing.id))


async def leftovers(
    cloud: Cloud, installation: str, known_hosts: Collection[str], known_environments: Collection[str]
) -> list[Thing]:
    """What this installation made for hosts or environments that it no longer knows, in order of removal."""

    def left(mark: Mark) -> bool:
        return mark.host not in known_hosts if mark.host else mark.environment not in known_environments

    found = await everything(cloud)
    return [thing for thing in found if thing.made_by(installation) and thing.mark is not None and left(thing.mark)]


async def remove(cloud: Cloud, kind: Kind, id: str) -> None:
    """Removes it, whoever made it, and returns once it is gone; fine when it is gone already.

    A security group that servers still use is waited for. PlatformError for what can't be removed.
    """
    if kind is Kind.SERVER:
        await Servers(cloud).delete([id])
        return
    deadline = time.monotonic() + WAIT_SECONDS
    while not await cloud.ask(lambda connection: _removed(connection, kind, id)):
        if time.monotonic() > deadline:
            raise ProviderError(f"The {kind} is still in use: remove first what uses it.")
        await asyncio.sleep(cloud.pause)


def _removed(cloud: Connection, kind: Kind, id: str) -> bool:
    deletions: dict[Kind, Callable[[], Callable[..., Any]]] = {
        Kind.VOLUME: lambda: cloud.block_storage.delete_volume,
        Kind.FLOATING_IP: lambda: cloud.network.delete_ip,
        Kind.SECURITY_GROUP: lambda: cloud.network.delete_security_group,
        Kind.KEY_PAIR: lambda: cloud.compute.delete_keypair,
    }
    try:
        deletions[kind]()(id, ignore_missing=True)
    except ConflictException:
        return False
    return True


def _servers(cloud: Connection) -> list[Thing]:
    found = cloud.compute.servers(details=True)
    return [Thing(Kind.SERVER, str(one.id), str(one.name), Mark.of_metadata(one.metadata)) for one in found]


def _volumes(cloud: Connection) -> list[Thing]:
    found = cloud.block_storage.volumes(details=True)
    return [Thing(Kind.VOLUME, str(one.id), str(one.name or ""), Mark.of_metadata(one.metadata)) for one in found]


def _floating_ips(cloud: Connection) -> list[Thing]:
    return [
        Thing(Kind.FLOATING_IP, str(one.id), str(one.floating_ip_address), Mark.of_description(one.description))
        for one in cloud.network.ips(project_id=cloud.current_project_id)
    ]


def _security_groups(cloud: Connection) -> list[Thing]:
    return [
        Thing(Kind.SECURITY_GROUP, str(one.id), str(one.name), Mark.of_description(one.description))
        for one in cloud.network.security_groups(project_id=cloud.current_project_id)
        if one.name != "default"
    ]


def _key_pairs(cloud: Connection) -> list[Thing]:
    return [
        Thing(Kind.KEY_PAIR, str(one.name), str(one.name), Mark.of_name(str(one.name)))
        for one in cloud.compute.keypairs()
    ]
