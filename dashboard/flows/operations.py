"""Cancel and repeat operations."""

from __future__ import annotations

from dataclasses import replace

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from dashboard.models import Environment, Host, HostState, Operation, OperationState, Revision, Stack, StackState
from dashboard.models.auditing import record, record_finished
from dashboard.models.hints import hint, operation_group
from dashboard.operations import catalogue
from dashboard.operations.context import StepContext
from dashboard.operations.deploying.planned import PLANNED_ON
from dashboard.operations.kinds import find_kind
from platform_manager.errors import UserError
from platform_manager.swarm.plan import Plan

from .cloud_hosts import check_may_make
from .environments import delete_environment
from .plan_memory import recall
from .plans import plan_stack
from .request import locked, request_operation, requested
from .revisions import wish_of
from .stacks import Wish, check_allowed
from .staying import checked_leave


@transaction.atomic
def cancel_operation(operation: Operation, user: User) -> None:
    """A queued operation ends at once, a running one at its next safe point."""
    catalogue.load()
    kind = find_kind(operation.kind)
    if kind is not None and not kind.cancellable and not operation.finished:
        raise UserError("This operation can't be stopped halfway: wait until it has ended, which it does by itself.")
    record("operation.cancel", operation, by=user)
    queued = Operation.objects.filter(pk=operation.pk, state=OperationState.QUEUED).update(
        state=OperationState.CANCELLED, cancel_requested=True, finished_at=timezone.now(), error="Cancelled."
    )
    if queued:
        if kind is not None and kind.failed is not None:
            kind.failed(StepContext(operation, 0), "Cancelled before it began.")
        operation.refresh_from_db()
        record_finished(operation)
    elif not Operation.objects.filter(pk=operation.pk, state=OperationState.RUNNING).update(cancel_requested=True):
        raise UserError("The operation has ended already.")
    hint(operation_group(operation.pk))


@transaction.atomic
def retry_operation(operation: Operation, user: User) -> Operation:
    """The same work again; finished parts are found and kept."""
    catalogue.load()
    if operation.state not in (OperationState.FAILED, OperationState.CANCELLED):
        raise UserError("Only an operation that failed or was cancelled can be repeated.")
    kind = find_kind(operation.kind)
    if kind is None or not kind.retryable:
        raise UserError("This operation can't be repeated: ask for its work anew.")
    environment = locked(operation.environment)
    if operation.retries.filter(state__in=(OperationState.QUEUED, OperationState.RUNNING)).exists():
        raise UserError("It is being repeated already.")
    again = _asked_again(operation, environment, user)
    again.retry_of = operation
    again.save(update_fields=["retry_of"])
    # What a revision tells of its steps is told by the newest try.
    Revision.objects.filter(operation=operation).update(operation=again)
    requested("operation.retry", again, operation)
    return again


def plan_of_retry(operation: Operation) -> Plan:
    """What repeating a deployment would change; raises as ``plan_stack`` does, UserError where it can't be repeated."""
    revision = _repeatable(operation)
    wish = _wished_again(revision)
    return plan_stack(revision.stack.environment, wish, updating=True, pins=revision.pins)


def _asked_again(operation: Operation, environment: Environment, user: User) -> Operation:
    args = operation.args
    if operation.kind == "delete_environment":
        return delete_environment(environment, user, environment.name, leave=operation.args.get("leave", ()))
    if operation.kind == "remove_host":
        hosts = environment.hosts.filter(pk=operation.args["host"]).select_related("account")
        checked_leave(environment, hosts, operation.args.get("leave", ()))
    if operation.kind == "deploy_stack":
        args = {**args, PLANNED_ON: _plan_revision_again(operation)}
    if operation.kind in ("add_hosts", "recreate_host"):
        check_may_make(environment, user, Host.objects.filter(pk__in=operation.args["hosts"]))
    if operation.kind == "add_hosts" or operation.args.get("cleared"):
        # A host whose machine never came is tried anew; one a user removed meanwhile stays removed.
        Host.objects.filter(pk__in=operation.args["hosts"], state=HostState.FAILED).update(
            state=HostState.REQUESTED, state_detail=""
        )
    return request_operation(environment, user, operation.kind, operation.title, args)


def _repeatable(operation: Operation) -> Revision:
    """Only the newest revision: an older one would undo what was deployed since, and nothing would say so."""
    revision = Revision.objects.select_related("stack").filter(pk=operation.args["revision"]).first()
    if revision is None or revision.stack.state == StackState.REMOVING:
        raise UserError("The stack was removed since: deploy it anew.")
    stack = revision.stack
    if stack.revisions.filter(n__gt=revision.n).exists():
        raise UserError(f"{stack.name} was updated since: repeat the newest deployment, or update the stack again.")
    same = stack.environment.operations.filter(kind=operation.kind, args__revision=revision.pk)
    if same.filter(state__in=(OperationState.QUEUED, OperationState.RUNNING)).exists():
        raise UserError(f"{stack.name} is being deployed already.")
    return revision


def _wished_again(revision: Revision) -> Wish:
    """With the wish to remove what runs first, as long as nothing was."""
    return replace(wish_of(revision), anew=bool(revision.wishes.get("anew")))


def _plan_revision_again(operation: Operation) -> str:
    """The state of the swarm that its plan was shown for, "" where none was."""
    revision = _repeatable(operation)
    stack, wish = revision.stack, _wished_again(revision)
    # It may be long ago that somebody looked at it.
    check_allowed(stack.environment, wish)
    shown = recall(stack.environment, wish, revision.pins)
    Revision.objects.filter(pk=revision.pk).update(
        plan=shown.text,
        state=StackState.PLANNING,
        sentence="",
        updates_before=None,
        held_before=None,
        failures=[],
        finished_at=None,
    )
    Stack.objects.filter(pk=stack.pk).update(state=StackState.PLANNING, sentence="", settled_at=None)
    return shown.state
