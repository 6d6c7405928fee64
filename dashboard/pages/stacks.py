"""Stacks: the list, and one stack with its services, tasks and revisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.http import Http404

from dashboard.models import Stack
from platform_manager.swarm.snapshot import Service

from .deploy_sources import upgrade
from .lists import listing
from .live import Container, Page
from .looks import Badge, badge_of, unwell
from .operation_rows import notices
from .places import Places, lost_sentence, places
from .port_links import PortLink, port_links
from .revisions import revision_rows, trouble_of
from .services import service_row, task_containers
from .snapshot import SnapshotView, read
from .viewer import Viewer

OUTSIDE = "Deployed outside the platform. It can be adopted, to be updated here, or left alone."


@dataclass(frozen=True, slots=True)
class StackRow:
    """``running`` of ``desired`` tasks; ``unknown`` are those whose host does not answer.

    ``managed`` is False for stacks that were deployed outside the platform. ``links`` are the ports on its own page.
    """

    id: str
    name: str
    badge: Badge
    sentence: str
    services: int
    running: int
    desired: int
    ports: tuple[str, ...]
    managed: bool
    recipe: str
    unknown: int = 0
    links: tuple[PortLink, ...] = ()

    @property
    def news(self) -> str:
        """The sentence, where it says more than the numbers next to it."""
        return "" if self.sentence == f"{self.running} of {self.desired} tasks running." else self.sentence

    def told(self) -> Iterable[str]:
        return self.name, self.badge.word, self.sentence, self.recipe, *self.ports


def _outside(running: int, desired: int) -> Badge:
    if running >= desired:
        return Badge("Running", "green", False, OUTSIDE)
    return Badge("Degraded", "yellow", False, OUTSIDE)


def _badge(stack: Stack | None, running: int, desired: int, unknown: int) -> tuple[Badge, str]:
    """The state and its sentence. A stack that ran when it was judged last does not while a host of it is away."""
    badge = badge_of(stack) if stack else _outside(running, desired)
    sentence = (stack.sentence if stack else "") or badge.sentence
    if not unknown or badge.word not in ("Running", "Degraded"):
        return badge, sentence
    lost = lost_sentence(unknown)
    return Badge("Degraded", "yellow", False, lost), f"{lost} {running} of {desired} tasks running."


def stack_row(name: str, stack: Stack | None, services: Sequence[Service], at: Places) -> StackRow:
    answering = [at.answering(service) for service in services]
    running = sum(min(service.running, service.desired) for service in answering)
    desired = sum(service.desired for service in services)
    unknown = at.unknown_of(services)
    badge, sentence = _badge(stack, running, desired, unknown)
    return StackRow(
        id=f"stack-{name}",
        name=name,
        badge=badge,
        sentence=sentence,
        services=len(services),
        running=running,
        desired=desired,
        ports=tuple(sorted({port for service in services for port in service.ports}))[:20],
        managed=stack is not None,
        recipe=stack.recipe if stack else "",
        unknown=unknown,
    )


def stack_rows(viewer: Viewer, view: SnapshotView, at: Places) -> list[StackRow]:
    """All stacks: those of the platform and those the swarm has besides."""
    known = {stack.name: stack for stack in viewer.environment.stacks.all()}
    names = sorted({*known, *view.services_by_stack} - {""})
    return [stack_row(name, known.get(name), view.services_by_stack.get(name, []), at) for name in names]


def stack_container(viewer: Viewer, rows: Iterable[StackRow], *, searched: bool = False) -> Container:
    empty = "stacks/_nothing_found.html" if searched else "stacks/_empty.html"
    return Container("stacks", "stacks/_row.html", list(rows), empty, viewer.shared)


def stacks_page(viewer: Viewer, params: Mapping[str, str]) -> Page:
    view = read(viewer.environment)
    found = listing(stack_rows(viewer, view, places(viewer, view)), params, StackRow.told)
    stacks = stack_container(viewer, found.items, searched=bool(found.query))
    context = {**viewer.shared, "notices": notices(viewer), "view": view, "listing": found, "stacks": stacks}
    return Page("stacks", "stacks/list.html", context, found.params)


def stack_page(viewer: Viewer, params: Mapping[str, str]) -> Page:
    """``params`` hold ``name``."""
    name = params.get("name", "")
    view = read(viewer.environment)
    stack = viewer.environment.stacks.filter(name=name).first()
    services = view.services_by_stack.get(name, []) if name else []
    if stack is None and not services:
        raise Http404("There is no such stack in this environment.")
    at = places(viewer, view)
    found, containers = task_containers(viewer, at, view.tasks_by_stack.get(name, ()), params)
    links = port_links(viewer.environment, services, view.tasks_by_stack.get(name, ()))
    head = replace(stack_row(name, stack, services, at), links=links)
    shared = viewer.shared
    of_stack, of_name = {**shared, "of_stack": True}, {**shared, "name": name}
    revisions = revision_rows(stack)
    rows = [service_row(service, view, at, unwell_stack=unwell(head.badge)) for service in services]
    context = {
        **shared,
        "notices": notices(viewer),
        "view": view,
        "name": name,
        "stack": stack,
        "upgrade": upgrade(viewer, stack) if stack else None,
        "comparable": len(revisions) > 1,
        "listing": found,
        "head": Container("stack-head", "stacks/_head.html", [head], shared=shared),
        "services": Container("services", "services/_row.html", rows, "services/_empty_stack.html", of_stack),
        "trouble": Container("stack-trouble", "stacks/_trouble.html", trouble_of(stack), shared=shared),
        "revisions": Container("revisions", "stacks/_revision_row.html", revisions, shared=of_name),
        **containers,
    }
    return Page("stack", "stacks/detail.html", context, {**found.params, "name": name})
