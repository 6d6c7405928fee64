"""The newest snapshot of an environment decoded and indexed once for all viewers of this process."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from functools import cached_property
from threading import Lock
from typing import TypeVar
from uuid import UUID

from dashboard.models import Environment, Snapshot
from platform_manager.swarm import snapshot as swarm

KEPT_ENVIRONMENTS = 32
KEPT_CHARACTERS = 12_000_000

Record = TypeVar("Record")


def _by(records: Iterable[Record], key: Callable[[Record], str]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        found[key(record)].append(record)
    return dict(found)


# What is worked out of each column, and can be taken over where the next version has the same column.
DERIVED = {
    "nodes": ("nodes", "node_by_id"),
    "services": ("services", "service_by_id", "services_by_stack"),
    "tasks": ("tasks", "task_by_id", "tasks_by_service", "tasks_by_stack", "tasks_by_node"),
    "networks": ("networks",),
    "volumes": ("volumes",),
}


class SnapshotView:
    """One version of a snapshot; a column is decoded when a page first asks for it."""

    def __init__(self, row: Snapshot, before: SnapshotView | None = None) -> None:
        self._row = row
        self.version = row.version
        self.problem = row.problem
        self.read_at = row.read_at
        self.size = sum(len(getattr(row, column)) for column in DERIVED)
        if before is not None:
            for column, names in DERIVED.items():
                if getattr(row, column) == getattr(before._row, column):
                    self.__dict__.update({name: before.__dict__[name] for name in names if name in before.__dict__})

    @cached_property
    def nodes(self) -> list[swarm.Node]:
        return sorted(swarm.load(swarm.Node, self._row.nodes), key=lambda node: node.hostname)

    @cached_property
    def owned(self) -> list[tuple[str, str, str | None]]:
        """Kind, name and stack of secrets and configs: "" for none, None where an older release did not ask."""
        both = (("secret", self._row.secrets), ("config", self._row.configs))
        return [(kind, name, stack) for kind, row in both for name, stack in sorted(swarm.load_owners(row).items())]

    @cached_property
    def services(self) -> list[swarm.Service]:
        return sorted(swarm.load(swarm.Service, self._row.services), key=lambda service: service.name)

    @cached_property
    def tasks(self) -> list[swarm.Task]:
        """Newest first among the tasks of one service and slot."""
        found = sorted(swarm.load(swarm.Task, self._row.tasks), key=lambda task: task.at, reverse=True)
        return sorted(found, key=lambda task: (task.service, task.slot, task.node_id if not task.slot else ""))

    @cached_property
    def networks(self) -> list[swarm.Network]:
        """Those of the swarm."""
        found = (one for one in swarm.load(swarm.Network, self._row.networks) if one.scope != "local")
        return sorted(found, key=lambda network: network.name)

    @cached_property
    def volumes(self) -> list[swarm.Volume]:
        return sorted(swarm.load(swarm.Volume, self._row.volumes), key=lambda volume: (volume.name, volume.node_id))

    @cached_property
    def node_by_id(self) -> dict[str, swarm.Node]:
        return {node.id: node for node in self.nodes}

    @cached_property
    def service_by_id(self) -> dict[str, swarm.Service]:
        return {service.id: service for service in self.services}

    @cached_property
    def task_by_id(self) -> dict[str, swarm.Task]:
        return {task.id: task for task in self.tasks}

    @cached_property
    def services_by_stack(self) -> dict[str, list[swarm.Service]]:
        return _by(self.services, lambda service: service.stack)

    @cached_property
    def tasks_by_service(self) -> dict[str, list[swarm.Task]]:
        return _by(self.tasks, lambda task: task.service_id)

    @cached_property
    def tasks_by_stack(self) -> dict[str, list[swarm.Task]]:
        return _by(self.tasks, lambda task: task.stack)

    @cached_property
    def tasks_by_node(self) -> dict[str, list[swarm.Task]]:
        return _by(self.tasks, lambda task: task.node_id)


class _Kept:
    """The newest views of the environments looked at last, within bounds on number and size."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._views: OrderedDict[UUID, SnapshotView] = OrderedDict()

    def get(self, environment_id: UUID) -> SnapshotView | None:
        with self._lock:
            return self._views.get(environment_id)

    def put(self, environment_id: UUID, view: SnapshotView) -> None:
        with self._lock:
            self._views[environment_id] = view
            self._views.move_to_end(environment_id)
            while len(self._views) > 1 and self._too_much():
                self._views.popitem(last=False)

    def _too_much(self) -> bool:
        size = sum(view.size for view in self._views.values())
        return len(self._views) > KEPT_ENVIRONMENTS or size > KEPT_CHARACTERS


_kept = _Kept()


def read(environment: Environment) -> SnapshotView:
    """The environment's snapshot; its columns are fetched and decoded once for each version."""
    rows = Snapshot.objects.filter(environment=environment)
    head = rows.values_list("version", "problem", "read_at").first()
    if head is None:
        return SnapshotView(Snapshot())
    view = _kept.get(environment.pk)
    if view is None or view.version != head[0]:
        row = rows.first()
        view = SnapshotView(row or Snapshot(), view)
    else:
        # Only these two change without a new version.
        view.problem, view.read_at = head[1], head[2]
    _kept.put(environment.pk, view)
    return view
