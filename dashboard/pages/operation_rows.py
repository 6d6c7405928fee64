"""Operations as the environment's pages show them: one line each, with the step at work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Prefetch
from django.utils import timezone

from dashboard.models import Environment, Operation, OperationState, OperationStep, StepState

from .live import Container, Page
from .looks import Badge, badge_of
from .viewer import Viewer

SHOWN = 10
NOTICES = 5
# Whoever was away for longer reads the list.
NOTICE_LIFE = timedelta(minutes=5)
UNFINISHED = (OperationState.RUNNING, OperationState.QUEUED)


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
        environment.operations.filter(state__in=UNFINISHED)
        .select_related("requested_by")
        .prefetch_related(Prefetch("steps", queryset=at_work, to_attr="at_work"))
        .order_by("-state", "id")
    )
    return [operation_row(operation, next(iter(operation.at_work), None)) for operation in found[:SHOWN]]


def latest(environment: Environment) -> list[OperationRow]:
    """The operations that ended last."""
    ended = [state for state in OperationState if state.finished]
    return operation_rows(environment.operations.filter(state__in=ended).select_related("requested_by")[:5])


ENDINGS = {
    OperationState.SUCCEEDED: "succeeded",
    OperationState.FAILED: "failed",
    OperationState.CANCELLED: "was cancelled",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """How an operation ended, for somebody who was looking at something else."""

    id: str
    operation_id: UUID
    title: str
    state: str
    ending: str
    sentence: str
    ended_at: datetime


def notices(viewer: Viewer) -> Container:
    """The operations that ended lately, the newest one last; the browser tells of those it has not told of."""
    since = timezone.now() - NOTICE_LIFE
    newest = viewer.environment.operations.filter(finished_at__gt=since).exclude(state__in=UNFINISHED)[:NOTICES]
    rows = [
        Notice(
            id=f"notice-{one.pk}",
            operation_id=one.pk,
            title=one.title,
            state=one.state,
            ending=ENDINGS[OperationState(one.state)],
            sentence=one.error.strip().partition("\n")[0][:300] if one.state == OperationState.FAILED else "",
            ended_at=one.finished_at,
        )
        for one in reversed(newest)
        if one.finished_at is not None
    ]
    return Container("notices", "operations/notice.html", rows, shared={"environment": viewer.environment})


def notices_page(viewer: Viewer, params: Mapping[str, str]) -> Page:
    """Nothing but the notices, for pages that have no live rows of their own."""
    return Page("notices", "", {"notices": notices(viewer)})
