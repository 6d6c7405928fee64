"""The environment's first page: hosts, stacks, what needs attention, and what is going on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboard.models import Environment, HostRole, HostState, Right

from .hosts import HostRow, host_container, host_rows
from .lists import listing
from .live import Container, Page
from .looks import STARTING, unwell
from .operation_rows import latest, notices, unfinished
from .places import Places, places
from .services import TaskRow, last_errors, split, task_row
from .snapshot import SnapshotView, read
from .stacks import StackRow, stack_container, stack_rows
from .viewer import Viewer

SHOWN_STACKS = 25
SHOWN_TASKS = 10
NAMED_MACHINES = 5


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
    tasks_unknown: int
    cpus: float
    memory: int
    problem: str
    machines: str
    removing: bool

    @property
    def manager_sentence(self) -> str:
        if self.managers_away:
            return f"{self.managers_away} {'does' if self.managers_away == 1 else 'do'} not answer"
        if self.managers >= self.managers_wanted:
            may_fail = (self.managers - 1) // 2
            return f"{may_fail} may fail" if may_fail else "none may fail"
        return f"{self.managers_wanted - self.managers} more when hosts are added"


def summary(
    environment: Environment, view: SnapshotView, hosts: Sequence[HostRow], stacks: Sequence[StackRow], at: Places
) -> Summary:
    services = [at.answering(service) for service in view.services]
    managers = HostRole.MANAGER.label
    away = (HostState.DISCONNECTED.label, HostState.RECONNECTING.label)
    return Summary(
        id="summary-tiles",
        hosts=len(hosts),
        active_hosts=sum(host.badge.word == "Active" for host in hosts),
        managers=sum(host.role == managers and host.badge.word == "Active" for host in hosts),
        managers_away=sum(host.role == managers and host.badge.word in away for host in hosts),
        managers_wanted=environment.managers,
        stacks=len(stacks),
        unwell_stacks=sum(unwell(stack.badge) for stack in stacks),
        services=len(services),
        whole_services=sum(service.running >= service.desired for service in services),
        tasks_running=sum(min(service.running, service.desired) for service in services),
        tasks_wanted=sum(service.desired for service in services),
        tasks_unknown=at.unknown_of(services),
        cpus=sum(host.cpus for host in hosts),
        memory=sum(host.memory for host in hosts),
        problem=view.problem,
        machines=machines_sentence(hosts),
        removing=environment.removing_since is not None,
    )


def machines_sentence(hosts: Sequence[HostRow]) -> str:
    """Which machines were changed outside the platform; empty where all are as they should be."""
    changed = [f"{host.name} is {host.machine.word.lower()}" for host in hosts if host.machine]
    more = f", and {len(changed) - NAMED_MACHINES} more" if len(changed) > NAMED_MACHINES else ""
    return f"{', '.join(changed[:NAMED_MACHINES])}{more}." if changed else ""


@dataclass(frozen=True, slots=True)
class Buttons:
    """What the viewer may do; the first step of a new environment is its hosts, later it is stacks."""

    id: str
    hosts: bool
    deploy: bool
    has_hosts: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What the environment is; ``mtu`` is bytes, 0 until the first hosts measured it."""

    id: str
    template: str
    managers: int
    mtu: int
    owner: str
    created_at: datetime
    role: str


def facts(viewer: Viewer) -> Facts:
    environment = viewer.environment
    return Facts(
        id="facts",
        template=environment.template.name if environment.template else "",
        managers=environment.managers,
        mtu=environment.swarm_mtu or environment.mtu or 0,
        owner=str(environment.owner),
        created_at=environment.created_at,
        role=str(viewer.role_word),
    )


def attention(view: SnapshotView, at: Places, unwell_stacks: Collection[str]) -> list[TaskRow]:
    """Tasks of services that lack some or keep failing: those that do not run well, each with its full error."""
    rows: list[TaskRow] = []
    for service in map(at.answering, view.services):
        shaky = service.stack in unwell_stacks
        if service.running >= service.desired and not shaky:
            continue
        current, past = split(view.tasks_by_service.get(service.id, ()))
        errors = last_errors(service, current, past)
        for task in current:
            earlier = "" if task.error else errors.get(task.id, "")
            starting = task.state in STARTING and not task.error and not earlier
            runs = task.state == "running" and not at.of(task).away and not (shaky and earlier)
            if not starting and not runs and len(rows) < SHOWN_TASKS:
                rows.append(task_row(task, at, row_id=f"unwell-{task.id}", earlier=earlier))
    return rows


def overview_page(viewer: Viewer, params: Mapping[str, str]) -> Page:
    environment, shared = viewer.environment, viewer.shared
    view = read(environment)
    at = places(viewer, view)
    hosts, stacks = host_rows(viewer, view), stack_rows(viewer, view, at)
    found = listing(hosts, params, HostRow.told)
    worst_first = sorted(stacks, key=lambda stack: not unwell(stack.badge))[:SHOWN_STACKS]
    totals = summary(environment, view, hosts, stacks, at)
    buttons = Buttons("overview-buttons", viewer.may(Right.HOSTS), viewer.may(Right.DEPLOY), bool(hosts))
    context = {
        **shared,
        "notices": notices(viewer),
        "view": view,
        "listing": found,
        "stack_count": len(stacks),
        "buttons": Container("buttons", "environment/_buttons.html", [buttons], shared=shared),
        "facts": Container("environment-facts", "environment/_facts.html", [facts(viewer)], shared=shared),
        "summary": Container("summary", "environment/_summary.html", [totals], shared=shared),
        "running": Container("running", "environment/_running.html", unfinished(environment), shared=shared),
        "hosts": host_container(viewer, found.items, searched=bool(found.query)),
        "stacks": stack_container(viewer, worst_first),
        "attention": Container(
            "attention",
            "services/_task_row.html",
            attention(view, at, {stack.name for stack in stacks if unwell(stack.badge)}),
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
