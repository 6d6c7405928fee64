"""Clean-ups of cloud projects: what their owners chose is deleted, thing by thing, by a workflow of its own.

The row of the clean-up is the outbox, and its id the workflow's. A thing whose worker dies is looked at again by the
next one, which finds it gone, or deletes it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from dbos import DBOS, SetWorkflowID
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections, transaction
from django.db.models import QuerySet
from django.utils import timezone

from dashboard.models import AuditEntry, CloudAccount, CloudCleanup, OperationState
from dashboard.models.auditing import record
from platform_manager import wiring
from platform_manager.clouds.openstack.things import Kind
from platform_manager.errors import PlatformError, ProviderError

from ..runner import BACKOFF_SECONDS, patiently
from ..takeover import GOING_ON, take_over
from .claims import claim_of
from .drivers import link_of

NAME = "cleanup"
LOOK_SECONDS = 5.0
FIND_SECONDS = 90.0
REMOVE_SECONDS = 240.0
# What fails at once may pass a moment later; what took this long to fail won't.
PATIENCE_SECONDS = 15.0
ABANDONED = "The worker was lost before it came to this. Clean up again."


@DBOS.workflow(name=NAME)
def clean_up(cleanup_id: str) -> None:
    """Every thing in order, whatever became of those before it."""
    try:
        for n in range(begin(cleanup_id)):
            clear(cleanup_id, n)
        finish(cleanup_id)
    finally:
        connections.close_all()


@DBOS.step(name="cleanup_begin")
def begin(cleanup_id: str) -> int:
    """How many things there are."""
    row = patiently(CloudCleanup.objects.filter(pk=cleanup_id).first)
    return len(row.things) if row else 0


@DBOS.step(name="cleanup_thing")
def clear(cleanup_id: str, n: int) -> None:
    """Delete the thing, unless that is done, or it has become somebody's."""
    patiently(lambda: _clear(cleanup_id, n))


def _clear(cleanup_id: str, n: int) -> None:
    row = CloudCleanup.objects.select_related("account__preset").filter(pk=cleanup_id).first()
    if row is None or OperationState(row.things[n]["state"]).finished:
        return
    _write(cleanup_id, n, OperationState.RUNNING)
    try:
        refusal = _removed_unless_claimed(row.account, Kind(row.things[n]["kind"]), str(row.things[n]["id"]))
    except PlatformError as error:
        _write(cleanup_id, n, OperationState.FAILED, str(error))
    else:
        _write(cleanup_id, n, OperationState.CANCELLED if refusal else OperationState.SUCCEEDED, refusal)


