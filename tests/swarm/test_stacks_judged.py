"""What is said of stacks: recorded answers of a real engine, and variations made of the same shapes."""

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from platform_manager.swarm.stacks import StackState, StackStatus, judge, steadied

RECORDED = Path(__file__).parent / "recorded"
NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
TEMPLATE = {"ContainerSpec": {"Image": "demo/web:1"}, "ForceUpdate": 0, "Placement": {}}


def recorded(name: str) -> StackStatus:
    answer = json.loads((RECORDED / f"{name}.json").read_text())
    at = datetime.fromisoformat(answer["at"].replace("Z", "+00:00"))
    return judge(answer["services"], answer["tasks"], answer["nodes"], now=at)


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.000000000Z")


def node(name: str = "n1", state: str = "ready", availability: str = "active", **labels: str) -> dict[str, Any]:
    return {
        "ID": name,
        "Spec": {"Role": "worker", "Availability": availability, "Labels": labels},
        "Description": {"Hostname": f"host-{name}"},
        "Status": {"State": state},
    }


def service(mode: dict[str, Any] | None = None, name: str = "shop_web", **more: Any) -> dict[str, Any]:
    spec = {"Name": name, "Mode": mode or {"Replicated": {"Replicas": 1}}, "TaskTemplate": deepcopy(TEMPLATE)}
    spec["TaskTemplate"].update(more.pop("template", {}))
    return {"ID": name, "Spec": spec, **more}


def task(state: str = "running", slot: int = 1, age: float = 60, **more: Any) -> dict[str, Any]:
    ended = state in ("failed", "rejected", "complete", "shutdown")
    status = {"State": state, "Timestamp": ago(age), "Err": more.pop("error", "")}
    if "code" in more:
        status["ContainerStatus"] = {"ExitCode": more.pop("code")}
    return {
        "ID": f"t{slot}-{age}",
        "ServiceID": "shop_web",
        "Slot": slot,
        "NodeID": "n1",
        "CreatedAt": ago(age + 1),
        "DesiredState": "shutdown" if ended else "running",
        "Status": status,
        "Spec": deepcopy(TEMPLATE),
        **more,
    }


def judged(services: Any, tasks: list[Any], nodes: list[Any] | None = None) -> StackStatus:
    listed = services if isinstance(services, list) else [services]
    return judge(listed, tasks, nodes or [node()], now=NOW)


def crashes(*ages: float, **more: Any) -> list[dict[str, Any]]:
    return [task("failed", age=age, error="task: non-zero exit (7)", code=7, **deepcopy(more)) for age in ages]


@pytest.mark.parametrize(
    ("name", "state", "words"),
    [
        ("running", StackState.RUNNING, "3 of 3 tasks running."),
        ("job_done", StackState.RUNNING, "0 of 2 tasks running, 2 done."),
        ("crash_loop", StackState.FAILED, "keeps ending. Last error: non-zero exit (7)."),
        ("no_image", StackState.FAILED, "the image 127.0.0.1:1/nothing:1 can't be pulled."),
        ("no_host_fits", StackState.FAILED, "1 host does not meet the constraint node.labels.ssd == true."),
        ("rolled_back", StackState.ROLLED_BACK, "was rolled back. Last error: non-zero exit (1)."),
    ],
)
def test_what_a_real_engine_answered_is_judged_truthfully(name: str, state: StackState, words: str) -> None:
    status = recorded(name)

    assert (status.state, words in status.sentence) == (state, True), status.sentence


def test_failures_carry_the_whole_error_the_exit_code_and_the_host() -> None:
    failures = recorded("crash_loop").services[0].failures

    assert len(failures) == 4
    assert {(failure.error, failure.exit_code) for failure in failures} == {("task: non-zero exit (7)", 7)}
    assert all(failure.node and failure.task_id and failure.at for failure in failures)
    assert failures == sorted(failures, key=lambda failure: failure.at, reverse=True)


def test_tasks_on_a_host_that_does_not_answer_do_not_run() -> None:
    nodes = [node(), node("n2", state="down")]

    status = judged(service({"Replicated": {"Replicas": 2}}), [task(), task(slot=2, NodeID="n2")], nodes)

    assert (status.running, status.state) == (1, StackState.DEGRADED)
    assert "host-n2 does not answer" in status.sentence


def test_tasks_on_a_host_that_a_new_leader_has_not_heard_of_yet_still_run() -> None:
    nodes = [node(), node("n2", state="unknown")]

    status = judged(service({"Replicated": {"Replicas": 2}}), [task(), task(slot=2, NodeID="n2")], nodes)

    assert (status.running, status.state) == (2, StackState.RUNNING)


