"""Add and remove hosts, and change their roles."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from dashboard.models import CloudAccount, Environment, Host, HostRole, HostState, LinkKind, Operation, OperationState
from dashboard.operations.clouds.drivers import OPENSTACK
from dashboard.operations.nodes import quorum
from platform_manager.errors import UserError
from platform_manager.swarm.cluster import manager_target

from .cloud_hosts import Choices, checked_options, remember
from .limits import check_may_add_hosts
from .links import make_key
from .request import locked, request_operation, requested
from .staying import checked_leave, keys, told, words

PREFIX = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
QUANTITY = range(1, 21)


@dataclass(frozen=True)
class HostPlan:
    """What adding hosts would give: names, which of them become managers, who is promoted, and why."""

    names: list[str]
    managers: list[str]
    notes: list[str]
    promote: list[Host] = field(default_factory=list)


@dataclass(frozen=True)
class RemovalPlan:
    """Whether and how a host can go. ``offers`` name what would help: "promote" or "add"."""

    refusal: str
    notes: list[str]
    offers: list[str]
    promotable: list[Host]
    promote: list[Host] = field(default_factory=list)
    demote: list[Host] = field(default_factory=list)


def plan_hosts(environment: Environment, prefix: str, quantity: int) -> HostPlan:
    """Names are numbered on from those that exist; managers stay an odd number, at most what the environment wants."""
    names = _names(environment, _checked_prefix(prefix), _checked_quantity(environment, quantity))
    alive = [host for host in environment.hosts.all() if host.state not in (HostState.FAILED, HostState.REMOVING)]
    have = [host for host in alive if host.role == HostRole.MANAGER]
    target = manager_target(environment.managers, len(alive) + len(names))
    missing = max(0, target - len(have))
    managers = names[:missing]
    workers = [host for host in alive if host.role == HostRole.WORKER and host.state == HostState.ACTIVE]
    promote = workers[: missing - len(managers)]
    if (len(have) + len(managers) + len(promote)) % 2 == 0 and (promote or managers):
        # Workers that don't answer can't be promoted now, and an even number is no safer than one less.
        (promote or managers).pop()
    notes = _notes(environment.managers, target, len(alive) + len(names))
    if promote:
        notes.append(f"{', '.join(host.name for host in promote)} will be promoted to manager too.")
    return HostPlan(names, managers, notes, promote)


def _checked_prefix(prefix: str) -> str:
    prefix = prefix.strip()
    if not PREFIX.fullmatch(prefix):
        raise UserError(
            "The prefix takes lower-case letters, digits and -, and starts and ends with a letter or digit.",
            "prefix",
        )
    if len(prefix) > 40:
        raise UserError(f"The prefix has {len(prefix)} characters; 40 is the most.", "prefix")
    return prefix


def _checked_quantity(environment: Environment, quantity: int) -> int:
    if quantity not in QUANTITY:
        raise UserError(
            f"{quantity} hosts can't be added at once: choose 1 to 20, and add more afterwards.", "quantity"
        )
    most = settings.PM_HOSTS_PER_ENVIRONMENT
    have = environment.hosts.count()
    if have + quantity > most:
        raise UserError(f"An environment has at most {most} hosts; this one has {have}.", "quantity")
    check_may_add_hosts(environment, quantity)
    return quantity


def _names(environment: Environment, prefix: str, quantity: int) -> list[str]:
    taken = set(environment.hosts.values_list("name", flat=True))
    numbered = (f"{prefix}-{n:02}" for n in range(1, len(taken) + quantity + 1))
    return [name for name in numbered if name not in taken][:quantity]


def _notes(wanted: int, target: int, hosts: int) -> list[str]:
    if target == wanted:
        return []
    if hosts < wanted:
        why = f"The environment wants {wanted} managers, and there will be {hosts} {'host' if hosts == 1 else 'hosts'}"
    else:
        why = f"The environment wants {wanted} managers"
    more = "one manager tolerates no loss" if target == 1 else f"{target} managers tolerate the loss of {target // 2}"
    even = f"; {hosts} managers would be no safer than {target}" if hosts % 2 == 0 else ""
    lack = wanted - hosts
    return [
        f"{why}: {target} of them will be manager{'' if target == 1 else 's'} ({more}{even}). "
        f"Add {lack} more {'host' if lack == 1 else 'hosts'} later and they are promoted by themselves."
    ]


def add_hosts(
    environment: Environment,
    user: User,
    *,
    driver: str,
    prefix: str,
    quantity: int,
    account: CloudAccount | None = None,
    choices: Choices | None = None,
) -> Operation:
    """Rows for the hosts, and an operation that makes their machines and joins them.

    Hosts of the driver "openstack" take the account in whose project they are and what was chosen there.
    """
    if driver == OPENSTACK and account is not None and choices is not None:
        # The cloud is asked before the environment is locked: it may take seconds to answer.
        options = checked_options(environment, user, account, choices, quantity)
        return _add_hosts(environment, user, driver, prefix, quantity, account, options)
    if driver != "local":
        raise UserError("Choose how the hosts are made.", "driver")
    return _add_hosts(environment, user, driver, prefix, quantity, None, {})


@transaction.atomic
def _add_hosts(
    environment: Environment,
    user: User,
    driver: str,
    prefix: str,
    quantity: int,
    account: CloudAccount | None,
    options: dict[str, object],
) -> Operation:
    environment = locked(environment)
    plan = plan_hosts(environment, prefix, quantity)
    link = LinkKind(str(options.get("link") or LinkKind.REVERSE))
    if account is not None:
        remember(account, options)
    if link == LinkKind.DIRECT:
        make_key(environment)
    hosts = [
        Host.objects.create(
            environment=environment,
            name=name,
            driver=driver,
            account=account,
            options=options,
            link=link,
            role=HostRole.MANAGER if name in plan.managers else HostRole.WORKER,
        )
        for name in plan.names
    ]
    title = f"Add {len(hosts)} hosts: {', '.join(plan.names)}" if len(hosts) > 1 else f"Add {plan.names[0]}"
    args = {
        "hosts": [str(host.pk) for host in hosts],
        "promote": [str(host.pk) for host in plan.promote],
        "driver": driver,
    }
    operation = request_operation(environment, user, "add_hosts", title, args)
    told: dict[str, Any] = {"account": account.name} if account else {}
    requested("hosts.add", operation, name=", ".join(plan.names), driver=driver, **told)
    return operation


def removal_plan(host: Host) -> RemovalPlan:
    """Refuse what would leave the swarm without a majority of managers; say what follows from the rest."""
    environment = host.environment
    others = [other for other in environment.hosts.exclude(pk=host.pk) if other.node_id]
    workers = quorum.promotable(others)
    if not host.node_id:
        return RemovalPlan("", ["It is not in the swarm; only its machine is destroyed."], [], [])
    if not others:
        return RemovalPlan("", ["It is the last host: the swarm, its stacks and networks end with it."], [], [])
    everyone = quorum.managers_of([host, *others])
    if not quorum.holds(everyone):
        notes = ["Bring the lost managers back first. If they are lost for good, delete the environment."]
        return RemovalPlan(lost_without(host, others), notes, [], workers)
    if host.role != HostRole.MANAGER:
        return RemovalPlan("", ["Its tasks move to other hosts first."], [], workers)
    return _manager_plan(host, others, workers)


def lost_without(host: Host, others: list[Host]) -> str:
    """Why the swarm can't go on without the host, as a sentence; "" where it can. ``others`` are the rest of it."""
    managers, everyone = quorum.managers_of(others), quorum.managers_of([host, *others])
    if everyone == [host]:
        return f"{host.name} is the only manager: without it the swarm, its services and its networks are lost."
    if not quorum.holds(everyone):
        return (
            f"Only {len(quorum.answering(everyone))} of {len(everyone)} managers answer, and without a majority "
            "the swarm lets no host go."
        )
    if not quorum.holds(managers):
        return (
            f"Without {host.name} only {len(quorum.answering(managers))} of {len(managers)} managers would answer, "
            f"and the swarm needs {len(managers) // 2 + 1} to make decisions."
        )
    return ""


