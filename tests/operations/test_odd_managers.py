"""A removal that stops halfway, wherever that is, leaves an odd number of managers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from dashboard.models import Environment, Host, HostRole, HostState
from dashboard.operations import runner
from dashboard.operations.context import StepContext
from dashboard.operations.hosts import add_hosts, recreate_host, remove_host
from dashboard.operations.nodes import managers
from tests import factories
from tests.engines.fake_engine import Request

from .fake_swarm import Swarm, swarm_of

PROMOTED, DRAINED, DEMOTED = 2, 3, 4


@pytest.fixture
def environment(db: None) -> Environment:
    """Three managers and a worker; only m1 has a link in these tests."""
    made = factories.environment()
    for name in ("m1", "m2", "m3", "w1"):
        role = HostRole.WORKER if name == "w1" else HostRole.MANAGER
        factories.host(made, name, role=role, link_up=name == "m1")
    return made


@pytest.fixture
def swarm(environment: Environment, settings: Any) -> Iterator[Swarm]:
    with swarm_of(environment, "m1", settings) as running:
        yield running


def stop(
    environment: Environment, n: int, *, promote: str = "", demote: str = "", state: str = "active"
) -> StepContext:
    """The end of a cancelled removal of m3 in step ``n``."""
    ids = {host.name: str(host.pk) for host in environment.hosts.all()}
    Host.objects.filter(pk=ids["m3"]).update(state=state)
    args = {"host": ids["m3"], "promote": [ids[promote]] if promote else [], "demote": [ids[demote]] if demote else []}
    operation = factories.operation(environment, "Remove m3", kind="remove_host", args=args, cancel_requested=True)
    assert remove_host.KIND.steps[DRAINED - 1].name == "drain"
    runner._finish(str(operation.pk), n, runner.CANCELLED)
    return StepContext(operation, n)


def in_rows(environment: Environment) -> set[str]:
    return set(environment.hosts.filter(role=HostRole.MANAGER).values_list("name", flat=True))


def test_a_promotion_is_undone_when_the_host_stays_manager(environment: Environment, swarm: Swarm) -> None:
    swarm.roles["node-w1"] = "manager"
    Host.objects.filter(name="w1").update(role=HostRole.MANAGER)
    stop(environment, DRAINED, promote="w1", state=HostState.DRAINING)
    assert swarm.managers == in_rows(environment) == {"m1", "m2", "m3"}


def test_a_promotion_that_was_not_recorded_is_found_and_undone(environment: Environment, swarm: Swarm) -> None:
    swarm.roles["node-w1"] = "manager"
    stop(environment, PROMOTED, promote="w1")
    assert swarm.managers == in_rows(environment) == {"m1", "m2", "m3"}


def test_what_was_promoted_stays_when_the_host_is_demoted(environment: Environment, swarm: Swarm) -> None:
    swarm.roles |= {"node-w1": "manager", "node-m3": "worker"}
    stop(environment, DEMOTED, promote="w1")
    assert swarm.managers == in_rows(environment) == {"m1", "m2", "w1"}


def test_a_host_that_answers_is_manager_again_when_another_was_to_follow_it(
    environment: Environment, swarm: Swarm
) -> None:
    swarm.roles["node-m3"] = "worker"
    Host.objects.filter(name="m3").update(link_up=True)
    stop(environment, DEMOTED, demote="m2")
    assert swarm.managers == in_rows(environment) == {"m1", "m2", "m3"}


def test_the_demotions_are_finished_when_the_host_is_lost(environment: Environment, swarm: Swarm) -> None:
    swarm.roles["node-m3"] = "worker"
    stop(environment, DEMOTED, demote="m2")
    assert swarm.managers == in_rows(environment) == {"m1"}


def test_a_swarm_that_was_growing_has_an_odd_number_when_it_stops(environment: Environment, swarm: Swarm) -> None:
    swarm.roles["node-m3"] = "worker"
    assert add_hosts.KIND.steps[add_hosts.JOINING - 1].name == "join"
    joined = [str(host.pk) for host in environment.hosts.filter(name__in=("m2", "m3"))]
    operation = factories.operation(environment, kind="add_hosts", args={"hosts": joined}, cancel_requested=True)
    runner._finish(str(operation.pk), add_hosts.JOINING, runner.CANCELLED)
    assert swarm.managers == in_rows(environment) == {"m1"}


def test_a_recreation_that_stops_before_the_host_is_back_leaves_an_odd_number(
    environment: Environment, swarm: Swarm
) -> None:
    assert recreate_host.KIND.steps[recreate_host.LEAVING - 1].name == "leave"
    Host.objects.filter(name__in=("m3", "w1")).update(node_id="", state=HostState.BOOTING)
    swarm.roles = {"node-m1": "manager", "node-m2": "manager"}
    lost = environment.hosts.get(name="m3")
    args = {"host": str(lost.pk), "hosts": [str(lost.pk)], "role": HostRole.MANAGER, "cleared": True}
    operation = factories.operation(environment, "Recreate m3", kind="recreate_host", args=args)
    runner._finish(str(operation.pk), recreate_host.LEAVING + 3, runner.CANCELLED)
    assert len(swarm.managers) == 1
    lost.refresh_from_db()
    assert (lost.state, lost.role) == (HostState.FAILED, HostRole.MANAGER)


def test_a_recreation_that_stops_after_the_demotion_leaves_an_odd_number(
    environment: Environment, swarm: Swarm
) -> None:
    swarm.roles["node-m3"] = "worker"
    Host.objects.filter(name="m3").update(state=HostState.REMOVING)
    Host.objects.filter(name="w1").update(node_id="")
    lost = environment.hosts.get(name="m3")
    args = {"host": str(lost.pk), "hosts": [str(lost.pk)], "role": HostRole.MANAGER}
    operation = factories.operation(environment, "Recreate m3", kind="recreate_host", args=args)
    runner._finish(str(operation.pk), recreate_host.LEAVING, runner.CANCELLED)
    assert len(swarm.managers) == 1
    lost.refresh_from_db()
    assert lost.state == HostState.DISCONNECTED
    assert "Its recreation stopped" in lost.state_detail


def test_nothing_is_changed_where_the_number_is_odd_or_nothing_was_begun(
    environment: Environment, swarm: Swarm
) -> None:
    stop(environment, DRAINED, promote="w1")
    stop(environment, 1, promote="w1")
    assert not [request for request in swarm.requests if request.method == "POST"]


def test_nothing_is_changed_in_an_environment_that_is_being_deleted(environment: Environment, swarm: Swarm) -> None:
    Environment.objects.update(removing_since=timezone.now())
    swarm.roles["node-w1"] = "manager"
    stop(environment, PROMOTED, promote="w1")
    assert not [request for request in swarm.requests if request.method == "POST"]


def test_an_engine_that_breaks_off_is_asked_again(environment: Environment, swarm: Swarm) -> None:
    async def break_off(writer: asyncio.StreamWriter, request: Request) -> None:
        swarm.answers[request.path] = swarm._update

    swarm.roles["node-w1"] = "manager"
    swarm.answers["/nodes/node-w1/update"] = break_off
    stop(environment, PROMOTED, promote="w1")
    assert swarm.managers == {"m1", "m2", "m3"}


def test_what_can_not_be_settled_is_said(
    environment: Environment, swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(managers, "PATIENCE_SECONDS", 0.1)
    Host.objects.filter(name="m1").update(link_up=False)
    context = stop(environment, PROMOTED, promote="w1")
    warning = context.operation.logs.get(level="warning").text
    assert "repeat the operation" in warning
    assert "No manager of this environment answers" in warning