def test_a_starting_stack_converges_and_says_how_far_it_is() -> None:
    status = judged(service({"Replicated": {"Replicas": 3}}), [task(), task("preparing", slot=2)])

    assert (status.state, status.sentence) == (StackState.CONVERGING, "1 of 3 tasks running.")


def test_a_service_scaled_to_nothing_is_fine() -> None:
    assert judged(service({"Replicated": {"Replicas": 0}}), []).state is StackState.RUNNING


@pytest.mark.parametrize(
    ("availability", "label", "desired"), [("active", "ssd", 2), ("drain", "ssd", 1), ("active", "hdd", 1)]
)
def test_a_global_service_wants_a_task_on_every_host_that_fits(availability: str, label: str, desired: int) -> None:
    template = {"Placement": {"Constraints": ["node.labels.disk == ssd"]}}
    nodes = [node(disk="ssd"), node("n2", availability=availability, disk=label)]

    status = judged(service({"Global": {}}, template=template), [], nodes)

    assert status.desired == desired


@pytest.mark.parametrize("state", ["none", "on-failure"])
def test_a_task_that_ended_well_for_good_is_fine(state: str) -> None:
    once = service(template={"RestartPolicy": {"Condition": state}})

    assert judged(once, [task("complete")]).state is StackState.RUNNING


def test_a_task_that_should_run_for_ever_and_keeps_ending_well_is_a_failure() -> None:
    ends = [task("complete", age=age) for age in (40, 30, 20, 10)]

    status = judged(service(), [*ends, task("ready", age=1)])

    assert (status.state, "ended with exit code 0" in status.sentence) == (StackState.FAILED, True)


def test_a_task_that_must_not_restart_has_failed_at_once() -> None:
    once = service(template={"RestartPolicy": {"Condition": "none"}})

    status = judged(once, crashes(5))

    assert (status.state, "not started again" in status.sentence) == (StackState.FAILED, True)


def test_attempts_count() -> None:
    twice = service(template={"RestartPolicy": {"Condition": "on-failure", "MaxAttempts": 2}})

    assert judged(twice, crashes(20, 10)).state is StackState.CONVERGING
    assert judged(twice, crashes(30, 20, 10)).state is StackState.FAILED


def test_one_crash_is_no_loop() -> None:
    assert judged(service(), [*crashes(10), task("starting", age=1)]).state is StackState.CONVERGING
    assert judged(service(), [*crashes(10), task(age=5)]).state is StackState.RUNNING


def test_a_crash_loop_ends_when_a_task_keeps_running() -> None:
    loop = crashes(100, 90, 80, 70)

    shaky, steady = judged(service(), [*loop, task(age=5)]), judged(service(), [*loop, task(age=31)])

    assert (shaky.state, shaky.recheck_seconds) == (StackState.FAILED, 25)
    assert steady.state is StackState.RUNNING


def test_crashes_far_apart_are_no_loop() -> None:
    assert judged(service(), [*crashes(590, 400, 200, 5), task(age=1)]).state is StackState.RUNNING


def test_a_crash_loop_beside_running_replicas_degrades() -> None:
    tasks = [*crashes(40, 30, 20, 10), task("ready", age=1), task(slot=2)]

    status = judged(service({"Replicated": {"Replicas": 2}}), tasks)

    assert (status.state, status.running) == (StackState.DEGRADED, 1)


def test_a_crash_may_mean_waiting_while_another_service_still_starts() -> None:
    loop = [*crashes(40, 30, 20, 10), task("ready", age=1)]
    other = service(name="shop_db")

    waiting = judged([service(), other], [*loop, task("preparing", ServiceID="shop_db")])
    settled = judged([service(), other], [*loop, task(ServiceID="shop_db")])

    assert (waiting.state, settled.state) == (StackState.CONVERGING, StackState.FAILED)


def test_crashes_of_the_version_before_do_not_count() -> None:
    old = {"ContainerSpec": {"Image": "demo/web:0"}, "ForceUpdate": 0, "Placement": {}}

    status = judged(service(), [*crashes(40, 30, 20, 10, Spec=old), task(age=1)])

    assert (status.state, status.services[0].failures) == (StackState.RUNNING, [])


def test_an_update_that_has_not_begun_is_not_taken_for_done() -> None:
    old = {"ContainerSpec": {"Image": "demo/web:0"}, "ForceUpdate": 0}

    assert judged(service(), [task(Spec=old)]).state is StackState.CONVERGING


@pytest.mark.parametrize(
    ("update", "state"),
    [
        ("updating", StackState.CONVERGING),
        ("completed", StackState.RUNNING),
        ("paused", StackState.FAILED),
        ("rollback_started", StackState.CONVERGING),
        ("rollback_paused", StackState.FAILED),
        ("rollback_completed", StackState.ROLLED_BACK),
    ],
)
def test_the_state_of_an_update_decides(update: str, state: StackState) -> None:
    assert judged(service(UpdateStatus={"State": update, "Message": "said"}), [task()]).state is state


