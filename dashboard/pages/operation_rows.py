"""Operations as the environment's pages show them: one line each, with the step at work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch

from dashboard.models import Environment, Operation, OperationState, OperationStep, StepState

from .looks import Badge, badge_of

SHOWN = 10


@dataclass(frozen=True, slots=True)
class OperationRow:
    id: str
    operation_id: UUID
    title: str
    badge: Badge
    step: str
    sentence: str
    at: datetime
    by: str


def operation_row(operation: Operation, step: OperationStep | None = None) -> OperationRow:
    return OperationRow(
        id=f"operation-{operation.pk}",
        operation_id=operation.pk,
        title=operation.title,
        badge=badge_of(operation),
        step=step.title if step else "",
        sentence=operation.error or operation.result,
        at=operation.finished_at or operation.started_at or operation.created_at,
        by=operation.requested_by.get_username() if operation.requested_by else "",
    )


def operation_rows(operations: Iterable[Operation]) -> list[OperationRow]:
    return [operation_row(operation) for operation in operations]


def unfinished(environment: Environment) -> list[OperationRow]:
    """Running and waiting operations, the running one first, each with its step at work."""
    at_work = OperationStep.objects.filter(state=StepState.RUNNING)
    found = (
        environment.operations.filter(state__in=[OperationState.RUNNING, OperationState.QUEUED])
        .select_related("requested_by")
        .prefetch_related(Prefetch("steps", queryset=at_work, to_attr="at_work"))
        .order_by("-state", "id")
    )
    return [operation_row(operation, next(iter(operation.at_work), None)) for operation in found[:SHOWN]]


def latest(environment: Environment) -> list[OperationRow]:
    """The operations that ended last."""
    ended = [state for state in OperationState if state.finished]
    return operation_rows(environment.operations.filter(state__in=ended).select_related("requested_by")[:5])
