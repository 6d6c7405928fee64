"""One look at a swarm: what its manager answers, and the columns of the snapshot that come of it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from platform_manager.engines.client import EngineClient, EngineError
from platform_manager.swarm import snapshot

LISTS = ("nodes", "services", "tasks", "networks")
# Networks that each engine has for itself.
OWN = ("bridge", "host", "none", "docker_gwbridge")
MOVING_STATES = ("new", "allocated", "assigned", "accepted", "preparing", "ready", "starting")

Answer = list[dict[str, Any]]


@dataclass(frozen=True)
class Answers:
    """The manager's own lists."""

    nodes: Answer
    services: Answer
    tasks: Answer
    networks: Answer


async def ask(manager: EngineClient) -> Answers:
    """Raises EngineError, also for answers that are not what an engine says."""
    found = await asyncio.gather(*(manager.get(f"/{name}") for name in LISTS))
    return Answers(*(_list(name, answer) for name, answer in zip(LISTS, found, strict=True)))


def _list(name: str, answer: object) -> Answer:
    """An empty list where there should be one would say that nothing is there."""
    if answer is None:
        return []
    if not isinstance(answer, list) or not all(isinstance(item, dict) for item in answer):
        raise EngineError(f"Its list of {name} is not one.")
    return answer


class Reading:
    """The answers as flat records, kept until the next look."""

    def __init__(self, answers: Answers) -> None:
        self._services = answers.services
        self._nodes = sorted((snapshot.node(node) for node in answers.nodes), key=lambda node: node.hostname)
        networks = (snapshot.network(one) for one in answers.networks)
        told = (one for one in networks if one.scope == "swarm" or (one.scope == "local" and one.name not in OWN))
        self._networks = sorted(told, key=lambda network: network.name)
        self.tasks = _tasks(answers)
        self.nodes = {node.id: node for node in self._nodes}
        self._answering = {node.id for node in self._nodes if node.answers}
        self.moving = (
            any(task.desired_state == "running" and task.state in MOVING_STATES for task in self.tasks)
            or any(node.answers and node.state != "ready" for node in self._nodes)
            or any(_updating(service) for service in answers.services)
        )

    def columns(self, tasks: Sequence[snapshot.Task]) -> dict[str, str]:
        """With these instead of its own tasks: more may be known of some."""
        return {
            "nodes": snapshot.dump(self._nodes),
            "networks": snapshot.dump(self._networks),
            **self.columns_of_tasks(tasks),
        }

    def columns_of_tasks(self, tasks: Sequence[snapshot.Task]) -> dict[str, str]:
        """Those columns that change with the states of tasks."""
        by_service: defaultdict[str, list[snapshot.Task]] = defaultdict(list)
        for task in tasks:
            by_service[task.service_id].append(task)
        services = [
            snapshot.service(service, by_service.get(snapshot.ident(service.get("ID")), ()), self._answering)
            for service in self._services
        ]
        return {
            "services": snapshot.dump(sorted(services, key=lambda service: service.name)),
            "tasks": snapshot.dump(tasks),
        }


def _tasks(answers: Answers) -> list[snapshot.Task]:
    names = {snapshot.ident(service.get("ID")): _names(service) for service in answers.services}
    flat = [snapshot.task(task, *names.get(snapshot.ident(task.get("ServiceID")), ("", ""))) for task in answers.tasks]
    return sorted(flat, key=lambda task: (task.service, task.slot, task.node_id, task.at))


def _names(service: Mapping[str, Any]) -> tuple[str, str]:
    """Its own name, and its stack's."""
    spec = snapshot.part(service, "Spec")
    return snapshot.text(snapshot.part(spec, "Name"), 255), snapshot.stack_of(snapshot.part(spec, "Labels"))


def _updating(service: Mapping[str, Any]) -> bool:
    return snapshot.part(service, "UpdateStatus", "State") in ("updating", "rollback_started")
