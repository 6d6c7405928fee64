"""Hosts: the list, and one host with its tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404

from dashboard.flows.recreate import may_recreate, may_start
from dashboard.models import Host, HostRole, HostState, Operation
from platform_manager.swarm.snapshot import Node

from .lists import listing
from .live import Container, Page
from .looks import Badge, badge_of, machine_badge
from .made_of import Fact, made_of
from .operation_rows import notices, operation_rows
from .places import may_run, places
from .services import task_rows
from .snapshot import SnapshotView, read
from .viewer import Viewer


@dataclass(frozen=True, slots=True)
class HostRow:
    """``memory`` and ``disk`` are bytes, 0 where the host has not said yet.

    ``machine`` is None while the machine is as it should be; ``detail`` says what became of it otherwise.

    ``tasks`` are known to run; ``unknown`` did when the host last answered.
    """

    id: str
    host_id: UUID
    name: str
    role: str
    leader: bool
    badge: Badge
    machine: Badge | None
    detail: str
    engine_version: str
    cpus: float
    memory: int
    disk: int
    addresses: tuple[str, ...]
    tasks: int
    unknown: int
    link_up: bool
    link_changed_at: datetime | None

    def told(self) -> Iterable[str]:
        machine = self.machine.word if self.machine else ""
        return self.name, self.role, self.badge.word, machine, self.detail, self.engine_version, *self.addresses


def number(value: object) -> float:
    """A fact that should be a number; hosts tell facts, and are not trusted to tell numbers."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else 0


def host_row(host: Host, view: SnapshotView) -> HostRow:
    node: Node | None = view.node_by_id.get(host.node_id) if host.node_id else None
    facts = host.facts if isinstance(host.facts, dict) else {}
    running = sum(map(may_run, view.tasks_by_node.get(host.node_id, ()))) if node else 0
    away = host.state == HostState.DISCONNECTED or (node is not None and not node.answers)
    return HostRow(
        id=f"host-{host.pk}",
        host_id=host.pk,
        name=host.name,
        role=HostRole(node.role if node and node.role in HostRole.values else host.role).label,
        leader=bool(node and node.leader),
        badge=badge_of(host),
        machine=machine_badge(host),
        # Why the machine is away says more than that it is.
        detail=(host.machine_detail or host.state_detail).split("\n", 1)[0][:300],
        engine_version=node.engine_version if node else str(facts.get("engine_version", ""))[:40],
        cpus=node.cpus if node else number(facts.get("cpus")),
        memory=node.memory if node else int(number(facts.get("memory_bytes"))),
        disk=int(number(facts.get("disk_bytes"))),
        addresses=tuple(str(address)[:64] for address in host.addresses[:6]),
        tasks=0 if away else running,
        unknown=running if away else 0,
        link_up=host.link_up,
        link_changed_at=host.link_changed_at,
    )


def host_rows(viewer: Viewer, view: SnapshotView) -> list[HostRow]:
    return [host_row(host, view) for host in viewer.environment.hosts.all()]


def host_container(viewer: Viewer, rows: Iterable[HostRow], *, searched: bool = False) -> Container:
    return Container(
        id="hosts",
        template="hosts/_row.html",
        rows=list(rows),
        empty="hosts/_nothing_found.html" if searched else "hosts/_empty.html",
        shared=viewer.shared,
    )


def hosts_page(viewer: Viewer, params: Mapping[str, str]) -> Page:
    view = read(viewer.environment)
    found = listing(host_rows(viewer, view), params, HostRow.told)
    hosts = host_container(viewer, found.items, searched=bool(found.query))
    context = {**viewer.shared, "notices": notices(viewer), "view": view, "listing": found, "hosts": hosts}
    return Page("hosts", "hosts/list.html", context, found.params)


@dataclass(frozen=True, slots=True)
class HostHead:
    """What stands at the top of a host's page.

    ``said`` is why it is as it is, ``console`` the end of its machine's; ``noticed_at`` is when that was found changed.
    """

    id: str
    row: HostRow
    node: Node | None
    facts: tuple[Fact, ...]
    said: str
    console: str
    noticed_at: datetime | None
    may_start: bool
    may_recreate: bool


FACTS = {
    "os": "Operating system",
    "kernel": "Kernel",
    "architecture": "Architecture",
    "hostname": "Machine name",
}


def host_head(host: Host, row: HostRow, node: Node | None, viewer: Viewer) -> HostHead:
    # That it dials in again is not true of one whose machine is away.
    detail = "" if row.machine and host.state == HostState.DISCONNECTED else host.state_detail
    said, _, console = detail.partition("\n")
    return HostHead(
        id="host-head",
        row=row,
        node=node,
        facts=(*_told(host), *made_of(host, viewer)),
        said=said,
        console=console,
        noticed_at=host.machine_seen_at if row.machine else None,
        may_start=may_start(host),
        may_recreate=may_recreate(host),
    )


def _told(host: Host) -> list[Fact]:
    """What the machine tells of itself."""
    facts = [Fact(label, str(host.facts.get(key, ""))[:200]) for key, label in FACTS.items()]
    mtu = int(number(host.facts.get("mtu")))
    return [fact for fact in (*facts, Fact("MTU measured", f"{mtu} bytes" if mtu else "")) if fact.text]


def host_of(viewer: Viewer, host_id: UUID | str) -> Host:
    host = viewer.environment.hosts.select_related("account").filter(pk=host_id).first()
    if host is None:
        raise Http404("There is no such host in this environment.")
    return host


def operations_on(host: Host) -> list[Operation]:
    """The newest operations that name this host."""
    recent = Operation.objects.filter(environment_id=host.environment_id).select_related("requested_by")[:200]
    return [operation for operation in recent if _concerns(operation.args, host)][:10]


def _concerns(args: dict[str, Any], host: Host) -> bool:
    told = [args.get("host"), args.get("host_id"), *(args.get("hosts") or []), *(args.get("host_ids") or [])]
    return str(host.pk) in map(str, told) or host.name in map(str, told)


def host_page(viewer: Viewer, params: Mapping[str, str]) -> Page:
    """``params`` hold ``host_id``."""
    host = host_of(viewer, params.get("host_id", ""))
    view = read(viewer.environment)
    node = view.node_by_id.get(host.node_id) if host.node_id else None
    head = host_head(host, host_row(host, view), node, viewer)
    tasks = [task for task in view.tasks_by_node.get(host.node_id, ()) if host.node_id]
    found = listing(task_rows(tasks, places(viewer, view)), params, lambda row: row.told())
    of_host = {**viewer.shared, "of_host": True}
    context = {
        **viewer.shared,
        "notices": notices(viewer),
        "host": host,
        "view": view,
        "listing": found,
        "head": Container("host-state", "hosts/_head.html", [head], shared=viewer.shared),
        "tasks": Container("tasks", "services/_task_row.html", found.items, "services/_no_tasks.html", of_host),
        "operations": Container(
            "host-operations",
            "environment/_operation_row.html",
            operation_rows(operations_on(host)),
            "hosts/_no_operations.html",
            viewer.shared,
        ),
    }
    return Page("host", "hosts/detail.html", context, {**found.params, "host_id": str(host.pk)})
