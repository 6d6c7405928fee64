"""Services and tasks: the list of services, one service, one task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.http import Http404
from django.utils import timezone

from dashboard.models import StackState
from platform_manager.swarm import causes
from platform_manager.swarm.snapshot import Service, Task

from .lists import Listing, listing
from .live import Container, Page
from .looks import UNWELL, Badge, moment, service_badge, task_badge
from .operation_rows import notices
from .places import Places, places
from .snapshot import SnapshotView, read
from .viewer import Viewer

HISTORY = 20
# A task that runs for so long is no longer taken for one more try.
PROVEN = timedelta(seconds=30)
UNWELL_STACKS = (StackState.DEGRADED, StackState.FAILED)


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """``service`` counts only tasks whose host answers; ``unknown`` are the others that may run."""

    id: str
    service: Service
    name: str
    badge: Badge
    unknown: int = 0

    def told(self) -> Iterable[str]:
        one = self.service
        return one.name, one.stack, one.image, one.mode, self.badge.word, *one.ports


@dataclass(frozen=True, slots=True)
class TaskRow:
    """``earlier`` is the error of the task before it in the same slot, while this one does not run yet."""

    id: str
    task: Task
    badge: Badge
    host: str
    host_id: UUID | None
    at: datetime | None
    earlier: str = ""

    @property
    def cause(self) -> str:
        """What its error means, where that is known."""
        return causes.plain(self.task.error)

    def told(self) -> Iterable[str]:
        one = self.task
        return (
            one.name,
            one.image,
            one.error,
            one.message,
            one.id,
            one.container_id,
            self.host,
            self.badge.word,
        )


def service_row(service: Service, view: SnapshotView, at: Places, *, unwell_stack: bool = False) -> ServiceRow:
    """``unwell_stack``: the stack is known not to be well, so a task that has just started proves nothing."""
    shown = at.answering(service)
    current: list[Task] = []
    error = ""
    if shown.running < shown.desired or unwell_stack:
        current, past = split(view.tasks_by_service.get(service.id, ()))
        error = next(iter(last_errors(shown, current, past).values()), "").removeprefix("task: ")
    unknown = at.unknown[service.id]
    badge = service_badge(shown, current, unknown=unknown, error=error)
    name = service.name.removeprefix(f"{service.stack}_") if service.stack else service.name
    return ServiceRow(f"service-{service.id}", shown, name, badge, unknown)


def last_errors(service: Service, current: Iterable[Task], past: Iterable[Task]) -> dict[str, str]:
    """By the ids of current tasks that don't run yet, or not long: how the last try ended, since the last update."""
    ended: dict[tuple[str, str], Task] = {}
    for task in past:
        ended.setdefault(slot_of(task), task)
    proven = timezone.now() - PROVEN
    errors: dict[str, str] = {}
    for task in current:
        last = task if task.state in UNWELL else ended.get(slot_of(task))
        begun = moment(task.at)
        if task.state == "running" and (begun is None or begun < proven):
            continue
        if last is not None and last.state in UNWELL and last.at > service.updated_at:
            errors[task.id] = last.error or last.state
    return errors


def slot_of(task: Task) -> tuple[str, str]:
    """Tasks with the same slot follow each other; global services have one slot for each node."""
    return task.service_id, str(task.slot) if task.slot else task.node_id


def split(tasks: Iterable[Task]) -> tuple[list[Task], list[Task]]:
    """The tasks that are, and those that were; ``tasks`` come newest first within a slot."""
    tasks = list(tasks)
    current: list[Task] = []
    past: list[Task] = []
    # With start-first the task that was replaced ends last, and is the newest of its slot by time.
    seen = {slot_of(task) for task in tasks if _stays(task)}
    for task in tasks:
        slot = slot_of(task)
        (current if _stays(task) or slot not in seen else past).append(task)
        seen.add(slot)
    return current, past


def _stays(task: Task) -> bool:
    return task.desired_state in ("running", "ready") and task.state not in UNWELL


def task_row(task: Task, at: Places, *, row_id: str = "", earlier: str = "") -> TaskRow:
    place = at.of(task)
    badge = task_badge(task, place.away)
    return TaskRow(row_id or f"task-{task.id}", task, badge, place.name, place.host_id, moment(task.at), earlier)


