"""What is over for long is removed; what runs, what is young and the newest of each environment stay."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from dbos import DBOS
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.utils import timezone

from dashboard.models import (
    Environment,
    Host,
    Operation,
    OperationLog,
    OperationState,
    OperationStep,
    StepState,
    Worker,
)
from dashboard.operations import prune as pruning
from dashboard.operations import upkeep
from dashboard.operations.dispatcher import Dispatcher
from dashboard.operations.prune import PARTS, prune
from tests import factories
from tests.support.lab import succeeded, until

pytestmark = pytest.mark.django_db(transaction=True)
DAYS = 30


def ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def operation(of: Environment, state: OperationState, days: float, lines: int = 2) -> Operation:
    """One that began and, where it has, ended so many days ago."""
    made = factories.operation(
        of, state=state, steps=[("Do it", StepState.DONE)], logs=[(1, f"line {n}") for n in range(lines)]
    )
    ended = ago(days) if state.finished else None
    Operation.objects.filter(pk=made.pk).update(created_at=ago(days), started_at=ago(days), finished_at=ended)
    return made


def left(of: Environment) -> list[Operation]:
    return list(Operation.objects.filter(environment=of).order_by("id"))


def test_old_operations_go_with_steps_and_logs_but_for_the_newest_of_each_environment() -> None:
    shop, other = factories.environment(), factories.environment()
    old = [operation(shop, OperationState.SUCCEEDED, DAYS + 1) for _ in range(25)]
    few = [operation(other, OperationState.FAILED, DAYS + 1) for _ in range(3)]
    prune("operations", DAYS, pause=0)
    assert left(shop) == old[5:]
    assert left(other) == few
    assert OperationStep.objects.count() == 23
    assert OperationLog.objects.count() == 46


def test_young_operations_stay_and_count_among_the_newest() -> None:
    shop = factories.environment()
    for _ in range(2):
        operation(shop, OperationState.CANCELLED, DAYS + 1)
    young = [operation(shop, OperationState.SUCCEEDED, DAYS - 1) for _ in range(22)]
    prune("operations", DAYS, pause=0)
    assert left(shop) == young


@pytest.mark.parametrize("state", pruning.UNFINISHED)
def test_what_has_not_ended_stays_however_old_it_is(state: OperationState) -> None:
    shop = factories.environment()
    unfinished = operation(shop, state, 10 * DAYS)
    for _ in range(25):
        operation(shop, OperationState.SUCCEEDED, DAYS + 1)
    prune("operations", DAYS, pause=0)
    assert unfinished in left(shop)
    assert len(left(shop)) == 21


def test_a_deleted_environment_goes_whole_when_it_is_long_ago() -> None:
    gone, just, busy = (factories.environment(deleted_at=ago(days)) for days in (DAYS + 1, DAYS - 1, DAYS + 1))
    for one in (gone, just, busy):
        factories.host(one)
        factories.stack(one)
        operation(one, OperationState.SUCCEEDED, DAYS - 1)
    operation(busy, OperationState.RUNNING, DAYS + 1)
    prune("environments", DAYS, pause=0)
    assert set(Environment.objects.all()) == {just, busy}
    assert set(Host.objects.values_list("environment", flat=True)) == {just.pk, busy.pk}
    assert not left(gone)
    assert left(just)


def test_workers_that_are_gone_for_long_go_and_their_operations_stay() -> None:
    fields = {"machine": "here", "pid": 1}
    for name, gone, days in (("old", True, DAYS + 1), ("young", True, 1), ("alive", False, DAYS + 1)):
        Worker.objects.create(id=name, gone=gone, last_seen=ago(days), **fields)
    Worker.objects.create(id="orphan", gone=True, last_seen=ago(DAYS + 1), **fields)
    did = factories.operation(factories.environment(), state=OperationState.SUCCEEDED, worker_id="old")
    factories.operation(factories.environment(), state=OperationState.RUNNING, worker_id="orphan")
    prune("workers", DAYS, pause=0)
    assert set(Worker.objects.values_list("pk", flat=True)) == {"young", "alive", "orphan"}
    did.refresh_from_db()
    assert did.worker_id is None


def test_expired_sessions_go() -> None:
    for key, days in (("expired", 0.1), ("good", -1)):
        Session.objects.create(session_key=key, session_data="", expire_date=ago(days))
    prune("sessions", DAYS, pause=0)
    assert list(Session.objects.values_list("pk", flat=True)) == ["good"]


def test_a_long_log_goes_in_small_batches() -> None:
    shop = factories.environment(deleted_at=ago(DAYS + 1))
    operation(shop, OperationState.SUCCEEDED, DAYS + 1, lines=3 * pruning.BATCH + 1)
    counts = list(PARTS["environments"](ago(DAYS)))
    assert sum(counts) == 3 * pruning.BATCH + 3
    assert max(counts) == pruning.BATCH


def test_nothing_younger_than_a_day_goes_whatever_the_setting() -> None:
    gone = factories.environment(deleted_at=ago(0.9))
    for days in (0, -5, 10**9):
        prune("environments", days, pause=0)
    assert Environment.objects.get() == gone
    with pytest.raises(CommandError, match="at least 1"):
        call_command("prune", days=0)


def test_the_command_says_what_it_removed() -> None:
    factories.environment(deleted_at=ago(DAYS + 1))
    said = StringIO()
    call_command("prune", days=DAYS, stdout=said)
    assert "environments: 1 rows removed\n" in said.getvalue()
    assert [line.split(":")[0] for line in said.getvalue().splitlines()] == list(PARTS)


@pytest.fixture
def worker(settings: Any) -> Iterator[Callable[[], Dispatcher]]:
    """Starts workers, one after the other; their upkeep is this test's alone."""
    # Upkeep is done once for a day and a number of days, and other tests have workers too.
    settings.PM_KEEP_DAYS = 10_000 + secrets.randbelow(10**9)
    begun: list[Dispatcher] = []

    def start() -> Dispatcher:
        begun.append(Dispatcher())
        begun[-1].start()
        return begun[-1]

    yield start
    begun[-1].stop()


