"""Where tasks are, and whether those places answer.

The platform notices a lost host sooner than the swarm does, which goes on counting its tasks as running. What is shown
counts only tasks whose host answers; the others are unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from uuid import UUID

from dashboard.models import HostState
from platform_manager.swarm.snapshot import Service, Task

from .snapshot import SnapshotView
from .viewer import Viewer


class Place(NamedTuple):
    """A host; without an id it is a node that the platform does not know."""

    name: str
    host_id: UUID | None = None
    away: bool = False


@dataclass(frozen=True)
class Places:
    """The hosts by their nodes' ids, and by service the tasks that may or may not run.

    ``counted`` are those of them that the swarm still takes for running.
    """

    by_node: Mapping[str, Place]
    unknown: Counter[str] = field(default_factory=Counter)
    counted: Counter[str] = field(default_factory=Counter)

    def of(self, task: Task) -> Place:
        return self.by_node.get(task.node_id, Place(task.node_id[:12]))

    def answering(self, service: Service) -> Service:
        """The service without the running tasks of hosts that do not answer."""
        lost = self.counted[service.id]
        return replace(service, running=max(0, service.running - lost)) if lost else service

    def unknown_of(self, services: Iterable[Service]) -> int:
        return sum(self.unknown[service.id] for service in services) if self.unknown else 0


def places(viewer: Viewer, view: SnapshotView) -> Places:
    hosts = viewer.environment.hosts.exclude(node_id="").values_list("node_id", "name", "pk", "state")
    known = {node_id: Place(name, pk, state == HostState.DISCONNECTED) for node_id, name, pk, state in hosts}
    found = Places({})
    by_node = {node.id: Place(node.hostname, None, not node.answers) for node in view.nodes}
    for node_id, place in known.items():
        by_node[node_id] = place._replace(away=place.away or by_node.get(node_id, place).away)
    for node_id in [node_id for node_id, place in by_node.items() if place.away]:
        node = view.node_by_id.get(node_id)
        lost = [task.service_id for task in view.tasks_by_node.get(node_id, ()) if may_run(task)]
        found.unknown.update(lost)
        if node is not None and node.answers:
            found.counted.update(lost)
    return replace(found, by_node=by_node)


def may_run(task: Task) -> bool:
    """It ran when its host last answered, and should."""
    return task.state == "running" and task.desired_state == "running"


def lost_sentence(unknown: int) -> str:
    """Why fewer tasks are counted than may run; empty when all is known."""
    if not unknown:
        return ""
    return f"{unknown} {'task is' if unknown == 1 else 'tasks are'} on a host that does not answer."
