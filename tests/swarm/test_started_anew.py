"""Services that only fail are started anew by a deployment that changes nothing of them."""

from __future__ import annotations

from typing import Any

from platform_manager.swarm.anew import failing, start_anew
from platform_manager.swarm.stacks import StackState
from tests.swarm.test_stacks_judged import crashes, judged, service, task


class Swarm:
    """Writes down what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any, dict[str, Any]]] = []

    async def post(self, path: str, body: Any = None, **params: Any) -> Any:
        self.asked.append((path, body, params))


async def test_a_service_that_failed_and_was_not_changed_gets_new_tasks() -> None:
    swarm, web = Swarm(), service(Version={"Index": 7})
    names = await start_anew(swarm, [web], failing([web], crashes(60, 50)))

    [(path, body, params)] = swarm.asked
    assert names == ["shop_web"]
    assert (path, params) == ("/services/shop_web/update", {"version": 7})
    assert body["TaskTemplate"] == {**web["Spec"]["TaskTemplate"], "ForceUpdate": 1}


async def test_a_changed_a_running_and_a_new_service_are_left_to_the_swarm() -> None:
    swarm, web = Swarm(), service()
    changed = service(template={"ForceUpdate": 1})
    await start_anew(swarm, [changed], failing([web], crashes(60)))
    await start_anew(swarm, [web], failing([web], [*crashes(60), task("running", slot=2)]))
    await start_anew(swarm, [web], failing([web], []))

    assert swarm.asked == []


async def test_a_job_that_failed_is_not_run_again() -> None:
    swarm, job = Swarm(), service({"ReplicatedJob": {"TotalCompletions": 1}})
    await start_anew(swarm, [job], failing([job], crashes(60)))

    assert swarm.asked == []


def test_failures_of_the_version_before_do_not_judge_one_that_has_no_tasks_yet() -> None:
    updated = service(template={"ForceUpdate": 1})

    assert judged(updated, crashes(60, 50, 40, 30)).state is StackState.CONVERGING
    assert judged(service(), crashes(60, 50, 40, 30)).state is StackState.FAILED
