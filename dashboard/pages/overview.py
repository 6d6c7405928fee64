"""The environment's first page: hosts, stacks, what needs attention, and what is going on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard.models import Environment, HostRole, HostState

from .hosts import HostRow, host_container, host_rows
from .lists import listing
from .live import Container, Page
from .looks import STARTING, unwell
from .operation_rows import latest, unfinished
from .services import TaskRow, split, task_row
from .snapshot import SnapshotView, read
from .stacks import StackRow, stack_container, stack_rows
from .viewer import Viewer

SHOWN_STACKS = 25
SHOWN_TASKS = 10


@dataclass(frozen=True, slots=True)
class Summary:
    """The environment in numbers; ``memory`` is bytes."""

    id: str
    hosts: int
    active_hosts: int
    managers: int
    managers_away: int
    managers_wanted: int
    stacks: int
    unwell_stacks: int
    services: int
    whole_services: int
    tasks_running: int
    tasks_wanted: int
    cpus: float
    memory: int
    mtu: int
    template: str
    problem: str

    @property
    def manager_sentence(self) -> str:
        if self.managers_away:
            return f"{self.managers_away} {'does' if self.managers_away == 1 else 'do'} not answer"
        if self.managers >= self.managers_wanted:
            may_fail = (self.managers - 1) // 2
            return f"{may_fail} may fail" if may_fail else "none may fail"
        return f"{self.managers_wanted - self.managers} more when hosts are added"


def summary(
    environment: Environment, view: SnapshotView, hosts: Sequence[HostRow], stacks: Sequence[StackRow]
) -> Summary:
    managers, away = HostRole.MANAGER.label, HostState.DISCONNECTED.label
    return Summary(
        id="summary-tiles",
        hosts=len(hosts),
        active_hosts=sum(host.badge.word == "Active" for host in hosts),
        managers=sum(host.role == managers and host.badge.word == "Active" for host in hosts),
        managers_away=sum(host.role == managers and host.badge.word == away for host in hosts),
        managers_wanted=environment.managers,
        stacks=len(stacks),
        unwell_stacks=sum(unwell(stack.badge) for stack in stacks),
        services=len(view.services),
        whole_services=sum(service.running >= service.desired for service in view.services),
        tasks_running=sum(min(service.running, service.desired) for service in view.services),
        tasks_wanted=sum(service.desired for service in view.services),
        cpus=sum(host.cpus for host in hosts),
        memory=sum(host.memory for host in hosts),
        mtu=environment.mtu or 0,
        template=environment.template.name if environment.template else "",
        problem=view.problem,
    )


def attention(viewer: Viewer, view: SnapshotView) -> list[TaskRow]:
    """Tasks of services that lack some: the ones that do not run, each with its full error."""
    short = [service for service in view.services if service.running < service.desired]
    if not short:
        return []
    hosts = viewer.host_names()
    rows: list[TaskRow] = []
    for service in short:
        current, past = split(view.tasks_by_service.get(service.id, ()))
        errors = [task for task in past if task.error]
        for task in current:
            if task.state == "running" or len(rows) == SHOWN_TASKS:
                continue
            earlier = next((one.error for one in errors if one.slot == task.slot), "") if not task.error else ""
            if task.state not in STARTING or task.error or earlier:
                rows.append(task_row(task, view, hosts, row_id=f"unwell-{task.id}", earlier=earlier))
    return rows


def overview_page(viewer: Viewer, params: Mapping[str, str]) -> Page:
    environment, shared = viewer.environment, viewer.shared
    view = read(environment)
    hosts, stacks = host_rows(viewer, view), stack_rows(viewer, view)
    found = listing(hosts, params, HostRow.told)
    worst_first = sorted(stacks, key=lambda stack: not unwell(stack.badge))[:SHOWN_STACKS]
    totals = summary(environment, view, hosts, stacks)
    context = {
        **shared,
        "view": view,
        "listing": found,
        "stack_count": len(stacks),
        "summary": Container("summary", "environment/_summary.html", [totals], shared=shared),
        "running": Container("running", "environment/_running.html", unfinished(environment), shared=shared),
        "hosts": host_container(viewer, found.items, searched=bool(found.query)),
        "stacks": stack_container(viewer, worst_first),
        "attention": Container(
            "attention",
            "services/_task_row.html",
            attention(viewer, view),
            "environment/_all_well.html",
            shared,
        ),
        "latest": Container(
            "latest",
            "environment/_operation_row.html",
            latest(environment),
            "environment/_no_operations.html",
            shared,
        ),
    }
    return Page("overview", "environment/overview.html", context, found.params)