def _manager_plan(host: Host, others: list[Host], workers: list[Host]) -> RemovalPlan:
    managers = quorum.managers_of(others)
    offers = ["promote", "add"] if workers else ["add"]
    if not managers:
        notes = ["Promote another host to manager, or add hosts, then remove this one."]
        return RemovalPlan(lost_without(host, others), notes, offers, workers)
    if refusal := lost_without(host, others):
        notes = ["Bring the lost managers back, or remove them first, or promote another host."]
        return RemovalPlan(refusal, notes, offers, workers)
    return _keep_odd(host, managers, others, workers)


def _keep_odd(host: Host, managers: list[Host], others: list[Host], workers: list[Host]) -> RemovalPlan:
    promote, demote = quorum.after_removal(host.environment.managers, others)
    left = len(managers) + len(promote) - len(demote)
    notes = ["Its tasks move to other hosts first; then it is demoted and leaves."]
    if promote:
        notes.append(f"{', '.join(other.name for other in promote)} becomes manager in its place.")
    if demote:
        names = ", ".join(other.name for other in demote)
        notes.append(
            f"{names} becomes a worker: {len(managers)} managers would be no safer than {left}. "
            f"The swarm then {'tolerates no loss of a manager' if left == 1 else 'has ' + str(left) + ' managers'}."
        )
    return RemovalPlan("", notes, [], workers, promote, demote)


