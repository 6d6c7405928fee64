"""What hosts of a cloud are made of: the project's lists, what to take of them at first, and what fits."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from django.contrib.auth.models import User

from dashboard.models import CloudAccount, Environment, Host, LinkKind
from dashboard.operations.clouds.drivers import link_of
from platform_manager import wiring
from platform_manager.errors import PlatformError, UserError

from .links import check_link, first_link, link_note

if TYPE_CHECKING:
    from platform_manager.clouds.openstack.inventory import Flavor, Image, Inventory, Network

READ_SECONDS = 60.0
# While somebody fills in the form; before hosts are made the cloud is asked anew.
FRESH_SECONDS = 20.0
VOLUME_GIB = range(1, 10_001)
USUAL_VOLUME_GIB = 20
USUAL_RAM_MIB = 2048
KEYS = ("flavor", "image", "network", "pool", "zone", "key_pair")


class HasId(Protocol):
    @property
    def id(self) -> str: ...


Item = TypeVar("Item", bound=HasId)


@dataclass(frozen=True)
class Choices:
    """What a user chose from the lists, by id; "" for none. ``volume_gib``: the boot volume, for diskless flavors.

    ``link``: a word of :class:`LinkKind`.
    """

    flavor: str = ""
    image: str = ""
    network: str = ""
    pool: str = ""
    zone: str = ""
    key_pair: str = ""
    security_groups: list[str] = field(default_factory=list)
    volume_gib: int | None = None
    link: str = LinkKind.REVERSE


@dataclass(frozen=True)
class CloudPlan:
    """The driver's options, what the hosts take of the quota, whether that fits, and what to know besides."""

    options: dict[str, object]
    quota: str
    fits: bool
    notes: list[str]


def inventory_of(account: CloudAccount, *, age: float = FRESH_SECONDS) -> Inventory:
    """What the account's project offers; PlatformError says what is wrong with the account or its cloud."""
    return wiring.run(link_of(account).inventory(age), READ_SECONDS)


def begin_reading(account: CloudAccount) -> None:
    """Ask for the lists ahead of who will want them in a moment."""
    with suppress(PlatformError):
        wiring.begin(link_of(account).inventory(FRESH_SECONDS))


def first_choices(account: CloudAccount, inventory: Inventory) -> Choices:
    """What was chosen last with this account, where it is still there; else what suits most hosts."""
    last = account.defaults
    preset = account.preset
    flavor = _by_id(inventory.flavors, last.get("flavor")) or _usual_flavor(inventory.flavors)
    image = _by_id(inventory.images, last.get("image")) or _usual_image(inventory.images)
    network = _by_id(inventory.networks, last.get("network"))
    network = network or _by_name(inventory.networks, preset.network if preset else "")
    pool = _by_id(inventory.pools, last.get("floating_pool"))
    groups = last.get("security_groups") or []
    return Choices(
        flavor=flavor.id if flavor else "",
        image=image.id if image else "",
        network=network.id if network else "",
        pool=pool.id if pool else "",
        zone=last["zone"] if last.get("zone") in inventory.zones else "",
        key_pair=last["key_pair"] if _by_id(inventory.key_pairs, last.get("key_pair")) else "",
        security_groups=[group.id for group in inventory.security_groups if group.id in groups],
        volume_gib=last.get("volume_gib") or USUAL_VOLUME_GIB,
        link=first_link(last.get("link")),
    )


def _by_id(found: list[Item], wanted: object) -> Item | None:
    return next((one for one in found if one.id == wanted), None)


def _by_name(networks: list[Network], wanted: str) -> Network | None:
    return next((one for one in networks if wanted and one.name == wanted), next(iter(networks), None))


def _usual_flavor(flavors: list[Flavor]) -> Flavor | None:
    """The smallest with room for an engine and something to run."""
    return next((one for one in flavors if one.ram_mib >= USUAL_RAM_MIB), flavors[-1] if flavors else None)


def _usual_image(images: list[Image]) -> Image | None:
    """The last Debian or Ubuntu by name: hosts are made with what these have."""
    known = [one for one in images if one.login in ("debian", "ubuntu")]
    return (known or images or [None])[-1]  # type: ignore[list-item]


def cloud_plan(environment: Environment, inventory: Inventory, choices: Choices, quantity: int) -> CloudPlan:
    """What so many hosts would be made of; UserError at the field that is wrong."""
    from platform_manager.clouds.openstack.inventory import demands, sentence

    flavor = _chosen(inventory.flavors, choices.flavor, "flavor")
    image = _chosen(inventory.images, choices.image, "image")
    network = _chosen(inventory.networks, choices.network, "network")
    pool = _chosen(inventory.pools, choices.pool, "pool") if choices.pool else None
    _check_rest(inventory, choices)
    check_link(choices.link)
    volume = _volume(flavor, image, choices.volume_gib)
    _check_mtu(environment, network)
    wanted = demands(inventory, flavor, quantity, floating=pool is not None, volume_gib=volume)
    return CloudPlan(
        options=_options(choices, flavor, image, network, volume),
        quota=sentence(wanted),
        fits=not any(one.short for one in wanted),
        notes=_notes(environment, choices, image, network),
    )


