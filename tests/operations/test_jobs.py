"""The end of the time that a deployment has: jobs may outlast it, and what came up just before it did not fail."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.models import Environment, StackState
from dashboard.operations.context import StepContext
from dashboard.operations.deploying.deploy import converge
from platform_manager.errors import ProviderError
from tests import factories
from tests.engines.fake_engine import http

from .fake_swarm import LAST, swarm_of

TEMPLATE = {"ContainerSpec": {"Image": "app:1"}}
JOB = {"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 1}}
SERVICE = {"ID": "s1", "Spec": {"Name": "shop_job", "Mode": JOB, "TaskTemplate": TEMPLATE}}
TASK = {"ID": "t1", "ServiceID": "s1", "Slot": 1, "NodeID": "node-m1", "DesiredState": "complete", "Spec": TEMPLATE}
NOW = "2026-01-01T00:00:00Z"


@pytest.fixture
def environment(db: None) -> Environment:
    made = factories.environment()
    factories.host(made, "m1", role="manager")
    return made


def deploying(environment: Environment, settings: Any) -> StepContext:
    """The step that watches a stack with one job, at the end of its time."""
    settings.PM_CONVERGE_SECONDS = -1
    stack = factories.stack(environment, "shop", state=StackState.CONVERGING)
    revision = factories.revision(stack, 7)
    args = {"stack": "shop", "revision": revision.pk}
    return StepContext(factories.operation(environment, "Deploy shop", kind="deploy_stack", args=args), 2)


@pytest.mark.parametrize(("state", "ends"), [("running", True), ("preparing", False)])
def test_a_job_that_runs_at_the_end_of_the_time_has_not_failed(
    environment: Environment, settings: Any, state: str, ends: bool
) -> None:
    context = deploying(environment, settings)
    with swarm_of(environment, "m1", settings) as swarm:
        task = {**TASK, "CreatedAt": NOW, "Status": {"State": state, "Timestamp": NOW}}
        swarm.answers["/services"] = http([SERVICE], headers=LAST)
        swarm.answers["/tasks"] = http([task], headers=LAST)
        if ends:
            assert converge(context) == "It runs; its jobs have not ended yet."
        else:
            with pytest.raises(ProviderError, match="did not come up"):
                converge(context)

    stack = environment.stacks.get(name="shop")
    assert stack.state == (StackState.RUNNING if ends else StackState.CONVERGING)
    assert ("has not ended yet" in stack.sentence) is ends


def test_what_came_up_at_the_end_of_the_time_has_not_failed(environment: Environment, settings: Any) -> None:
    context = deploying(environment, settings)
    with swarm_of(environment, "m1", settings) as swarm:
        service = {"ID": "s1", "Spec": {"Name": "shop_web", "Mode": {"Replicated": {}}, "TaskTemplate": TEMPLATE}}
        status = {"State": "running", "Timestamp": NOW}
        swarm.answers["/services"] = http([service], headers=LAST)
        swarm.answers["/tasks"] = http(
            [{**TASK, "DesiredState": "running", "CreatedAt": NOW, "Status": status}], headers=LAST
        )
        assert converge(context) == "It runs, and kept running."
    assert environment.stacks.get(name="shop").state == StackState.RUNNING
