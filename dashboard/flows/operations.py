"""Cancel and repeat operations."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from dashboard.models import Host, HostState, Operation, OperationState
from dashboard.models.hints import hint, operation_group
from dashboard.operations import catalogue
from dashboard.operations.context import StepContext
from dashboard.operations.kinds import kind_of
from platform_manager.errors import UserError

from .request import locked, request_operation


@transaction.atomic
def cancel_operation(operation: Operation, user: User) -> None:
    """A queued operation ends at once, a running one at its next safe point."""
    catalogue.load()
    kind = kind_of(operation.kind)
    queued = Operation.objects.filter(pk=operation.pk, state=OperationState.QUEUED).update(
        state=OperationState.CANCELLED, cancel_requested=True, finished_at=timezone.now(), error="Cancelled."
    )
    if queued:
        if kind.failed is not None:
            kind.failed(StepContext(operation, 0), "Cancelled before it began.")
    elif not Operation.objects.filter(pk=operation.pk, state=OperationState.RUNNING).update(cancel_requested=True):
        raise UserError("The operation has ended already.")
    hint(operation_group(operation.pk))


@transaction.atomic
def retry_operation(operation: Operation, user: User) -> Operation:
    """The same work again; finished parts are found and kept."""
    if operation.state not in (OperationState.FAILED, OperationState.CANCELLED):
        raise UserError("Only an operation that failed or was cancelled can be repeated.")
    environment = locked(operation.environment)
    if operation.retries.filter(state__in=(OperationState.QUEUED, OperationState.RUNNING)).exists():
        raise UserError("It is being repeated already.")
    if operation.kind == "add_hosts":
        # A host whose machine never came is tried anew; one a user removed meanwhile stays removed.
        Host.objects.filter(pk__in=operation.args["hosts"], state=HostState.FAILED).update(
            state=HostState.REQUESTED, state_detail=""
        )
    again = request_operation(environment, user, operation.kind, operation.title, operation.args)
    again.retry_of = operation
    again.save(update_fields=["retry_of"])
    return again