def test_workflows_that_ended_are_forgotten_and_no_others(worker: Callable[[], Dispatcher]) -> None:
    worker()
    done = Operation.objects.create(
        environment=factories.environment(), kind="remove_stack", title="", args={"stack": ""}
    )
    succeeded(done, seconds=20)
    until(lambda: DBOS.get_workflow_status(str(done.pk)).status == "SUCCESS", what="its end is recorded", seconds=5)
    list(PARTS["workflows"](ago(1)))
    assert DBOS.get_workflow_status(str(done.pk)) is not None
    list(PARTS["workflows"](ago(-1)))
    assert DBOS.get_workflow_status(str(done.pk)) is None


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Iterator[Part]:
    part = Part()
    monkeypatch.setitem(PARTS, "sessions", part)
    yield part
    part.let_go.set()


class Part:
    """Something to prune; whoever comes first hangs in it."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.entered, self.let_go = threading.Event(), threading.Event()

    def __call__(self, before: datetime) -> Iterator[int]:
        self.calls.append(threading.current_thread().name)
        self.entered.set()
        if len(self.calls) == 1:
            self.let_go.wait(30)
        yield 1


def upkeeps() -> list[str]:
    return [found.status for found in DBOS.list_workflows(name=upkeep.NAME) if str_days() in found.workflow_id]


def str_days() -> str:
    from django.conf import settings

    return f"-{settings.PM_KEEP_DAYS}"


def test_a_worker_prunes_at_its_start_and_not_again_that_day(worker: Callable[[], Dispatcher], part: Part) -> None:
    part.let_go.set()
    worker().stop()
    second = worker()
    until(lambda: upkeeps() == ["SUCCESS"], what="the upkeep is done", seconds=20)
    second._upkeep._look_at = 0
    until(lambda: second._upkeep._done, what="the worker knows", seconds=5)
    assert upkeeps() == ["SUCCESS"]


def test_the_upkeep_of_a_worker_that_stopped_is_gone_on_with(worker: Callable[[], Dispatcher], part: Part) -> None:
    first = worker()
    assert part.entered.wait(20)
    first.stop()
    worker()
    until(lambda: upkeeps() == ["SUCCESS"], what="the upkeep is done", seconds=20)
    assert len(part.calls) == 2
