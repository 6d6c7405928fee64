"""A worker goes on whatever happens around it, and leaves alone what belongs to others."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.db import OperationalError
from django.utils import timezone

from dashboard.models import Environment, Operation, OperationState, StepState, Worker
from dashboard.operations import kinds
from dashboard.operations.context import MOST_WATCHING, StepContext
from dashboard.operations.dispatcher import Dispatcher
from platform_manager.errors import UserError
from tests import factories
from tests.support.lab import finished, succeeded, until

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Work:
    """A kind of operation whose only step does what the test says."""

    run: Callable[[StepContext], str | None] = lambda context: None
    failed: Callable[[StepContext, str], None] | None = None


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    work = Work()
    step = kinds.Step("only", "The only step", lambda context: work.run(context))
    kind = kinds.Kind("test", (step,), failed=lambda *told: work.failed(*told) if work.failed else None)
    # For this test only: others look at all kinds there are.
    monkeypatch.setitem(kinds._kinds, kind.name, kind)
    return work


@pytest.fixture
def worker(work: Work) -> Iterator[Dispatcher]:
    worker = Dispatcher()
    worker.start()
    yield worker
    worker.stop()


@pytest.fixture
def environment() -> Environment:
    return factories.environment()


def queued(environment: Environment, kind: str = "test", **fields: object) -> Operation:
    return Operation.objects.create(environment=environment, kind=kind, title=kind, **fields)


def test_an_operation_that_was_claimed_and_never_begun_is_begun(worker: Dispatcher, environment: Environment) -> None:
    until(lambda: Worker.objects.filter(pk=worker.id).exists(), what="the worker beats")
    claimed = queued(environment, state=OperationState.RUNNING, worker_id=worker.id, started_at=timezone.now())
    succeeded(claimed, seconds=20)


def test_an_operation_of_a_kind_nobody_knows_ends_and_the_next_one_runs(
    worker: Dispatcher, environment: Environment
) -> None:
    unknown = queued(environment, kind="of another release")
    after = queued(environment)
    assert finished(unknown, seconds=20).state == OperationState.FAILED
    succeeded(after, seconds=20)


def test_one_that_only_watches_lets_others_of_its_environment_run(
    worker: Dispatcher, work: Work, environment: Environment
) -> None:
    over = threading.Event()

    def watch(context: StepContext) -> None:
        if context.args.get("watching"):
            context.watch()
            assert over.wait(20)

    work.run = watch
    watching = [queued(environment, args={"watching": True}) for _ in range(MOST_WATCHING)]
    try:
        succeeded(queued(environment), seconds=20)
        changing = queued(environment, args={"watching": True})
        after = queued(environment)
        until(lambda: running(changing), what="one more begins")
        assert not Operation.objects.get(pk=changing.pk).watching, "no more than so many take the worker's slots"
        assert Operation.objects.get(pk=after.pk).state == OperationState.QUEUED
    finally:
        over.set()
    for operation in [*watching, changing, after]:
        succeeded(operation, seconds=20)


def running(operation: Operation) -> bool:
    return operation.steps.filter(state=StepState.RUNNING).exists()


def test_an_operation_ends_even_where_its_objects_can_not_be_told(
    worker: Dispatcher, work: Work, environment: Environment
) -> None:
    def refuse(context: StepContext) -> None:
        raise UserError("This can't be done.")

    def break_down(context: StepContext, sentence: str) -> None:
        raise KeyError("revision")

    work.run, work.failed = refuse, break_down
    failed = finished(queued(environment), seconds=20)
    assert (failed.state, failed.error) == (OperationState.FAILED, "This can't be done.")


def test_a_step_is_done_again_when_the_database_was_away(
    worker: Dispatcher, work: Work, environment: Environment
) -> None:
    tries = []

    def lose_the_database(context: StepContext) -> None:
        tries.append(context.n)
        if len(tries) < 3:
            raise OperationalError("the database system is starting up")

    work.run = lose_the_database
    succeeded(queued(environment), seconds=20)
    assert len(tries) == 3


def test_a_worker_of_another_machine_of_the_same_name_is_not_taken_for_dead(
    work: Work, environment: Environment
) -> None:
    nobody = 2**22 + 1  # no process of this machine can have this id
    other = Worker.objects.create(id="other", machine=socket.gethostname(), pid=nobody, last_seen=timezone.now())
    theirs = queued(environment, state=OperationState.RUNNING, worker=other, started_at=timezone.now())
    worker = Dispatcher()
    worker.start()
    try:
        # Its first beat, which looks for dead workers, comes before its first claim.
        succeeded(queued(factories.environment()), seconds=20)
    finally:
        worker.stop()
    theirs.refresh_from_db()
    assert (theirs.state, theirs.worker_id) == (OperationState.RUNNING, "other")
