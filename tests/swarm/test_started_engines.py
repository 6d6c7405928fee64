"""Tasks of a host whose engine was killed: why the first ones are refused once it is back, and what is said of them."""

from __future__ import annotations

from typing import Any

import pytest

from platform_manager.swarm.anew import failing
from platform_manager.swarm.stacks import StackState, steadied
from tests.swarm.test_stacks_judged import crashes, judged, node, recorded, service, task

NO_ADDRESS = "node is missing network attachments, ip addresses may be exhausted"
NOT_BACK = "cannot create a swarm scoped network when swarm is not active"
WAITED = "shop_web: no host can take it: 1 host is not available for new tasks (down, drained or paused)."


def refused(*ages: float, error: str = NO_ADDRESS, **more: Any) -> list[dict[str, Any]]:
    return [task("rejected", age=age, error=error, **more) for age in ages]


def replicated(replicas: int, **policy: Any) -> dict[str, Any]:
    return service({"Replicated": {"Replicas": replicas}}, template={"RestartPolicy": policy})


def test_a_task_that_comes_too_early_to_an_engine_is_tried_again_in_plain_words() -> None:
    status = recorded("engine_starts")

    assert status.state is StackState.CONVERGING
    assert "3 of 4 tasks running. shop_web0: trying again. Its host's engine had just been started" in status.sentence
    assert status.sentence.endswith(f"Last error: {NOT_BACK}.")


def test_a_service_runs_again_as_soon_as_the_host_that_it_waited_for_is_back() -> None:
    status = recorded("host_back")

    back = steadied(StackState.FAILED, WAITED, status)
    assert (back.state, back.sentence, back.fresh) == (StackState.RUNNING, "1 of 1 tasks running.", False)


def test_a_service_whose_host_is_back_starts_and_says_so() -> None:
    starting = judged(service(), [*crashes(60), task("preparing", age=20)])
    still = judged(service(), [task("pending", age=5, error="no suitable node (1 node not available for new tasks)")])

    assert steadied(StackState.FAILED, WAITED, starting) == starting
    assert steadied(StackState.FAILED, WAITED, still).state is StackState.FAILED


@pytest.mark.parametrize("error", [NO_ADDRESS, NOT_BACK])
def test_an_engine_that_starts_refuses_tasks_without_their_service_having_failed(error: str) -> None:
    quick = refused(9, 7, 5, 3, 1, error=error)

    assert judged(service(), [*quick, task("preparing", age=0.5)]).state is StackState.CONVERGING
    assert judged(service(), quick).state is StackState.CONVERGING
    assert judged(service(), [*quick, task(age=0.5)]).state is StackState.RUNNING


def test_a_network_without_addresses_is_told_when_it_goes_on() -> None:
    status = judged(service(), [*refused(26, 20, 15, 6), task("preparing", age=2)])

    assert status.state is StackState.FAILED
    assert "it keeps ending. Its host had no address in a network of the stack." in status.sentence
    assert "a larger subnet" in status.sentence


def test_a_crash_among_refusals_still_counts_until_the_task_keeps_running() -> None:
    status = judged(service(), [*crashes(40), *refused(20, 10), task(age=2)])

    assert (status.state, status.fresh) == (StackState.RUNNING, True)
    assert steadied(StackState.FAILED, "it keeps ending.", status).state is StackState.FAILED


@pytest.mark.parametrize("policy", [{"Condition": "none"}, {"Condition": "on-failure", "MaxAttempts": 2}])
def test_what_the_swarm_does_not_try_again_is_started_by_a_deployment_beside_what_runs(policy: dict[str, Any]) -> None:
    web = replicated(2, **policy)
    tasks = [task(slot=1), *refused(50, 40, 30, slot=2)]

    assert failing([web], tasks) == {"shop_web": web["Spec"]}
    assert failing([web], [*tasks, task("preparing", slot=2, age=1)]) == {}
    assert failing([replicated(1, **policy)], tasks) == {}
    assert failing([replicated(2, Condition="any")], tasks) == {}
    assert "web: it ended and is not started again: deploy the stack again. Its host had" in judged(web, tasks).sentence


def test_a_task_of_every_host_that_was_given_up_on_one_is_started_too() -> None:
    web = service({"Global": {}}, template={"RestartPolicy": {"Condition": "none"}})
    tasks = [task(slot=0), *refused(30, slot=0, NodeID="n2")]

    assert failing([web], tasks) == {"shop_web": web["Spec"]}


def test_a_task_that_was_to_start_on_a_host_that_is_lost_says_so() -> None:
    nodes = [node(), node("n2", "down")]
    status = judged(replicated(2), [task(slot=1), task("preparing", slot=2, age=5, NodeID="n2")], nodes)
    alone = judged(service(), [task("preparing", age=5, NodeID="n2")], nodes)

    assert (status.state, alone.state) == (StackState.DEGRADED, StackState.CONVERGING)
    assert status.sentence == "shop_web: the host host-n2 does not answer. 1 of 2 tasks running."


def test_a_task_that_may_not_restart_and_ended_with_its_host_says_what_starts_it() -> None:
    web = replicated(2, Condition="none")
    status = judged(web, [task(slot=1), task("failed", slot=2, age=30, error="task: non-zero exit (255)", code=255)])

    assert status.state is StackState.DEGRADED
    assert "it ended and is not started again: deploy the stack again. Its host's engine or machine" in status.sentence