def _chosen(found: list[Item], wanted: str, what: str) -> Item:
    one = _by_id(found, wanted)
    if one is None:
        gone = (
            "The one chosen is gone: choose another."
            if wanted
            else f"Choose {'an' if what[0] in 'aio' else 'a'} {what}."
        )
        raise UserError(gone if found else f"The project has no {what} to choose.", what)
    return one


def _check_rest(inventory: Inventory, choices: Choices) -> None:
    if choices.zone and choices.zone not in inventory.zones:
        raise UserError("This availability zone is gone: choose another.", "zone")
    if choices.key_pair and _by_id(inventory.key_pairs, choices.key_pair) is None:
        raise UserError("This key pair is gone: choose another.", "key_pair")
    known = {group.id for group in inventory.security_groups}
    if set(choices.security_groups) - known:
        raise UserError("One of these security groups is gone: choose anew.", "security_groups")


def _volume(flavor: Flavor, image: Image, asked: int | None) -> int:
    """The size of the boot volume; 0 where the flavor has a disk."""
    if image.min_ram_mib > flavor.ram_mib:
        raise UserError(
            f"{image.name} needs {image.min_ram_mib} MiB of memory and {flavor.name} has {flavor.ram_mib}: "
            "choose a larger flavor.",
            "flavor",
        )
    if flavor.disk_gib:
        if image.min_disk_gib > flavor.disk_gib:
            raise UserError(
                f"{image.name} needs a disk of {image.min_disk_gib} GiB and {flavor.name} has {flavor.disk_gib}: "
                "choose a larger flavor.",
                "flavor",
            )
        return 0
    least = max(image.min_disk_gib, 1)
    if asked is None or asked not in VOLUME_GIB or asked < least:
        raise UserError(
            f"{flavor.name} has no disk: give each host a boot volume of at least {least} GiB.", "volume_gib"
        )
    return asked


def _check_mtu(environment: Environment, network: Network) -> None:
    fixed = environment.swarm_mtu or environment.mtu
    if fixed and network.mtu and network.mtu < fixed:
        raise UserError(
            f"The environment's MTU is {fixed}, and {network.name} carries {network.mtu}: large packets would be "
            "lost. Choose another network, or use an environment with a lower MTU.",
            "network",
        )


def _options(choices: Choices, flavor: Flavor, image: Image, network: Network, volume: int) -> dict[str, object]:
    """As the driver takes them; names and MTU are for people and for the swarm."""
    return {
        "flavor": flavor.id,
        "image": image.id,
        "network": network.id,
        "floating_pool": choices.pool,
        "security_groups": list(choices.security_groups),
        "zone": choices.zone,
        "key_pair": choices.key_pair,
        "volume_gib": volume,
        "mtu": network.mtu,
        "login": image.login,
        "link": choices.link,
        "names": {"flavor": flavor.name, "image": image.name, "network": network.name},
    }


def _notes(environment: Environment, choices: Choices, image: Image, network: Network) -> list[str]:
    fixed = environment.swarm_mtu or environment.mtu
    notes = []
    if fixed:
        notes.append(f"The environment's networks have MTU {fixed}.")
    elif network.mtu:
        notes.append(f"MTU {network.mtu}, as the cloud says of {network.name}; less where a host measures less.")
    notes.append(link_note(choices.link, network.name, floating=bool(choices.pool)))
    if not choices.pool:
        notes.append("No floating IPs: published ports are reached from inside the cloud only.")
    if image.login and choices.key_pair:
        notes.append(f"People sign in to the machines as {image.login}, with the key pair.")
    return notes


def checked_options(
    environment: Environment, user: User, account: CloudAccount, choices: Choices, quantity: int
) -> dict[str, object]:
    """The driver's options for hosts that fit into the project as it is now; UserError otherwise."""
    if not CloudAccount.objects.usable_by(user, environment).filter(pk=account.pk).exists():
        raise UserError("This cloud account is not shared with the environment any more: choose another.", "driver")
    plan = cloud_plan(environment, inventory_of(account, age=0), choices, quantity)
    if not plan.fits:
        raise UserError(f"{plan.quota} Add fewer hosts, choose a smaller flavor, or free something.", "quantity")
    return plan.options


def check_may_make(environment: Environment, user: User, hosts: Iterable[Host]) -> None:
    """UserError where a machine would be made with an account that the user may not use here (any more)."""
    usable = set(CloudAccount.objects.usable_by(user, environment).values_list("pk", flat=True))
    for host in hosts:
        if host.account_id and host.account_id not in usable:
            raise UserError(
                f"The cloud account of {host.name} is not shared with the environment, so only its owner can have a "
                "machine made with it. Remove the host, or ask the owner to share the account."
            )


def remember(account: CloudAccount, options: dict[str, object]) -> None:
    """What the form offers first the next time."""
    kept = {name: value for name, value in options.items() if name not in ("mtu", "login", "names")}
    CloudAccount.objects.filter(pk=account.pk).update(defaults=kept)