def _removed_unless_claimed(account: CloudAccount, kind: Kind, id: str) -> str:
    """Why the thing was left alone, as a sentence; "" once it is gone. Tried again while a failure may pass."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    for pause in BACKOFF_SECONDS:
        try:
            return _tried(account, kind, id)
        except ProviderError as error:
            if not error.retryable or time.monotonic() > deadline:
                raise
            time.sleep(pause)
    return _tried(account, kind, id)


def _tried(account: CloudAccount, kind: Kind, id: str) -> str:
    from platform_manager.clouds.openstack.leftovers import find, remove

    cloud = link_of(account).cloud
    thing = wiring.run(find(cloud, kind, id), FIND_SECONDS)
    if thing is None:
        return ""
    if refusal := claim_of(thing).refusal:
        return refusal
    wiring.run(remove(cloud, kind, id), REMOVE_SECONDS)
    return ""


def _change(cleanup_id: str, change: Callable[[CloudCleanup], None]) -> CloudCleanup | None:
    """The row after the change, made with nobody else at it; None where it is gone or has ended."""
    with transaction.atomic():
        row = CloudCleanup.objects.select_for_update().filter(pk=cleanup_id).first()
        if row is None or OperationState(row.state).finished:
            return None
        change(row)
        row.save()
        return row


def _write(cleanup_id: str, n: int, state: OperationState, error: str = "") -> None:
    def change(row: CloudCleanup) -> None:
        row.things[n].update(state=state.value, error=error)

    _change(cleanup_id, change)


@DBOS.step(name="cleanup_finish")
def finish(cleanup_id: str) -> None:
    patiently(lambda: _finish(cleanup_id))


@transaction.atomic
def _finish(cleanup_id: str) -> None:
    """Write how the clean-up ended; what is gone is no longer left over."""
    row = _change(cleanup_id, _end)
    if row is None:
        return
    _forget(row)
    done = row.state == OperationState.SUCCEEDED
    record(
        "cloud_account.clean_up.finished",
        row.account,
        by=row.requested_by,
        outcome=AuditEntry.Outcome.DONE if done else AuditEntry.Outcome.FAILED,
        deleted=sum(_gone(thing) for thing in row.things),
        of=len(row.things),
    )


def _end(row: CloudCleanup) -> None:
    for thing in row.things:
        if not OperationState(thing["state"]).finished:
            thing.update(state=OperationState.FAILED.value, error=ABANDONED)
    row.state = OperationState.SUCCEEDED if all(_gone(thing) for thing in row.things) else OperationState.FAILED
    row.finished_at = timezone.now()


def _gone(thing: dict[str, Any]) -> bool:
    return bool(thing["state"] == OperationState.SUCCEEDED)


def _forget(row: CloudCleanup) -> None:
    account = CloudAccount.objects.select_for_update(of=("self",)).get(pk=row.account_id)
    gone = {(thing["kind"], thing["id"]) for thing in row.things if _gone(thing)}
    account.leftovers = [one for one in account.leftovers if (one["kind"], one["id"]) not in gone]
    account.save(update_fields=["leftovers"])


class Cleanups:
    """Sees that clean-ups are done by some worker. ``worker_id`` is this one's."""

    def __init__(self, worker_id: str) -> None:
        self._worker_id = worker_id
        self._look_at = 0.0

    def look(self) -> None:
        """Begin what was asked for; go on with what a worker left. Cheap when called often."""
        self._claim()
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + LOOK_SECONDS
            self._adopt()

    def _claim(self) -> None:
        at_work = _running().values("account__owner")
        queued = CloudCleanup.objects.filter(state=OperationState.QUEUED).exclude(account__owner__in=at_work)
        waiting = list(queued.order_by("id").values_list("pk", "account__owner"))
        # Operations have the other half of the threads, and upkeep one of them.
        room = max(1, settings.PM_WORKER_SLOTS - 1) - _running().count() if waiting else 0
        for cleanup_id, owner in waiting:
            if room > 0 and _claimed(cleanup_id, owner):
                room -= 1
                self._start(str(cleanup_id))

    def _adopt(self) -> None:
        """Those whose workflow never began begin; those whose workflow ended without telling them end."""
        running = [str(pk) for pk in _running().values_list("pk", flat=True)]
        if not running:
            return
        take_over(NAME, self._worker_id)
        for cleanup_id in running:
            status = DBOS.get_workflow_status(cleanup_id)
            if status is None:
                self._start(cleanup_id)
            elif status.status not in GOING_ON:
                _finish(cleanup_id)

    def _start(self, cleanup_id: str) -> None:
        with SetWorkflowID(cleanup_id):
            DBOS.start_workflow(clean_up, cleanup_id)


def _running() -> QuerySet[CloudCleanup]:
    return CloudCleanup.objects.filter(state=OperationState.RUNNING)


@transaction.atomic
def _claimed(cleanup_id: UUID, owner: int) -> bool:
    """Whether the clean-up is this worker's. Of an owner one runs at a time: a user can't keep all others waiting."""
    User.objects.select_for_update().filter(pk=owner).first()
    if _running().filter(account__owner=owner).exists():
        return False
    queued = CloudCleanup.objects.filter(pk=cleanup_id, state=OperationState.QUEUED)
    return bool(queued.update(state=OperationState.RUNNING))
