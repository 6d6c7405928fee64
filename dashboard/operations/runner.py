"""Runs an operation's steps as a DBOS workflow; owns start, finish and failure.

DBOS records that a step is over and starts the rest again elsewhere when a worker dies. A step whose process dies
between its work and that record runs again, so steps look before they act.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from dbos import DBOS
from django.db import InterfaceError, OperationalError, close_old_connections, connections, transaction
from django.db.models import F
from django.utils import timezone

from dashboard.models import Operation, OperationLog, OperationState, OperationStep, StepState
from dashboard.models.auditing import record_finished
from dashboard.models.hints import environment_group, hint, operation_group
from platform_manager.errors import PlatformError, ProviderError

from .context import CANCELLED as CANCELLED_SENTENCE
from .context import Cancelled, StepContext
from .kinds import Step, kind_of

log = logging.getLogger("platform.operations")

DONE, FAILED, CANCELLED = "done", "failed", "cancelled"
ABANDONED = "The worker lost this operation before it could record the end. Start it again: finished parts are kept."
BACKOFF_SECONDS = (0.5, 1, 2, 4, 8)
# A database that is being restarted is back within this time.
DATABASE_SECONDS = 60.0

Value = TypeVar("Value")


def patiently(call: Callable[[], Value]) -> Value:
    """The call's result; done again while the database is away. What it does must bear repeating."""
    deadline = time.monotonic() + DATABASE_SECONDS
    while True:
        close_old_connections()
        try:
            return call()
        except (OperationalError, InterfaceError) as error:
            if time.monotonic() > deadline:
                raise
            log.warning("database away, trying again: %s", error)
            time.sleep(0.5)


@DBOS.workflow(name="operation")
def run_operation(operation_id: str) -> str:
    """The workflow: every step in order until one does not end well."""
    try:
        for n, _ in enumerate(prepare(operation_id), 1):
            outcome = perform(operation_id, n)
            if outcome != DONE:
                return finish(operation_id, n, outcome)
        return finish(operation_id, 0, DONE)
    finally:
        # The thread waits for another operation, perhaps for long; its connection need not.
        connections.close_all()


@DBOS.step(name="prepare")
def prepare(operation_id: str) -> list[str]:
    """Make the rows of the steps; their names are the workflow's plan."""
    return patiently(lambda: _prepare(operation_id))


def _prepare(operation_id: str) -> list[str]:
    operation = Operation.objects.get(pk=operation_id)
    steps = kind_of(operation.kind).steps
    for n, step in enumerate(steps, 1):
        OperationStep.objects.get_or_create(operation=operation, n=n, defaults={"name": step.name, "title": step.title})
    announce(operation)
    return [step.name for step in steps]


@DBOS.step(name="perform")
def perform(operation_id: str, n: int) -> str:
    """One step, tried again with growing pauses while its failure may pass."""
    return patiently(lambda: _perform(operation_id, n))


def _perform(operation_id: str, n: int) -> str:
    operation = Operation.objects.select_related("environment").get(pk=operation_id)
    step = kind_of(operation.kind).steps[n - 1]
    context = StepContext(operation, n)
    for attempt in range(1, step.attempts + 1):
        last = attempt == step.attempts
        try:
            context.check()
            _attempt(context, step)
        except Cancelled:
            _close(context, StepState.SKIPPED, "")
            return CANCELLED
        except ProviderError as error:
            if last or not error.retryable:
                return _fail(context, str(error))
            pause = BACKOFF_SECONDS[min(attempt, len(BACKOFF_SECONDS)) - 1]
            context.log(f"{error} Trying again in {pause:g} s.", OperationLog.Level.WARNING)
            time.sleep(pause)
        except PlatformError as error:
            return _fail(context, str(error))
        except (OperationalError, InterfaceError):
            raise  # the whole step again, once the database is back
        except Exception:
            # The runner owns failure: a mistake of ours must end the operation with a reference, not leave it running.
            reference = secrets.token_hex(4)
            log.exception("operation %s step %s failed, reference %s", operation_id, step.name, reference)
            return _fail(context, f"The platform made a mistake here. Tell its operator the reference {reference}.")
        else:
            _close(context, StepState.DONE, "")
            return DONE
    raise AssertionError("unreachable")


def _attempt(context: StepContext, step: Step) -> None:
    OperationStep.objects.filter(operation=context.operation, n=context.n).update(
        state=StepState.RUNNING, attempt=F("attempt") + 1, error="", finished_at=None
    )
    OperationStep.objects.filter(operation=context.operation, n=context.n, started_at=None).update(
        started_at=timezone.now()
    )
    announce(context.operation)
    said = step.run(context)
    if said:
        context.log(said)


def _fail(context: StepContext, sentence: str) -> str:
    sentence = context.masked(sentence)
    context.log(sentence, OperationLog.Level.ERROR)
    _close(context, StepState.FAILED, sentence)
    return FAILED


def _close(context: StepContext, state: StepState, error: str) -> None:
    OperationStep.objects.filter(operation=context.operation, n=context.n).update(
        state=state, error=error, finished_at=timezone.now()
    )
    announce(context.operation)


def abandon(operation_id: UUID) -> None:
    """End an operation whose workflow is over although our row says it runs."""
    running = OperationStep.objects.filter(operation=operation_id, state=StepState.RUNNING)
    n = running.values_list("n", flat=True).first() or 1
    running.update(state=StepState.FAILED, error=ABANDONED, finished_at=timezone.now())
    _finish(str(operation_id), n, FAILED)


@DBOS.step(name="finish")
def finish(operation_id: str, n: int, outcome: str) -> str:
    """Write how the operation ended; step ``n`` is the one that failed or was cancelled."""
    return patiently(lambda: _finish(operation_id, n, outcome))


def _finish(operation_id: str, n: int, outcome: str) -> str:
    operation = Operation.objects.select_related("environment", "requested_by").get(pk=operation_id)
    if operation.finished:
        return outcome
    sentence = _sentence(operation, n, outcome)
    operation.state = {
        DONE: OperationState.SUCCEEDED,
        FAILED: OperationState.FAILED,
        CANCELLED: OperationState.CANCELLED,
    }[outcome]
    operation.error = "" if outcome == DONE else sentence
    operation.finished_at = timezone.now()
    with transaction.atomic():
        operation.save(update_fields=["state", "error", "finished_at"])
        record_finished(operation)
    announce(operation)
    return outcome


def _sentence(operation: Operation, n: int, outcome: str) -> str:
    if outcome == DONE:
        return ""
    sentence = CANCELLED_SENTENCE
    if outcome == FAILED:
        step = OperationStep.objects.filter(operation=operation, n=n).first()
        sentence = (step and step.error) or ABANDONED
    sentence = _tell_objects(operation, n, sentence) or sentence
    OperationStep.objects.filter(operation=operation, state=StepState.PENDING).update(state=StepState.SKIPPED)
    return sentence


def _tell_objects(operation: Operation, n: int, sentence: str) -> str | None:
    """Let the kind set its objects' states, and say it better; an operation ends even where that fails."""
    try:
        kind = kind_of(operation.kind)
        if kind.failed is not None:
            context = StepContext(operation, n, ending=True)
            truer = kind.failed(context, sentence)
            return context.masked(truer) if truer else None
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("operation %s could not settle what it left behind", operation.pk)
    return None


def announce(operation: Operation) -> None:
    """Tell watchers of the operation and of its environment."""
    hint(operation_group(operation.pk))
    hint(environment_group(operation.environment_id), what="operations")