def test_a_task_without_a_host_may_wait_a_little() -> None:
    waiting = {"error": "no suitable node (insufficient resources on 1 node)", "NodeID": ""}

    fresh, stale = (judged(service(), [task("pending", age=age, **waiting)]) for age in (4, 20))

    assert (fresh.state, fresh.recheck_seconds) == (StackState.CONVERGING, 10)
    assert (stale.state, "1 host has not enough free for what it reserves" in stale.sentence) == (
        StackState.FAILED,
        True,
    )


def test_tasks_of_an_earlier_round_of_a_job_do_not_count() -> None:
    job = service({"ReplicatedJob": {"TotalCompletions": 1}}, JobStatus={"JobIteration": {"Index": 5}})
    done = {"DesiredState": "complete"}

    before = judged(job, [task("complete", JobIteration={"Index": 4}, **done)])
    after = judged(job, [task("complete", JobIteration={"Index": 5}, **done)])

    assert (before.state, after.state) == (StackState.CONVERGING, StackState.RUNNING)


def test_a_job_that_runs_is_told_as_running_and_waited_for() -> None:
    job = service({"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 1}}, JobStatus={"JobIteration": {}})

    status = judged(job, [task(JobIteration={})])

    assert (status.state, status.working) == (StackState.CONVERGING, True)
    assert status.sentence == "1 of 1 tasks running. shop_web: its job has not ended yet."
    assert not judged([job, service(name="shop_db")], [task(JobIteration={})]).working


def test_the_worst_service_speaks_for_the_stack() -> None:
    once = service(name="shop_init", template={"RestartPolicy": {"Condition": "none"}})

    status = judged([service(), once], [task(), *crashes(5, ServiceID="shop_init")])

    assert (status.state, status.running, status.desired) == (StackState.FAILED, 1, 2)
    assert status.sentence.startswith("shop_init: ")


def test_without_services_nothing_runs() -> None:
    assert judged([], []).state is StackState.FAILED
    assert judged([], [task()]).state is StackState.REMOVING


@pytest.mark.parametrize(
    "rubbish", [{}, {"ID": 5, "Spec": [], "Status": "x", "ServiceID": None}, {"Spec": {"Mode": 3}}]
)
def test_rubbish_from_a_host_is_no_crash(rubbish: dict[str, Any]) -> None:
    assert judge([rubbish], [rubbish], [rubbish]).state in set(StackState)


def test_what_failed_has_failed_until_it_keeps_running() -> None:
    before, words = StackState.FAILED, "shop_web: it keeps ending."
    again = steadied(before, words, judged(service(), [*crashes(60, 20), task("starting", age=1)]))
    for_a_moment = steadied(before, words, judged(service(), [*crashes(60, 20), task(age=2)]))
    for_good = steadied(before, words, judged(service(), [*crashes(160, 120), task(age=100)]))

    assert (again.state, again.sentence, for_a_moment.state) == (before, words, before)
    assert for_a_moment.recheck_seconds is not None
    assert for_good.state is StackState.RUNNING


def test_what_ran_may_start_tasks_without_having_failed() -> None:
    moved = judged(service(), [task("starting", age=1)])

    assert steadied(StackState.RUNNING, "", moved).state is StackState.CONVERGING


def test_a_global_service_that_no_host_fits_is_said_to_have_no_task() -> None:
    web = service({"Global": {}}, template={"Placement": {"Constraints": ["node.labels.disk == ssd"]}})
    status = judged(web, [])
    assert status.state is StackState.RUNNING
    assert status.sentence == (
        "0 of 0 tasks running. shop_web: no host that takes tasks meets node.labels.disk == ssd, so it has no task."
    )


def test_a_global_service_without_a_host_is_said_to_have_no_task() -> None:
    status = judged(service({"Global": {}}), [], [node(availability="drain")])
    assert "shop_web: no host that takes tasks is there" in status.sentence


def test_what_ended_well_for_good_is_told_as_done_and_not_as_running() -> None:
    once = service(template={"RestartPolicy": {"Condition": "none"}})
    ended = task("complete", Spec={**deepcopy(TEMPLATE), "RestartPolicy": {"Condition": "none"}})
    status = judged(once, [ended])
    assert (status.state, status.sentence) == (StackState.RUNNING, "0 of 1 tasks running, 1 done.")


def test_a_task_that_ended_by_itself_makes_an_update_fail_in_words() -> None:
    update = {"State": "rollback_completed", "Message": "update rolled back due to early termination of task t"}
    ended = task("complete", Status={"State": "complete", "Timestamp": ago(5), "Message": "finished"})
    status = judged(service(UpdateStatus=update), [ended, task()])
    assert "Last error: ended with exit code 0." in status.sentence
