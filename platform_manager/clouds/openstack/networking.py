"""What a host needs of the network service: the environment's security group, key pairs, floating IPs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from openstack.connection import Connection
from openstack.exceptions import ConflictException

from platform_manager.errors import ProviderError, UserError

from . import groups
from .connection import Cloud
from .groups import Group, Openings
from .marks import Mark, marked
from .sharing import Shared

WAIT_SECONDS = 60


class Networking:
    """Security groups, key pairs and floating IPs of environments and hosts."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._groups: Shared[Group | None] = Shared()
        self._keys: Shared[str] = Shared()

    async def group(self, mark: Mark, openings: Openings, *, name: str = "") -> Group | None:
        """The environment's security group, put right; with a ``name`` it is made where there is none."""

        async def put_right() -> Group | None:
            return await self._cloud.ask(lambda cloud: groups.put_right(cloud, mark, openings, name=name))

        # Hosts of one environment are made at once: without this each would make a group of its own.
        return await self._groups.same((mark.installation, mark.environment, openings, name), put_right)

    async def key_pair(self, mark: Mark, public_key: str) -> str:
        """The name of the environment's key pair, found or made."""

        async def make() -> str:
            return await self._cloud.ask(lambda cloud: _key_pair(cloud, mark, public_key))

        return await self._keys.same((mark.name(), public_key), make)

    async def delete_key_pair(self, mark: Mark) -> None:
        await self._cloud.ask(lambda cloud: _delete_key_pairs(cloud, mark))

    async def delete_group(self, mark: Mark) -> None:
        """Waits for servers that still use it."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not await self._cloud.ask(lambda cloud: groups.deleted(cloud, mark)):
            if time.monotonic() > deadline:
                raise ProviderError("The environment's security group is still in use: servers outside it have it.")
            await asyncio.sleep(self._cloud.pause)

    async def floating_ip(self, mark: Mark, pool: str, port_id: str) -> str:
        """The address of the host's floating IP, found or allocated, at that port."""
        return await self._cloud.ask(lambda cloud: _associated(cloud, mark, pool, port_id))

    async def release(self, installation: str, *, host: str = "", environment: str = "") -> None:
        """Releases the floating IPs of a host or of an environment, also when servers are gone already."""

        def belongs(mark: Mark | None) -> bool:
            if mark is None or mark.installation != installation:
                return False
            return mark.host == host if host else bool(environment) and mark.environment == environment

        await self._cloud.ask(lambda cloud: _release(cloud, belongs))


def _key_pairs(cloud: Connection, mark: Mark) -> list[str]:
    """Of the mark's environment, whichever operation made them."""
    return [str(one.name) for one in cloud.compute.keypairs() if mark.same_place(Mark.of_name(str(one.name)))]


def _key_pair(cloud: Connection, mark: Mark, public_key: str) -> str:
    if found := _key_pairs(cloud, mark):
        return found[0]
    with suppress(ConflictException):  # another host's step made it meanwhile
        cloud.compute.create_keypair(name=mark.name(), public_key=public_key)
    return mark.name()


def _delete_key_pairs(cloud: Connection, mark: Mark) -> None:
    for name in _key_pairs(cloud, mark):
        cloud.compute.delete_keypair(name, ignore_missing=True)


def _associated(cloud: Connection, mark: Mark, pool: str, port: str) -> str:
    mine = marked(cloud.network.ips(), mark)
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
