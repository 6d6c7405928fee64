"""What the platform made and knows no more, and how things of a project are removed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from typing import Any

from openstack.connection import Connection
from openstack.exceptions import ConflictException, NotFoundException

from platform_manager.errors import ProviderError, UserError

from .connection import Cloud
from .project import everything, find
from .servers import Servers
from .things import Kind, Thing

__all__ = ["Kind", "Thing", "everything", "find", "leftovers", "remove"]

WAIT_SECONDS = 60


async def leftovers(
    cloud: Cloud, installation: str, known_hosts: Collection[str], known_environments: Collection[str]
) -> list[Thing]:
    """What this installation made for hosts or environments that it no longer knows, in order of removal."""
    found = await everything(cloud)
    return [thing for thing in found if thing.left_over(installation, known_hosts, known_environments)]


async def remove(cloud: Cloud, kind: Kind, id: str) -> None:
    """Removes it, whoever made it, and returns once it is gone; fine when it is gone already.

    A security group that servers still use is waited for, and a volume that is going already. PlatformError for what
    can't be removed.
    """
    if kind is Kind.SERVER:
        await Servers(cloud).delete([id])
        return
    deadline = time.monotonic() + WAIT_SECONDS
    while not await cloud.ask(lambda connection: _removed(connection, kind, id)):
        if time.monotonic() > deadline:
            raise ProviderError(_LATE.get(kind, f"The {kind} is still there."), retryable=False)
        await asyncio.sleep(cloud.pause)


_LATE = {
    Kind.SECURITY_GROUP: "The security group is still in use: remove first what uses it.",
    Kind.VOLUME: f"The volume is still there {WAIT_SECONDS} s after its deletion was asked for.",
}


def _removed(cloud: Connection, kind: Kind, id: str) -> bool:
    """Asks for the removal; whether the thing is gone."""
    if kind is Kind.VOLUME:
        return _volume_removed(cloud, id)
    if kind is Kind.PORT:
        _check_unused(cloud, id)
    deletions: dict[Kind, Callable[[], Callable[..., Any]]] = {
        Kind.PORT: lambda: cloud.network.delete_port,
        Kind.FLOATING_IP: lambda: cloud.network.delete_ip,
        Kind.SECURITY_GROUP: lambda: cloud.network.delete_security_group,
        Kind.KEY_PAIR: lambda: cloud.compute.delete_keypair,
    }
    try:
        deletions[kind]()(id, ignore_missing=True)
    except ConflictException:
        return False
    return True


def _check_unused(cloud: Connection, id: str) -> None:
    """Neutron deletes a port also from under a running server."""
    try:
        used = bool(cloud.network.get_port(id).device_id)
    except NotFoundException:
        return
    if used:
        raise UserError("A server uses the port: remove the server, and the port goes with it.")


def _volume_removed(cloud: Connection, id: str) -> bool:
    """One that goes takes a while, and in that time another order to delete it is refused."""
    try:
        found: Any = cloud.block_storage.get_volume(id)
    except NotFoundException:
        return True
    if found.status not in ("deleting", "detaching"):
        cloud.block_storage.delete_volume(id, ignore_missing=True)
    return False
