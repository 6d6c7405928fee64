"""Networks, volumes, secrets and configs of an environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from dashboard.flows.shared_objects import EVERY_ENVIRONMENTS
from dashboard.operations.hosts.add_hosts import OVERLAYS
from platform_manager.swarm.snapshot import Network, Volume

from .lists import listing
from .live import Container, Page
from .operation_rows import notices
from .snapshot import SnapshotView, read
from .viewer import Viewer


@dataclass(frozen=True, slots=True)
class NetworkRow:
    id: str
    network: Network
    purpose: str
    removable: bool

    def told(self) -> Iterable[str]:
        one = self.network
        return one.name, one.driver, one.stack, self.purpose, one.id, *one.subnets


@dataclass(frozen=True, slots=True)
class VolumeRow:
    id: str
    volume: Volume
    host: str
    host_id: UUID | None

    def told(self) -> Iterable[str]:
        return self.volume.name, self.volume.driver, self.volume.stack, self.host


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """A secret or config; what is not of a stack can be removed, if nothing uses it."""

    id: str
    kind: str
    name: str
    stack: str

    @property
    def removable(self) -> bool:
        return not self.stack and addressable(self.name)

    def told(self) -> Iterable[str]:
        return self.kind, self.name, self.stack


def removable(network: Network) -> bool:
    """Made for stacks to join, by the platform or by others."""
    kept = network.stack or network.ingress or network.name in EVERY_ENVIRONMENTS
    return network.scope == "swarm" and not kept and addressable(network.name)


def addressable(name: str) -> bool:
    """Hosts tell names, and are not trusted to tell those that an address can hold."""
    return "/" not in name and name not in ("", ".", "..")


def object_rows(view: SnapshotView) -> list[ObjectRow]:
    return [ObjectRow(f"{kind}-{name}", kind, name, stack or "") for kind, name, stack in view.owned]


def purpose(network: Network) -> str:
    if network.ingress:
        return "Carries published ports to the tasks."
    if network.stack:
        return f"Belongs to the stack {network.stack}."
    if network.name in OVERLAYS and network.attachable:
        return "Shared: recipes join it to reach each other."
    return "Stacks may join it." if network.driver == "overlay" else ""


def networks_page(viewer: Viewer, params: Mapping[str, str]) -> Page:
    """All lists are searched at once; ``p`` turns the pages of the volumes, the longest one."""
    view = read(viewer.environment)
    hosts = viewer.host_names()
    all_networks = [NetworkRow(f"network-{one.id}", one, purpose(one), removable(one)) for one in view.networks]
    networks = listing(all_networks, {"q": params.get("q", ""), "p": params.get("np", "")}, NetworkRow.told)
    objects = listing(object_rows(view), {"q": params.get("q", ""), "p": params.get("op", "")}, ObjectRow.told)
    all_volumes = [
        VolumeRow(f"volume-{one.node_id}-{one.name}", one, *hosts.get(one.node_id, (one.node_id[:12], None)))
        for one in view.volumes
    ]
    volumes = listing(all_volumes, params, VolumeRow.told)
    shared = viewer.shared
    context = {
        **shared,
        "notices": notices(viewer),
        "view": view,
        "listing": volumes,
        "network_listing": networks,
        "object_listing": objects,
        "networks": Container(
            "networks", "services/_network_row.html", networks.items, "services/_no_networks.html", shared
        ),
        "objects": Container(
            "objects", "services/_object_row.html", objects.items, "services/_no_objects.html", shared
        ),
        "volumes": Container(
            "volumes", "services/_volume_row.html", volumes.items, "services/_no_volumes.html", shared
        ),
    }
    return Page("networks", "services/networks.html", context, volumes.params)
