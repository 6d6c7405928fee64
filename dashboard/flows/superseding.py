"""A newer revision of a stack takes the place of one that is still being deployed."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.utils import timezone

from dashboard.models import Operation, OperationState, Revision
from dashboard.models.auditing import record, record_finished
from dashboard.models.hints import hint, operation_group
from dashboard.operations.context import StepContext
from dashboard.operations.deploying import deploy
from dashboard.operations.deploying.deploy_parts import SUPERSEDED_BY

UNFINISHED = (OperationState.QUEUED, OperationState.RUNNING)


def supersede(newer: Revision, user: User) -> None:
    """End what still deploys the stack: at once where it waits, else at its next safe point.

    In the transaction that made ``newer``, with its environment locked.
    """
    environment = newer.stack.environment
    older = environment.operations.filter(kind=deploy.KIND.name, args__stack=newer.stack.name, state__in=UNFINISHED)
    for operation in older.select_related("requested_by"):
        args = {**operation.args, SUPERSEDED_BY: newer.n}
        Operation.objects.filter(pk=operation.pk).update(cancel_requested=True, args=args)
        record("operation.cancel", operation, by=user, superseded_by=newer.n)
        _end_queued(operation, newer)
        hint(operation_group(operation.pk))


def _end_queued(operation: Operation, newer: Revision) -> None:
    sentence = f"Superseded by revision {newer.n} before it began."
    ended = Operation.objects.filter(pk=operation.pk, state=OperationState.QUEUED).update(
        state=OperationState.CANCELLED, finished_at=timezone.now(), error=sentence
    )
    if ended:
        deploy.failed(StepContext(operation, 0), sentence)
        operation.refresh_from_db()
        record_finished(operation)
