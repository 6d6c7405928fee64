"""How every flow asks for durable work."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Model

from dashboard.models import AuditEntry, Environment, Operation
from dashboard.models.auditing import record
from dashboard.models.hints import environment_group, hint
from dashboard.operations.wake import wake
from platform_manager.errors import UserError


def request_operation(
    environment: Environment, user: User | None, kind: str, title: str, args: dict[str, Any]
) -> Operation:
    """Queue an operation in the running transaction; a worker claims it after the commit."""
    operation = Operation.objects.create(
        environment=environment, kind=kind, title=title[:200], args=args, requested_by=user
    )
    hint(environment_group(environment.pk), what="operations")
    transaction.on_commit(wake)
    return operation


def requested(action: str, operation: Operation, what: Model | None = None, **detail: Any) -> None:
    """Record that the operation's work was asked for; that it ended is recorded when it does."""
    record(
        action,
        what,
        by=operation.requested_by,
        environment=operation.environment,
        outcome=AuditEntry.Outcome.REQUESTED,
        operation=str(operation.pk),
        **detail,
    )


def locked(environment: Environment) -> Environment:
    """The environment's row, locked until the end of the transaction; UserError when it is going away."""
    fresh = Environment.objects.select_for_update().get(pk=environment.pk)
    if fresh.removing_since or fresh.deleted_at:
        raise UserError("This environment is being deleted; nothing can be changed in it any more.")
    return fresh
