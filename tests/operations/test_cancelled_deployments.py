"""What a deployment says that was cancelled or superseded: the truth about what the swarm was given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from dashboard.flows.operations import retry_operation
from dashboard.flows.stacks import Wish, deploy_stack
from dashboard.models import Environment, HostRole, Operation, OperationState, Revision, Stack, StackState
from dashboard.operations import catalogue, runner
from dashboard.pages.operations import may_retry
from platform_manager.errors import UserError
from tests import factories
from tests.engines.fake_engine import http
from tests.operations.fake_swarm import Swarm, swarm_of

pytestmark = pytest.mark.django_db
COMPOSE = "services: {web: {image: registry.example.org/web:1}}"
TEMPLATE = {"ContainerSpec": {"Image": "web:1"}}
SPEC = {"Name": "shop_web", "TaskTemplate": TEMPLATE, "Mode": {"Replicated": {"Replicas": 1}}}
SERVICE = {"ID": "s1", "Version": {"Index": 1}, "Spec": SPEC}


def task(state: str) -> dict[str, Any]:
    long_ago = "2020-01-01T00:00:00Z"
    status = {"State": state, "Timestamp": long_ago}
    more = {
        "Spec": TEMPLATE,
        "NodeID": "node-m1",
        "Slot": 1,
        "DesiredState": "running",
        "CreatedAt": long_ago,
        "UpdatedAt": long_ago,
    }
    return {"ID": "t1", "ServiceID": "s1", "Status": status, **more}


@pytest.fixture
def environment() -> Environment:
    catalogue.load()
    made = factories.environment(name="shop")
    factories.host(made, "m1", role=HostRole.MANAGER)
    return made


@pytest.fixture
def swarm(environment: Environment, settings: Any) -> Iterator[Swarm]:
    with swarm_of(environment, "m1", settings) as running:
        running.answers |= {"/services": http([SERVICE]), "/tasks": http([task("running")])}
        yield running


def deployed(environment: Environment, *, updating: bool = False) -> tuple[Operation, Revision]:
    operation = deploy_stack(environment, environment.owner, Wish("shop", COMPOSE), updating=updating)
    return operation, operation.revisions.get()


def begun(operation: Operation, state: StackState) -> None:
    """As far as its tasks being watched."""
    Operation.objects.filter(pk=operation.pk).update(state=OperationState.RUNNING, watching=True)
    operation.revisions.update(state=state, sentence="0 of 1 tasks running.", held_before={})


def ended(operation: Operation, n: int = 2) -> str:
    runner._finish(str(operation.pk), n, runner.CANCELLED)
    operation.refresh_from_db()
    assert operation.state == OperationState.CANCELLED
    return operation.error


def test_what_runs_already_is_said_to_run(environment: Environment, swarm: Swarm) -> None:
    operation, revision = deployed(environment)
    begun(operation, StackState.RUNNING)
    assert ended(operation) == "Cancelled. Revision 1 was deployed and runs. 1 of 1 tasks running."
    revision.refresh_from_db()
    assert (revision.state, revision.finished_at is not None) == (StackState.RUNNING, True)
    stack = Stack.objects.get()
    assert (stack.state, stack.settled_at is not None) == (StackState.RUNNING, True)


def test_what_still_starts_was_deployed_all_the_same(environment: Environment, swarm: Swarm) -> None:
    operation, revision = deployed(environment)
    begun(operation, StackState.CONVERGING)
    swarm.answers["/tasks"] = http([task("preparing")])
    assert ended(operation).startswith("Cancelled. Revision 1 was deployed all the same. 0 of 1 tasks running.")
    revision.refresh_from_db()
    assert revision.state == StackState.DEGRADED


def test_what_ran_on_a_host_of_which_nobody_hears_is_not_said_to_run(environment: Environment, swarm: Swarm) -> None:
    operation, _ = deployed(environment)
    begun(operation, StackState.RUNNING)
    factories.host(environment, "m2", link_up=False)
    swarm.answers["/nodes"] = http([{"ID": "node-m2", "Status": {"State": "unknown"}}])
    swarm.answers["/tasks"] = http([{**task("running"), "NodeID": "node-m2"}])
    assert "0 of 1 tasks running. shop_web: the host node-m2 does not answer." in ended(operation)


def test_without_a_manager_nobody_says_that_it_runs(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.operations.nodes.managers.PATIENCE_SECONDS", 0.0)
    operation, _ = deployed(environment)
    environment.hosts.update(link_up=False)
    begun(operation, StackState.RUNNING)
    assert ended(operation) == (
        "Cancelled. Revision 1 was deployed all the same. How it does can't be seen now: no manager answers."
    )


def test_one_that_was_cancelled_half_way_names_what_is_there(environment: Environment) -> None:
    operation, revision = deployed(environment)
    assert ended(operation, 1) == "Cancelled."
    operation, revision = deployed(environment, updating=True)
    Revision.objects.filter(pk=revision.pk).update(made=["network shop_default (created)"])
    assert ended(operation, 1) == "Cancelled. The swarm holds of it: network shop_default (created)."


def test_a_newer_revision_ends_one_that_waits_in_the_queue(environment: Environment) -> None:
    older, revision = deployed(environment)
    newer, _ = deployed(environment, updating=True)
    older.refresh_from_db()
    assert (older.state, older.error) == (OperationState.CANCELLED, "Superseded by revision 2 before it began.")
    revision.refresh_from_db()
    assert (revision.state, revision.sentence) == (StackState.FAILED, older.error)
    assert newer.state == OperationState.QUEUED
    stack = Stack.objects.get()
    assert (stack.state, stack.settled_at) == (StackState.PLANNING, None), "the newer one speaks for the stack"


def test_a_newer_revision_ends_one_that_is_watched_and_it_says_what_was_seen_last(environment: Environment) -> None:
    older, _ = deployed(environment)
    begun(older, StackState.CONVERGING)
    deployed(environment, updating=True)
    older.refresh_from_db()
    assert older.cancel_requested
    assert ended(older) == (
        "Superseded by revision 2. Revision 1 was deployed all the same. When it was seen last: 0 of 1 tasks running."
    )
    stack = Stack.objects.get()
    assert (stack.state, stack.settled_at) == (StackState.PLANNING, None), "the newer one speaks for the stack"
    assert not may_retry(older)
    with pytest.raises(UserError, match="updated since"):
        retry_operation(older, environment.owner)


def test_other_stacks_are_left_alone(environment: Environment) -> None:
    other = deploy_stack(environment, environment.owner, Wish("other", COMPOSE))
    deployed(environment)
    other.refresh_from_db()
    assert (other.state, other.cancel_requested) == (OperationState.QUEUED, False)


def test_one_that_ended_is_not_superseded(environment: Environment) -> None:
    older, _ = deployed(environment)
    Operation.objects.filter(pk=older.pk).update(state=OperationState.SUCCEEDED, finished_at=timezone.now())
    deployed(environment, updating=True)
    older.refresh_from_db()
    assert (older.state, older.cancel_requested, older.error) == (OperationState.SUCCEEDED, False, "")
