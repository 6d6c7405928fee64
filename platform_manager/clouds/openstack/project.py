"""What is in a project, with what the cloud tells of it in its lists; no list is read further than :data:`MOST`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from openstack.connection import Connection
from openstack.exceptions import NotFoundException

from .connection import Cloud
from .marks import Mark
from .things import MOST, Kind, Thing, in_order

LONGEST = 200
MOST_USERS = 20


@dataclass(frozen=True)
class _Seen:
    """A thing with the ids of what uses it, as far as its own list tells."""

    thing: Thing
    users: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Port:
    id: str
    device: str
    groups: tuple[str, ...]
    thing: Thing


async def everything(cloud: Cloud) -> list[Thing]:
    """All of the project's servers, floating IPs, volumes, security groups (but the default one) and key pairs, and
    the ports that a platform made and whose server is gone; in order of removal. All lists are read side by side.
    """
    with_volumes = "volume" in await cloud.services()
    lists = [_servers, _floating_ips, _security_groups, _key_pairs, *([_volumes] if with_volumes else [])]
    seen = asyncio.gather(*(cloud.ask(one) for one in lists))
    ports, others = await asyncio.gather(cloud.ask(_ports), seen)
    users = _Users([one.thing for one in others[0]], ports)
    found = [users.told(one) for of_kind in others for one in of_kind]
    found += [port.thing for port in ports if port.thing.mark is not None and not port.device]
    return sorted(found, key=in_order)


async def find(cloud: Cloud, kind: Kind, id: str) -> Thing | None:
    """The thing as it is now; None where it is gone."""

    def look(connection: Connection) -> Thing | None:
        try:
            return _ONE[kind](connection, id)
        except NotFoundException:
            return None

    return await cloud.ask(look)


class _Users:
    """Who uses what, joined from the lists that were read anyway."""

    def __init__(self, servers: list[Thing], ports: list[_Port]) -> None:
        self._names = {server.id: server.name for server in servers}
        self._ports = {port.id: port for port in ports}
        self._of_group: dict[str, list[str]] = {}
        for port in ports:
            for group in port.groups:
                self._of_group.setdefault(group, []).append(self._of_port(port))

    def told(self, seen: _Seen) -> Thing:
        kind, thing = seen.thing.kind, seen.thing
        if kind is Kind.FLOATING_IP:
            ports = [self._ports.get(port) for port in seen.users]
            names = [self._of_port(port) for port in ports]
            thing = replace(thing, servers=tuple(port.device for port in ports if port and port.device))
        elif kind is Kind.SECURITY_GROUP:
            names = self._of_group.get(thing.id, [])
        else:
            names = [self._names.get(server, "a server") for server in seen.users]
        return replace(thing, used_by=tuple(sorted(set(names)))[:MOST_USERS])

    def _of_port(self, port: _Port | None) -> str:
        if port is None or port.device not in self._names:
            return "a port"
        return self._names[port.device]


def _some(found: Iterable[Any]) -> list[Any]:
    return list(islice(found, MOST))


def _text(value: object) -> str:
    return str(value or "").replace("\0", "\ufffd")[:LONGEST]


def _thing(kind: Kind, found: Any, mark: Mark | None, *about: object, name: object = None) -> Thing:
    told = ", ".join(_text(part) for part in about if part)
    created = _text(getattr(found, "created_at", ""))
    return Thing(kind, str(found.id), _text(found.name if name is None else name), mark, told, created_at=created)


def _servers(cloud: Connection) -> list[_Seen]:
    return [_Seen(_server(one)) for one in _some(cloud.compute.servers(details=True))]


def _server(found: Any) -> Thing:
    addresses = [one["addr"] for of_network in (found.addresses or {}).values() for one in of_network]
    status = str(found.status or "").lower().replace("_", " ")
    return _thing(Kind.SERVER, found, Mark.of_metadata(found.metadata), status, *addresses[:5])


def _ports(cloud: Connection) -> list[_Port]:
    return [
        _Port(str(one.id), str(one.device_id or ""), tuple(one.security_group_ids or ())[:MOST_USERS], _port(one))
        for one in _some(cloud.network.ports(project_id=cloud.current_project_id))
    ]


def _port(found: Any) -> Thing:
    addresses = [one["ip_address"] for one in found.fixed_ips or []]
    thing = _thing(Kind.PORT, found, Mark.of_description(found.description), *addresses[:5])
    return replace(thing, name=thing.name or thing.id, used_by=("a server",) if found.device_id else ())


def _volumes(cloud: Connection) -> list[_Seen]:
    volumes = [_volume(one) for one in _some(cloud.block_storage.volumes(details=True))]
    return [_Seen(volume, volume.servers) for volume in volumes]


def _volume(found: Any) -> Thing:
    size = f"{found.size} GiB" if found.size else ""
    thing = _thing(Kind.VOLUME, found, Mark.of_metadata(found.metadata), size)
    servers = tuple(str(at.get("server_id")) for at in found.attachments or [])
    return replace(thing, name=thing.name or thing.id, servers=servers)


def _floating_ips(cloud: Connection) -> list[_Seen]:
    return [
        _Seen(_floating_ip(one), (str(one.port_id),) if one.port_id else ())
        for one in _some(cloud.network.ips(project_id=cloud.current_project_id))
    ]


def _floating_ip(found: Any) -> Thing:
    mark = Mark.of_description(found.description)
    return _thing(Kind.FLOATING_IP, found, mark, name=found.floating_ip_address)


def _led_floating_ip(cloud: Connection, id: str) -> Thing:
    """With the server behind its port, which only the port tells."""
    found = cloud.network.get_ip(id)
    thing = _floating_ip(found)
    if not found.port_id:
        return thing
    try:
        device = str(cloud.network.get_port(found.port_id).device_id or "")
    except NotFoundException:
        return thing  # It went meanwhile, and leads nowhere.
    return replace(thing, servers=(device,) if device else ())


def _security_groups(cloud: Connection) -> list[_Seen]:
    groups = _some(cloud.network.security_groups(project_id=cloud.current_project_id))
    return [_Seen(_security_group(one)) for one in groups if one.name != "default"]


def _security_group(found: Any) -> Thing:
    count = len(found.security_group_rules or [])
    rules = f"{count} rule{'' if count == 1 else 's'}"
    return _thing(Kind.SECURITY_GROUP, found, Mark.of_description(found.description), rules)


def _key_pairs(cloud: Connection) -> list[_Seen]:
    return [_Seen(_key_pair(one)) for one in _some(cloud.compute.keypairs())]


def _key_pair(found: Any) -> Thing:
    name = str(found.name)
    return Thing(Kind.KEY_PAIR, name, _text(name), Mark.of_name(name), _text(found.fingerprint))


_ONE: dict[Kind, Callable[[Connection, str], Thing]] = {
    Kind.SERVER: lambda cloud, id: _server(cloud.compute.get_server(id)),
    Kind.PORT: lambda cloud, id: _port(cloud.network.get_port(id)),
    Kind.FLOATING_IP: _led_floating_ip,
    Kind.VOLUME: lambda cloud, id: _volume(cloud.block_storage.get_volume(id)),
    Kind.SECURITY_GROUP: lambda cloud, id: _security_group(cloud.network.get_security_group(id)),
    Kind.KEY_PAIR: lambda cloud, id: _key_pair(cloud.compute.get_keypair(id)),
}