def task_rows(tasks: Iterable[Task], at: Places) -> list[TaskRow]:
    return [task_row(task, at) for task in tasks]


def current_rows(current: Iterable[Task], past: Iterable[Task], at: Places) -> list[TaskRow]:
    """Rows that keep their element while one task follows the other in a slot."""
    errors: dict[tuple[str, str], str] = {}
    for task in past:
        if task.error:
            errors.setdefault(slot_of(task), task.error)
    rows: list[TaskRow] = []
    taken: set[str] = set()
    for task in current:
        row_id = "slot-" + "-".join(slot_of(task))
        if row_id in taken:
            row_id = f"task-{task.id}"
        taken.add(row_id)
        waits = task.state != "running" and not task.error
        earlier = errors.get(slot_of(task), "") if waits else ""
        rows.append(task_row(task, at, row_id=row_id, earlier=earlier))
    return rows


def past_rows(past: Iterable[Task], at: Places) -> list[TaskRow]:
    newest = sorted(past, key=lambda task: task.at, reverse=True)[:HISTORY]
    return [task_row(task, at, row_id=f"past-{task.id}") for task in newest]


def task_containers(
    viewer: Viewer, at: Places, tasks: Iterable[Task], params: Mapping[str, str]
) -> tuple[Listing[TaskRow], dict[str, Container]]:
    """The tables of current and past tasks, as stacks and services show them."""
    current, past = split(tasks)
    found = listing(current_rows(current, past, at), params, TaskRow.told)
    row, none = "services/_task_row.html", "services/_no_tasks.html"
    return found, {
        "tasks": Container("tasks", row, found.items, none, viewer.shared),
        "past": Container("past-tasks", row, past_rows(past, at), "services/_no_past.html", viewer.shared),
    }


def unwell_stacks(viewer: Viewer) -> set[str]:
    """The names of stacks that were judged not to run as they should."""
    return set(viewer.environment.stacks.filter(state__in=UNWELL_STACKS).values_list("name", flat=True))


def services_page(viewer: Viewer, params: Mapping[str, str]) -> Page:
    view = read(viewer.environment)
    at, unwell = places(viewer, view), unwell_stacks(viewer)
    rows = [service_row(service, view, at, unwell_stack=service.stack in unwell) for service in view.services]
    found = listing(rows, params, ServiceRow.told)
    empty = "services/_nothing_found.html" if found.query else "services/_empty.html"
    services = Container("services", "services/_row.html", found.items, empty, viewer.shared)
    context = {**viewer.shared, "notices": notices(viewer), "view": view, "listing": found, "services": services}
    return Page("services", "services/list.html", context, found.params)


def service_page(viewer: Viewer, params: Mapping[str, str]) -> Page:
    """``params`` hold ``service_id``, which may be the service's name too."""
    view = read(viewer.environment)
    wanted = params.get("service_id", "")
    service = view.service_by_id.get(wanted) or next((one for one in view.services if one.name == wanted), None)
    if service is None:
        raise Http404("There is no such service in this environment (any more).")
    at = places(viewer, view)
    found, containers = task_containers(viewer, at, view.tasks_by_service.get(service.id, ()), params)
    row = service_row(service, view, at, unwell_stack=service.stack in unwell_stacks(viewer))
    head = Container("service-head", "services/_head.html", [row], shared=viewer.shared)
    context = {
        **viewer.shared,
        "notices": notices(viewer),
        "view": view,
        "service": service,
        "listing": found,
        "head": head,
        **containers,
    }
    return Page("service", "services/detail.html", context, {**found.params, "service_id": service.id})


def task_page(viewer: Viewer, params: Mapping[str, str]) -> Page:
    """``params`` hold ``task_id``."""
    view = read(viewer.environment)
    task = view.task_by_id.get(params.get("task_id", ""))
    if task is None:
        raise Http404("There is no such task (any more): the swarm keeps only the last few of each slot.")
    head = Container(
        "task-head",
        "services/_task_head.html",
        [task_row(task, places(viewer, view))],
        shared=viewer.shared,
    )
    context = {**viewer.shared, "notices": notices(viewer), "view": view, "task": task, "head": head}
    return Page("task", "services/task.html", context, {"task_id": task.id})
