"""Create, rename and delete environments."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from dashboard.models import (
    Environment,
    EnvironmentTemplate,
    Host,
    MemberRole,
    Membership,
    Operation,
    OperationState,
    Snapshot,
)
from dashboard.models.auditing import record, record_finished
from dashboard.models.environments import MANAGER_COUNTS
from dashboard.operations.clouds.staying import Staying, offered
from platform_manager.errors import UserError

from .limits import check_may_create_environment
from .request import locked, request_operation, requested
from .staying import checked_leave, keys, told, words

MTU_RANGE = range(576, 9001)


@dataclass(frozen=True)
class DeletionPlan:
    """What goes and what stays when an environment is deleted; ``may_stay`` is what can't be removed from its cloud."""

    destroyed: list[Host]
    kept: list[Host]
    stacks: list[str]
    sentence: str
    may_stay: list[Staying] = field(default_factory=list)


def create_environment(
    user: User,
    *,
    name: str,
    description: str = "",
    template: EnvironmentTemplate | None = None,
    managers: int | None = None,
    mtu: int | None = None,
) -> Environment:
    """A new environment without hosts; what is not given comes from the template."""
    name = _checked_name(user, name)
    if managers is None:
        managers = template.managers if template else 3
    if managers not in dict(MANAGER_COUNTS):
        raise UserError("Choose 1, 3 or 5 managers: an even number is no safer than one less.", "managers")
    if mtu is not None and mtu not in MTU_RANGE:
        raise UserError("The MTU is a number of bytes from 576 to 9000; leave it empty to have it measured.", "mtu")
    try:
        with transaction.atomic():
            check_may_create_environment(user)
            environment = Environment.objects.create(
                name=name,
                description=description.strip(),
                template=template,
                owner=user,
                managers=managers,
                mtu=mtu,
            )
            Membership.objects.create(environment=environment, user=user, role=MemberRole.OWNER)
            Snapshot.objects.create(environment=environment)
            record("environment.create", environment, by=user, managers=managers)
    except IntegrityError:
        raise UserError(f"You have an environment called {name} already. Choose another name.", "name") from None
    return environment


def _checked_name(user: User, name: str, but: Environment | None = None) -> str:
    name = " ".join(name.split())
    if not name:
        raise UserError("Give the environment a name.", "name")
    if len(name) > 60:
        raise UserError(f"The name has {len(name)} characters; 60 is the most.", "name")
    if not name.isprintable():
        raise UserError("The name holds characters that can't be shown.", "name")
    same = Environment.objects.alive().filter(owner=user, name__iexact=name)
    if but is not None:
        same = same.exclude(pk=but.pk)
    if same.exists():
        raise UserError(f"You have an environment called {name} already. Choose another name.", "name")
    return name


def rename_environment(environment: Environment, *, name: str, description: str) -> None:
    name = _checked_name(environment.owner, name, but=environment)
    try:
        with transaction.atomic():
            Environment.objects.filter(pk=environment.pk).update(name=name, description=description.strip())
            if name != environment.name:
                record("environment.rename", environment, after=name)
    except IntegrityError:
        raise UserError(f"You have an environment called {name} already. Choose another name.", "name") from None


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def deletion_plan(environment: Environment) -> DeletionPlan:
    """Machines of the platform are destroyed; custom ones were somebody's before and stay."""
    hosts = list(environment.hosts.select_related("account__owner"))
    destroyed = [host for host in hosts if host.driver != "custom"]
    kept = [host for host in hosts if host.driver == "custom"]
    stacks = list(environment.stacks.values_list("name", flat=True))
    sentence = (
        f"{_counted(len(destroyed), 'machine')} with all data on them, {_counted(len(stacks), 'stack')} "
        "and the environment's networks are destroyed. This can't be undone."
    )
    return DeletionPlan(destroyed, kept, stacks, sentence, offered(environment, hosts))


@transaction.atomic
def delete_environment(
    environment: Environment, user: User, typed_name: str, *, leave: Collection[str] = ()
) -> Operation:
    """Queue the deletion; what waits in the queue is cancelled and what runs is asked to stop.

    ``leave`` are ids of cloud accounts that do not work, whose machines are forgotten and stay in their clouds.
    """
    if " ".join(typed_name.split()) != environment.name:
        raise UserError(f"Type the environment's name, {environment.name}, to delete it.", "typed_name")
    fresh = locked(environment)
    left = checked_leave(fresh, fresh.hosts.select_related("account"), leave)
    fresh.removing_since = timezone.now()
    fresh.save(update_fields=["removing_since"])
    queued = fresh.operations.filter(state=OperationState.QUEUED).select_related("requested_by")
    for waiting in queued.select_for_update(of=("self",)):
        waiting.state, waiting.finished_at = OperationState.CANCELLED, timezone.now()
        waiting.error = "The environment is being deleted."
        waiting.save(update_fields=["state", "finished_at", "error"])
        record_finished(waiting)
    fresh.operations.filter(state=OperationState.RUNNING).update(cancel_requested=True)
    title = f"Delete environment {fresh.name}{words(left, 'machines')}"
    operation = request_operation(fresh, user, "delete_environment", title, keys(left))
    requested("environment.delete", operation, fresh, **told(left))
    return operation
