"""The servers of a project: one list for all who wait, creation, deletion."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from openstack.connection import Connection
from openstack.exceptions import ConflictException, NotFoundException

from platform_manager.errors import PlatformError, ProviderError

from .connection import Cloud
from .marks import Mark
from .refusals import explain_fault
from .sharing import Shared

MOST_USER_DATA = 48 * 1024
MOST_MISSED = 1  # lists without a new server: a cloud's database may have copies that lag


@dataclass(frozen=True)
class Server:
    """``status`` is Nova's word; ``fault`` its sentence for status ERROR; ``volumes`` are those that go with it."""

    id: str
    name: str
    status: str
    addresses: tuple[str, ...]
    mark: Mark | None
    fault: str = ""
    task: str = ""
    created_at: str = ""
    volumes: tuple[str, ...] = ()

    @property
    def going(self) -> bool:
        """Whether it is being deleted."""
        return self.task == "deleting" or self.status in ("DELETED", "SOFT_DELETED")


@dataclass(frozen=True)
class ServerOrder:
    """A server to make. ``volume_gib``: boots from a new volume of that size, for flavors without a disk."""

    name: str
    flavor: str
    image: str
    networks: Sequence[str]
    security_groups: Sequence[str]
    user_data: str = field(repr=False)
    mark: Mark
    zone: str = ""
    key_pair: str = ""
    volume_gib: int = 0


class Servers:
    """The project's servers. Those who ask while a list is under way share its answer."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._lists: Shared[list[Server]] = Shared()

    async def now(self) -> list[Server]:
        """All servers of the project as of now, whoever made them."""
        return await self._lists.fresh("now", self._list)

    async def poll(self) -> list[Server]:
        """The servers as of a moment from now; all who call within that moment get the same answer."""
        return await self._lists.fresh("poll", self._list, after=self._cloud.pause)

    async def _list(self) -> list[Server]:
        return await self._cloud.ask(lambda cloud: [_server(one) for one in cloud.compute.servers(details=True)])

    async def create(self, order: ServerOrder) -> str:
        """Asks for the server; its id. It is there later, or fails later: :meth:`settled`."""
        body = _body(order)
        made = await self._cloud.ask(lambda cloud: cloud.compute.create_server(**body))
        return str(made.id)

    async def settled(self, server_id: str, seconds: float) -> Server:
        """The server once it is no longer being built. PlatformError when it failed, went, or took too long."""
        deadline, missed = time.monotonic() + seconds, 0
        while time.monotonic() < deadline:
            found = next((one for one in await self.poll() if one.id == server_id), None)
            if found is None:
                missed += 1
                if missed > MOST_MISSED:
                    raise ProviderError("The server was deleted in the cloud while it was being built.")
                continue
            if found.status == "ERROR":
                raise explain_fault(found.fault)
            if found.status != "BUILD" and not found.task:
                return found
        raise ProviderError(f"The server was not built within {seconds:g} s.")

    async def start(self, server_id: str) -> None:
        await self._cloud.ask(_unless(ConflictException, lambda cloud: cloud.compute.start_server(server_id)))

    async def delete(self, server_ids: Sequence[str], seconds: float = 180) -> None:
        """Deletes them and waits until they are gone; those that are gone already are fine."""
        await asyncio.gather(*(self._order_deletion(server_id) for server_id in server_ids))
        left, deadline = set(server_ids), time.monotonic() + seconds
        while left and time.monotonic() < deadline:
            left &= {one.id for one in await self.poll()}
        if left:
            count = "A server is" if len(left) == 1 else f"{len(left)} servers are"
            raise ProviderError(f"{count} still there {seconds:g} s after the deletion was asked for.")

    async def _order_deletion(self, server_id: str) -> None:
        await self._cloud.ask(_unless(NotFoundException, lambda cloud: cloud.compute.delete_server(server_id)))

    async def console(self, server_id: str, lines: int) -> str:
        """The last lines of the console; "" where the cloud has none."""

        def read(cloud: Connection) -> str:
            found: Any = cloud.compute.get_server_console_output(server_id, length=lines)
            return str(found.get("output") or "") if isinstance(found, dict) else str(found or "")

        try:
            return await self._cloud.ask(read)
        except PlatformError:
            return ""  # nor is it shown to everybody: some clouds keep it for administrators


def _unless(gone: type[Exception], call: Callable[[Connection], Any]) -> Callable[[Connection], None]:
    """The call, where ``gone`` means that nothing is left to do."""

    def guarded(cloud: Connection) -> None:
        try:
            call(cloud)
        except gone:
            return

    return guarded


def _server(found: Any) -> Server:
    addresses = [
        str(address["addr"])
        for of_network in (found.addresses or {}).values()
        for address in sorted(of_network, key=lambda one: one.get("OS-EXT-IPS:type") == "floating")
        if address.get("version") == 4
    ]
    fault = found.fault or {}
    return Server(
        id=str(found.id),
        name=str(found.name),
        status=str(found.status or "").upper(),
        addresses=tuple(addresses),
        mark=Mark.of_metadata(found.metadata),
        fault=str(fault.get("message") or ""),
        task=str(found.task_state or ""),
        created_at=str(found.created_at or ""),
        volumes=tuple(str(one["id"]) for one in found.attached_volumes or () if one.get("delete_on_termination")),
    )


def _body(order: ServerOrder) -> dict[str, Any]:
    data = order.user_data.encode()
    if len(data) > MOST_USER_DATA:
        raise ProviderError("The bootstrap script is longer than clouds allow.", retryable=False)
    body: dict[str, Any] = {
        "name": order.name,
        "flavor_id": order.flavor,
        "networks": [{"uuid": network} for network in order.networks],
        "security_groups": [{"name": group} for group in order.security_groups],
        "user_data": base64.b64encode(data).decode(),
        "metadata": order.mark.metadata(),
    }
    if order.volume_gib:
        body["block_device_mapping"] = [_boot_volume(order)]
    else:
        body["image_id"] = order.image
    if order.zone:
        body["availability_zone"] = order.zone
    if order.key_pair:
        body["key_name"] = order.key_pair
    return body


def _boot_volume(order: ServerOrder) -> dict[str, Any]:
    return {
        "boot_index": 0,
        "uuid": order.image,
        "source_type": "image",
        "destination_type": "volume",
        "volume_size": order.volume_gib,
        "delete_on_termination": True,
    }
