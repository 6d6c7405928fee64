"""Hosts whose machine was changed outside the platform: start a stopped one, make a lost one anew."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.db import transaction

from dashboard.models import Environment, Host, HostRole, HostState, MachineState, Operation, OperationState
from dashboard.operations.hosts.recreate_host import LOST_MACHINES, MADE_BY_US, alive
from dashboard.operations.hosts.start_host import stopped
from dashboard.operations.nodes import quorum
from platform_manager.errors import UserError

from .cloud_hosts import check_may_make
from .hosts import lost_without
from .request import locked, request_operation, requested

ANEW = "It is the last host: its swarm, with all stacks and networks, is lost, and a new one is formed."
HOST_KINDS = ("add_hosts", "remove_host", "start_host", "recreate_host", "change_role")


@dataclass(frozen=True)
class RecreationPlan:
    """Whether a host can be made anew and what comes of it; ``ends`` is the number of stacks that end with it.

    ``offers`` name what would help where it is refused: "start".
    """

    refusal: str
    notes: list[str]
    offers: list[str] = field(default_factory=list)
    ends: int = 0


def may_start(host: Host) -> bool:
    """Whether starting its machine may bring the host back."""
    return host.driver in MADE_BY_US and stopped(host) and not host.link_up


def may_recreate(host: Host) -> bool:
    """Whether the host is lost; the swarm may still refuse to go on without it."""
    return host.driver in MADE_BY_US and not alive(host)


def recreation_plan(host: Host) -> RecreationPlan:
    """Refuse what is not needed, and what would leave the swarm without a majority of managers."""
    if host.driver not in MADE_BY_US:
        return RecreationPlan(
            f"The platform did not make the machine of {host.name}, so it can't make it anew.",
            ["Remove the host, then add the machine again."],
        )
    offers = ["start"] if may_start(host) else []
    if refusal := alive(host):
        return RecreationPlan(refusal, ["Start its machine." if offers else "Remove it, then add another."], offers)
    others = [other for other in host.environment.hosts.exclude(pk=host.pk) if other.node_id]
    if not host.node_id:
        return RecreationPlan("", ["It is not in the swarm; its machine is made anew and joins."])
    if not others:
        return RecreationPlan("", [*_milder(host), ANEW], ends=host.environment.stacks.count())
    if refusal := lost_without(host, others):
        return RecreationPlan(refusal, _ways_out(host), offers)
    return RecreationPlan("", [*_milder(host), *_notes(host, others)])


def _milder(host: Host) -> list[str]:
    """What would bring the host back with its data."""
    if may_start(host):
        return ["Starting its machine may bring it back with its data: try that first."]
    if host.state == HostState.DISCONNECTED and host.machine not in LOST_MACHINES:
        return ["As far as is known its machine runs: it may come back by itself, with its data."]
    return []


def _ways_out(host: Host) -> list[str]:
    if host.machine == MachineState.STOPPED:
        return ["Start its machine, and those of the other lost managers."]
    return [
        "Bring the other lost managers back first: start their machines, or wait until they call in.",
        "If they are lost for good, delete the environment and make it anew.",
    ]


def _notes(host: Host, others: list[Host]) -> list[str]:
    if host.role != HostRole.MANAGER:
        return ["The swarm forgets the old node; the new machine joins as a worker."]
    managers = quorum.managers_of(others)
    spare = len(quorum.answering(managers)) - (len(managers) // 2 + 1)
    loss = "no other manager may fail" if spare == 0 else f"{spare} other manager{'s' if spare > 1 else ''} may fail"
    return [
        "The swarm forgets the old node; the new machine joins as a manager.",
        f"Until then {len(managers)} manager{'s lead' if len(managers) > 1 else ' leads'} the swarm, and {loss}.",
    ]


@transaction.atomic
def recreate_host(host: Host, user: User) -> Operation:
    """Queue the recreation; refused as :func:`recreation_plan` says, and while another operation has the host."""
    environment = locked(host.environment)
    host = environment.hosts.get(pk=host.pk)
    plan = recreation_plan(host)
    if plan.refusal:
        raise UserError(f"{plan.refusal} {' '.join(plan.notes)}")
    check_may_make(environment, user, [host])
    _refuse_busy(environment, host)
    args = {"host": str(host.pk), "hosts": [str(host.pk)], "role": host.role}
    operation = request_operation(environment, user, "recreate_host", f"Recreate {host.name}", args)
    requested("host.recreate", operation, host)
    return operation


@transaction.atomic
def start_host(host: Host, user: User) -> Operation:
    """Queue the start of a stopped machine."""
    environment = locked(host.environment)
    host = environment.hosts.get(pk=host.pk)
    if not may_start(host):
        raise UserError(f"The machine of {host.name} is not known to be stopped; there is nothing to start.")
    _refuse_busy(environment, host)
    operation = request_operation(environment, user, "start_host", f"Start {host.name}", {"host": str(host.pk)})
    requested("host.start", operation, host)
    return operation


def _refuse_busy(environment: Environment, host: Host) -> None:
    """Operations follow one another, and this one was wished for the host as it is now."""
    unfinished = environment.operations.filter(
        kind__in=HOST_KINDS, state__in=(OperationState.QUEUED, OperationState.RUNNING), cancel_requested=False
    )
    for operation in unfinished:
        if str(host.pk) in (operation.args.get("host"), *(operation.args.get("hosts") or [])):
            raise UserError(f"Another operation has {host.name} already: {operation.title}. Wait until it has ended.")
