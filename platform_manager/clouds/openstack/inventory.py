"""What a project offers for hosts, and how much of its quota is left."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from openstack.connection import Connection

from platform_manager.errors import PlatformError

from .connection import Cloud
from .marks import Mark

Found = TypeVar("Found")

# Whom images let in, by a word of their distribution's or their own name.
LOGINS = {"debian": "debian", "ubuntu": "ubuntu", "centos": "centos", "fedora": "fedora", "coreos": "core"}
LOGINS |= {"rocky": "rocky", "alma": "almalinux", "opensuse": "opensuse", "cirros": "cirros", "arch": "arch"}
MOST = 500


@dataclass(frozen=True)
class Flavor:
    """``disk_gib`` 0: the flavor has no disk of its own, so a server needs a boot volume."""

    id: str
    name: str
    vcpus: int
    ram_mib: int
    disk_gib: int


@dataclass(frozen=True)
class Image:
    """``login``: the user whom cloud images of this kind let in; a guess."""

    id: str
    name: str
    min_disk_gib: int
    min_ram_mib: int
    login: str


@dataclass(frozen=True)
class Network:
    id: str
    name: str
    external: bool
    mtu: int | None


@dataclass(frozen=True)
class Named:
    id: str
    name: str


@dataclass(frozen=True)
class Allowance:
    """``limit`` None: any number."""

    used: int
    limit: int | None

    def left(self) -> int | None:
        return None if self.limit is None else max(self.limit - self.used, 0)


@dataclass(frozen=True)
class Inventory:
    """Sorted for a form; security groups and key pairs that the platform made are left out.

    ``volumes``: whether servers can boot from volumes, as flavors without a disk need.
    """

    flavors: list[Flavor]
    images: list[Image]
    networks: list[Network]
    pools: list[Network]
    security_groups: list[Named]
    key_pairs: list[Named]
    zones: list[str]
    quota: dict[str, Allowance]
    volumes: bool = False


async def read(cloud: Cloud) -> Inventory:
    """All lists at once: the slowest decides. Raises PlatformError; only zones, key pairs, quotas of addresses and
    volumes may be missing."""
    needed = asyncio.gather(cloud.ask(_flavors), cloud.ask(_images), cloud.ask(_networks), cloud.ask(_limits))
    optional = asyncio.gather(_or_empty(cloud, _key_pairs), _or_empty(cloud, _zones), _or_empty(cloud, _floating))
    (flavors, images, networks, limits), (keys, zones, floating), groups, (volumes, room) = await asyncio.gather(
        needed, optional, cloud.ask(_groups), _volumes(cloud)
    )
    return Inventory(
        flavors=flavors,
        images=images,
        networks=[network for network in networks if not network.external],
        pools=[network for network in networks if network.external],
        security_groups=groups,
        key_pairs=keys,
        zones=zones,
        quota=limits | dict(floating) | dict(room),
        volumes=volumes,
    )


async def _volumes(cloud: Cloud) -> tuple[bool, list[tuple[str, Allowance]]]:
    """Whether there are volumes, and what their quota leaves."""
    there = "volume" in await cloud.services()
    return there, await _or_empty(cloud, _volume_limits) if there else []


async def _or_empty(cloud: Cloud, call: Callable[[Connection], list[Found]]) -> list[Found]:
    """For what a form can do without."""
    try:
        return await cloud.ask(call)
    except PlatformError:
        return []


def _some(found: Iterable[Any]) -> list[Any]:
    """At most :data:`MOST`: a form with more helps nobody, and a cloud may have no end."""
    return [one for _, one in zip(range(MOST), found, strict=False)]


def _flavors(cloud: Connection) -> list[Flavor]:
    found = [Flavor(str(one.id), str(one.name), one.vcpus, one.ram, one.disk) for one in _some(cloud.compute.flavors())]
    return sorted(found, key=lambda flavor: (flavor.vcpus, flavor.ram_mib, flavor.disk_gib, flavor.name))


def _images(cloud: Connection) -> list[Image]:
    found = [
        Image(str(one.id), str(one.name), int(one.min_disk or 0), int(one.min_ram or 0), login_of(one))
        for one in _some(cloud.image.images(status="active"))
    ]
    return sorted(found, key=lambda image: image.name.lower())


def login_of(image: Any) -> str:
    """The login of an image; "" where nothing tells."""
    words = re.split(r"[^a-z]+", f"{getattr(image, 'os_distro', '') or ''} {image.name}".lower())
    return next((login for name, login in LOGINS.items() for word in words if word.startswith(name)), "")


def _networks(cloud: Connection) -> list[Network]:
    found = [
        Network(str(one.id), str(one.name), bool(one.is_router_external), int(one.mtu) if one.mtu else None)
        for one in _some(cloud.network.networks())
    ]
    return sorted(found, key=lambda network: network.name.lower())


def _groups(cloud: Connection) -> list[Named]:
    groups = cloud.network.security_groups(project_id=cloud.current_project_id)  # an administrator sees all
    found = [one for one in _some(groups) if Mark.of_description(one.description) is None]
    return sorted((Named(str(one.id), str(one.name)) for one in found), key=lambda group: group.name.lower())


def _key_pairs(cloud: Connection) -> list[Named]:
    found = [str(one.name) for one in _some(cloud.compute.keypairs())]
    return [Named(name, name) for name in sorted(found) if Mark.of_name(name) is None]


def _zones(cloud: Connection) -> list[str]:
    return sorted(str(one.name) for one in _some(cloud.compute.availability_zones()) if one.state.get("available"))


def _limits(cloud: Connection) -> dict[str, Allowance]:
    found: Any = cloud.compute.get_limits().absolute
    return {
        "instances": _allowance(found.instances_used, found.instances),
        "cores": _allowance(found.total_cores_used, found.total_cores),
        "ram_mib": _allowance(found.total_ram_used, found.total_ram),
    }


def _floating(cloud: Connection) -> list[tuple[str, Allowance]]:
    quota: Any = cloud.network.get_quota(str(cloud.current_project_id), details=True)
    of_ips = quota.floating_ips or {}
    used = int(of_ips.get("used") or 0) + int(of_ips.get("reserved") or 0)
    return [("floating_ips", _allowance(used, of_ips.get("limit", -1)))]


def _volume_limits(cloud: Connection) -> list[tuple[str, Allowance]]:
    found: Any = cloud.block_storage.get_limits().absolute
    return [
        ("volumes", _allowance(found.total_volumes_used, found.max_total_volumes)),
        ("volume_gib", _allowance(found.total_gigabytes_used, found.max_total_volume_gigabytes)),
    ]


def _allowance(used: object, limit: object) -> Allowance:
    most = int(str(limit)) if limit is not None else -1
    return Allowance(int(str(used or 0)), None if most < 0 else most)


# What a quota counts, in words for one and for several.
COUNTED = {
    "instances": ("instance", "instances"),
    "cores": ("core", "cores"),
    "ram_mib": ("GiB of memory", "GiB of memory"),
    "floating_ips": ("floating IP", "floating IPs"),
    "volumes": ("volume", "volumes"),
    "volume_gib": ("GiB of volumes", "GiB of volumes"),
}


@dataclass(frozen=True)
class Demand:
    """What the new hosts would use up of one allowance; ``what`` is its key in the quota."""

    what: str
    wanted: int
    allowance: Allowance

    @property
    def short(self) -> int:
        left = self.allowance.left()
        return 0 if left is None else max(self.wanted - left, 0)

    def uses(self) -> str:
        used, limit = self.allowance.used + self.wanted, self.allowance.limit
        if limit is None:
            return f"{self._told(used)} {COUNTED[self.what][used != 1]}"
        return f"{self._told(used)} of {self._told(limit)} {COUNTED[self.what][1]}"

    def lacks(self) -> str:
        return f"{self._told(self.short)} {COUNTED[self.what][self.short != 1]}"

    def _told(self, number: int) -> str:
        """Memory is counted in MiB and told in GiB, where nothing but 0 is told as 0."""
        if self.what != "ram_mib":
            return f"{number:,}"
        return f"{max(round(number / 1024, 1), 0.1 if number else 0):,g}"


def demands(
    inventory: Inventory, flavor: Flavor, quantity: int, *, floating: bool, volume_gib: int = 0
) -> list[Demand]:
    """What so many hosts of the flavor take of the project's quota, with what is used already.

    ``volume_gib``: the size of each one's boot volume, 0 where the flavor has a disk.
    """
    wanted = {
        "instances": quantity,
        "cores": quantity * flavor.vcpus,
        "ram_mib": quantity * flavor.ram_mib,
        "floating_ips": quantity if floating else 0,
        "volumes": quantity if volume_gib else 0,
        "volume_gib": quantity * volume_gib,
    }
    quota = inventory.quota
    return [Demand(what, number, quota[what]) for what, number in wanted.items() if number and what in quota]


def sentence(wanted: list[Demand]) -> str:
    """Such as "Uses 3 of 5 instances, 6 of 10 cores. 1 floating IP short."; "" where no quota is known."""
    if not wanted:
        return ""
    uses = f"Uses {', '.join(one.uses() for one in wanted)}."
    *most, last = [one.lacks() for one in wanted if one.short] or [""]
    short = f"{', '.join(most)} and {last}" if most else last
    return f"{uses} {short} short." if short else uses
