"""Whose log is looked at: a stack's, a service's or a task's, and what else of the same stack could be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlencode

from django.urls import reverse

from dashboard.models import Environment
from platform_manager.swarm.snapshot import Service, Task

from .snapshot import SnapshotView

OTHERS = 200


class Choice(NamedTuple):
    """Another log of the same stack; ``query`` is the address's query string."""

    kind: str
    name: str
    query: str
    active: bool


@dataclass
class Subject:
    """``crumbs`` are titles with addresses, from the list of stacks or services down."""

    kind: str
    name: str
    key: str
    crumbs: list[tuple[str, str]] = field(default_factory=list)
    others: list[Choice] = field(default_factory=list)

    @property
    def query(self) -> str:
        return urlencode({self.kind: self.key})


def _find_service(view: SnapshotView, key: str) -> Service | None:
    return view.service_by_id.get(key) or next((s for s in view.services if s.name == key), None)


def subject_of(environment: Environment, view: SnapshotView, params: Mapping[str, str]) -> Subject | None:
    """What ``stack``, ``service`` or ``task`` of the query names; None for what is not there."""
    task: Task | None = None
    service: Service | None = None
    stack = ""
    if key := params.get("task"):
        task = view.task_by_id.get(key)
        if task is None:
            return None
        service, stack = view.service_by_id.get(task.service_id), task.stack
        found = Subject("task", task.name, task.id)
    elif key := params.get("service"):
        service = _find_service(view, key)
        if service is None:
            return None
        stack = service.stack
        found = Subject("service", service.name, service.id)
    else:
        stack = params.get("stack", "")
        known = stack in view.services_by_stack or environment.stacks.filter(name=stack).exists()
        if not stack or not known:
            return None
        found = Subject("stack", stack, stack)
    found.crumbs = _crumbs(environment, stack, service, task)
    found.others = _others(view, stack, service, found)
    return found


def _crumbs(environment: Environment, stack: str, service: Service | None, task: Task | None) -> list[tuple[str, str]]:
    crumbs = []
    if stack:
        crumbs.append(("Stacks", reverse("stacks", args=[environment.pk])))
        crumbs.append((stack, reverse("stack", args=[environment.pk, stack])))
    elif service or task:
        crumbs.append(("Services", reverse("services", args=[environment.pk])))
    if service:
        crumbs.append((service.name, reverse("service", args=[environment.pk, service.id])))
    if task:
        crumbs.append((task.name, reverse("task", args=[environment.pk, task.id])))
    return crumbs


def _others(view: SnapshotView, stack: str, service: Service | None, found: Subject) -> list[Choice]:
    """The stack, its services, and the tasks of the service at hand."""

    def choice(kind: str, name: str, key: str) -> Choice:
        return Choice(kind, name, urlencode({kind: key}), (kind, key) == (found.kind, found.key))

    services = view.services_by_stack.get(stack, []) if stack else [service] if service else []
    tasks = view.tasks_by_service.get(service.id, []) if service else []
    choices = [choice("stack", stack, stack)] if stack else []
    choices += [choice("service", one.name, one.id) for one in services]
    choices += [choice("task", one.name, one.id) for one in tasks if one.desired_state == "running"]
    return choices[:OTHERS]
