"""Rows that nobody needs any more go, a few at a time, so that others get at the database in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from dbos import DBOSClient
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.utils import timezone
from sqlalchemy import exc

from dashboard.models import (
    AuditEntry,
    CloudCleanup,
    Environment,
    Operation,
    OperationLog,
    OperationState,
    OperationStep,
    Worker,
)
from dashboard.models.auditing import record

# The newest operations of an environment stay, however old they are.
KEPT_PER_ENVIRONMENT = 20
BATCH = 500
OPERATIONS_AT_ONCE = 20
PAUSE_SECONDS = 0.05
LEAST_DAYS = 1
# A hundred years stand for ever; calendars end not far beyond.
MOST_DAYS = 36_500
UNFINISHED = tuple(state for state in OperationState if not state.finished)


def prune(part: str, days: int, pause: float = PAUSE_SECONDS) -> int:
    """Remove what of this part of :data:`PARTS` has been over for ``days`` days, at least one; the number of rows."""
    before = timezone.now() - timedelta(days=min(max(LEAST_DAYS, days), MOST_DAYS))
    removed = 0
    for count in PARTS[part](before):
        removed += count
        time.sleep(pause)
    return removed


def _batches(rows: QuerySet[Model]) -> Iterator[int]:
    """Delete the rows; each batch is a transaction of its own."""
    while found := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        rows.model._default_manager.filter(pk__in=found).delete()
        yield len(found)


def operations(before: datetime) -> Iterator[int]:
    """Operations that ended before then, with their steps and logs, but for the newest of each environment."""
    old = Operation.objects.exclude(state__in=UNFINISHED).filter(finished_at__lt=before)
    for environment in set(old.order_by().values_list("environment", flat=True).distinct()):
        mine = Operation.objects.filter(environment=environment)
        kept = list(mine.order_by("-id").values_list("pk", flat=True)[:KEPT_PER_ENVIRONMENT])
        yield from _whole(old.filter(environment=environment).exclude(pk__in=kept))


def _whole(rows: QuerySet[Operation]) -> Iterator[int]:
    while found := list(rows.order_by("pk").values_list("pk", flat=True)[:OPERATIONS_AT_ONCE]):
        yield from _batches(OperationLog.objects.filter(operation__in=found))
        OperationStep.objects.filter(operation__in=found).delete()
        Operation.objects.filter(pk__in=found).delete()
        yield len(found)


def environments(before: datetime) -> Iterator[int]:
    """Environments that were deleted before then, with all that belongs to them."""
    busy = Operation.objects.filter(environment=OuterRef("pk"), state__in=UNFINISHED)
    for environment in Environment.objects.filter(deleted_at__lt=before).exclude(Exists(busy)):
        yield from _whole(Operation.objects.filter(environment=environment))
        environment.delete()
        yield 1


def workers(before: datetime) -> Iterator[int]:
    running = Operation.objects.filter(worker=OuterRef("pk"), state=OperationState.RUNNING)
    return _batches(Worker.objects.filter(gone=True, last_seen__lt=before).exclude(Exists(running)))


def workflows(before: datetime) -> Iterator[int]:
    """What DBOS recorded of workflows that ended before then."""
    client = DBOSClient(system_database_url=settings.PM_DBOS_URL)
    try:
        while found := client.list_workflows(
            completed_before=before.isoformat(), limit=BATCH, load_input=False, load_output=False
        ):
            client.delete_workflows([workflow.workflow_id for workflow in found])
            yield len(found)
    except (exc.OperationalError, exc.ProgrammingError) as error:
        if not any(words in str(error) for words in ("no such table", "does not exist")):
            raise
        # No worker has ever run on this database.
    finally:
        client.destroy()


def cleanups(before: datetime) -> Iterator[int]:
    """Clean-ups of cloud projects that ended before then."""
    return _batches(CloudCleanup.objects.filter(finished_at__lt=before))


def sessions(before: datetime) -> Iterator[int]:
    """Sessions that have expired, whenever that was: they can't be used."""
    return _batches(Session.objects.filter(expire_date__lt=timezone.now()))


def audit(before: datetime) -> Iterator[int]:
    """Entries of the audit log by a time of their own, PM_AUDIT_DAYS; 0 keeps all. That they went is an entry too."""
    if not settings.PM_AUDIT_DAYS:
        return
    moment = timezone.now() - timedelta(days=max(LEAST_DAYS, settings.PM_AUDIT_DAYS))
    dropped = 0
    while count := AuditEntry.objects.drop_before(moment, most=BATCH):
        dropped += count
        yield count
    if dropped:
        record("audit.prune", name=f"before {moment:%Y-%m-%d}", dropped=dropped)


PARTS: dict[str, Callable[[datetime], Iterator[int]]] = {
    "operations": operations,
    "environments": environments,
    "workers": workers,
    "workflows": workflows,
    "sessions": sessions,
    "audit": audit,
    "cleanups": cleanups,
}
