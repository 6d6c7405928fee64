"""What became of the servers of a project: everything by which a change in the cloud's own console is noticed."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from openstack.connection import Connection
from openstack.exceptions import ConflictException, NotFoundException

from platform_manager.clouds.seen import Seen

from .connection import Cloud
from .marks import Mark

# How a server that does not run is made to run again; one that is shut off is for the driver.
AWAKENINGS: dict[str, Callable[[Connection, str], Any]] = {
    "PAUSED": lambda cloud, id: cloud.compute.unpause_server(id),
    "SUSPENDED": lambda cloud, id: cloud.compute.resume_server(id),
    "SHELVED": lambda cloud, id: cloud.compute.unshelve_server(id),
    "SHELVED_OFFLOADED": lambda cloud, id: cloud.compute.unshelve_server(id),
}


@dataclass(frozen=True)
class Look:
    """All servers of a project, whoever made them, and the marks on them and on its floating IPs."""

    servers: list[Seen]
    marks: frozenset[Mark]


async def look(cloud: Cloud) -> Look:
    """One list of the project's servers, ports and floating IPs each, side by side."""
    servers, ports, ips = await asyncio.gather(cloud.ask(_servers), cloud.ask(_ports), cloud.ask(_ips))
    floating = defaultdict(list)
    for ip in ips:
        # Nova tells a floating IP a minute late; Neutron knows at once.
        floating[ports.get(str(ip.port_id), "")].append(str(ip.floating_ip_address))
    marks = [Mark.of_metadata(one.metadata) for one in servers] + [Mark.of_description(ip.description) for ip in ips]
    return Look([_seen(one, floating.get(str(one.id), ())) for one in servers], frozenset(filter(None, marks)))


async def awaken(cloud: Cloud, server_id: str) -> None:
    """Make a server that was paused, suspended or shelved run again; nothing happens to others."""
    await cloud.ask(lambda connection: _awaken(connection, server_id))


def _servers(cloud: Connection) -> list[Any]:
    return list(cloud.compute.servers(details=True))


def _ports(cloud: Connection) -> dict[str, str]:
    """The server of each port."""
    found = cloud.network.ports(project_id=cloud.current_project_id)
    return {str(port.id): str(port.device_id or "") for port in found}


def _ips(cloud: Connection) -> list[Any]:
    return list(cloud.network.ips(project_id=cloud.current_project_id))


def _seen(found: Any, floating: Iterable[str]) -> Seen:
    mark = Mark.of_metadata(found.metadata)
    fixed = (
        str(address["addr"])
        for of_network in (found.addresses or {}).values()
        for address in of_network
        if address.get("version") == 4 and address.get("OS-EXT-IPS:type") != "floating"
    )
    return Seen(
        id=str(found.id),
        host=mark.host if mark else "",
        status=str(found.status or "").upper(),
        fixed=tuple(fixed),
        floating=tuple(sorted(floating)),
        image=str((found.image or {}).get("id") or ""),
        fault=str((found.fault or {}).get("message") or ""),
        task=str(found.task_state or ""),
    )


def _awaken(cloud: Connection, server_id: str) -> None:
    try:
        found: Any = cloud.compute.get_server(server_id)
        wake = AWAKENINGS.get(str(found.status or "").upper())
        if wake is not None and not found.task_state:
            wake(cloud, server_id)
    except (ConflictException, NotFoundException):
        return  # it is on its way already, or the driver says that it is gone