@transaction.atomic
def remove_host(host: Host, user: User, *, leave: Collection[str] = ()) -> Operation:
    """Queue the removal; refused while it would cost the swarm its majority or while it is on its way already.

    With the id of its cloud account in ``leave``, which must not work, its machine is forgotten and stays in the cloud.
    """
    environment = locked(host.environment)
    plan = removal_plan(host)
    if plan.refusal:
        raise UserError(f"{plan.refusal} {' '.join(plan.notes)}")
    _refuse_twice(environment, "remove_host", {"host": str(host.pk)}, f"{host.name} is being removed already.")
    left = checked_leave(environment, environment.hosts.filter(pk=host.pk).select_related("account"), leave)
    args = {
        "host": str(host.pk),
        "promote": [str(other.pk) for other in plan.promote],
        "demote": [str(other.pk) for other in plan.demote],
        **keys(left),
    }
    title = f"Remove {host.name}{words(left, 'its machine')}"
    operation = request_operation(environment, user, "remove_host", title, args)
    requested("host.remove", operation, host, **told(left))
    return operation


def _refuse_twice(environment: Environment, kind: str, args: dict[str, str], sentence: str) -> None:
    unfinished = environment.operations.filter(
        kind=kind, state__in=(OperationState.QUEUED, OperationState.RUNNING), cancel_requested=False
    )
    if any(args.items() <= operation.args.items() for operation in unfinished):
        raise UserError(sentence)


@transaction.atomic
def promote_host(host: Host, user: User) -> Operation:
    environment = locked(host.environment)
    if host.role == HostRole.MANAGER:
        raise UserError(f"{host.name} is a manager already.")
    if not host.node_id or host.state != HostState.ACTIVE:
        raise UserError(f"{host.name} must be active in the swarm before it can be promoted.")
    _refuse_twice(environment, "change_role", {"host": str(host.pk)}, f"{host.name} is being changed already.")
    args = {"host": str(host.pk), "role": HostRole.MANAGER.value}
    operation = request_operation(environment, user, "change_role", f"Promote {host.name} to manager", args)
    requested("host.promote", operation, host)
    return operation
