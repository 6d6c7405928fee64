"""Work that an earlier release recorded goes on after an upgrade: it is found by names, wherever the code has moved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from dbos import DBOS
from django.utils import timezone

from dashboard.models import Operation, OperationState
from dashboard.operations import catalogue, kinds
from dashboard.operations.dispatcher import Dispatcher
from dashboard.operations.prune import PARTS
from tests import factories
from tests.support.lab import succeeded, until

pytestmark = pytest.mark.django_db(transaction=True)

# Recorded by name and number. A change needs another WORKFLOW_VERSION, but for steps added at the end.
STEPS = {
    "add_hosts": "machines links images swarm join check",
    "change_role": "role",
    "delete_environment": "hosts shared forget",
    "deploy_stack": "deploy converge settle",
    "open_ports": "groups",
    "recreate_host": "quorum drain leave destroy machine link images swarm join check",
    "remove_host": "quorum promote drain demote leave destroy",
    "remove_stack": "remove gone forget",
    "start_host": "start link",
}


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Dispatcher]:
    # An upkeep of its own, whatever workers of other tests did today.
    settings.PM_KEEP_DAYS = 4321
    worker = Dispatcher()
    step = kinds.Step("only", "The only step", lambda context: None)
    monkeypatch.setitem(kinds._kinds, "test", kinds.Kind("test", (step,)))
    worker.start()
    yield worker
    worker.stop()


def recorded(workflow_id: str) -> tuple[str, list[str]]:
    """The workflow's name and those of its steps, as soon as it has ended."""

    def ended() -> bool:
        found = DBOS.get_workflow_status(workflow_id)
        return found is not None and found.status == "SUCCESS"

    until(ended, what="the workflow ends", seconds=20)
    status = DBOS.get_workflow_status(workflow_id)
    assert status is not None
    return status.name, [step["function_name"] for step in DBOS.list_workflow_steps(workflow_id)]


def test_operations_are_recorded_by_the_names_they_always_had(worker: Dispatcher) -> None:
    operation = Operation.objects.create(environment=factories.environment(), kind="test", title="test")
    succeeded(operation, seconds=20)
    assert recorded(str(operation.pk)) == ("operation", ["prepare", "perform", "finish"])


def test_the_upkeep_is_recorded_by_the_names_it_always_had(worker: Dispatcher) -> None:
    assert recorded(f"upkeep-{timezone.now():%Y-%m-%d}-4321") == ("upkeep", ["prune"] * len(PARTS))


def test_clean_ups_are_recorded_by_the_names_they_always_had(worker: Dispatcher) -> None:
    account = factories.cloud_account(factories.user("ann"))
    gone = factories.cleanup(account, ("server", "s1"), state=OperationState.QUEUED, each=OperationState.SUCCEEDED)
    assert recorded(str(gone.pk)) == ("cleanup", ["cleanup_begin", "cleanup_thing", "cleanup_finish"])


def test_the_steps_of_each_kind_keep_their_names_and_numbers() -> None:
    catalogue.load()
    known = {kind.name: " ".join(step.name for step in kind.steps) for kind in kinds.all_kinds()}
    assert known == STEPS
