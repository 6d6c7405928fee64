"""Which hosts can be started and made anew, and what is said of it before."""

from __future__ import annotations

from itertools import product

import pytest
from django.contrib.auth.models import User

from dashboard.flows.hosts import remove_host
from dashboard.flows.operations import retry_operation
from dashboard.flows.recreate import may_recreate, may_start, recreate_host, recreation_plan, start_host
from dashboard.models import Environment, Host, HostRole, HostState, MachineState, Operation, OperationState
from platform_manager.errors import UserError
from tests import factories

pytestmark = pytest.mark.django_db
KINDS = {
    "M": (HostRole.MANAGER, HostState.ACTIVE),
    "m": (HostRole.MANAGER, HostState.DISCONNECTED),
    "W": (HostRole.WORKER, HostState.ACTIVE),
    "w": (HostRole.WORKER, HostState.DISCONNECTED),
}


def swarm(environment: Environment, kinds: str) -> list[Host]:
    """Capital letters are hosts that answer."""
    return [
        factories.host(environment, f"fw-{n:02}", role=KINDS[kind][0], state=KINDS[kind][1], link_up=kind.isupper())
        for n, kind in enumerate(kinds, 1)
    ]


@pytest.mark.parametrize(
    ("kinds", "refusal"),
    [
        ("mMM", ""),
        ("wM", ""),
        ("wMMM", ""),
        ("mMMMM", ""),
        ("m", ""),
        ("mW", "fw-01 is the only manager: without it the swarm"),
        ("mM", "Only 1 of 2 managers answer"),
        ("mmM", "Only 1 of 3 managers answer"),
        ("wmmM", "Only 1 of 3 managers answer"),
        ("MMM", "fw-01 is active: only a host that is lost can be recreated."),
    ],
)
def test_a_lost_host_is_made_anew_while_the_rest_keeps_a_majority(
    shop: Environment, anna: User, kinds: str, refusal: str
) -> None:
    host = swarm(shop, kinds)[0]
    plan = recreation_plan(host)
    assert plan.refusal.startswith(refusal)
    assert bool(plan.refusal) == bool(refusal)
    if refusal:
        with pytest.raises(UserError, match=refusal):
            recreate_host(host, anna)
        assert not Operation.objects.exists()
    else:
        operation = recreate_host(host, anna)
        assert operation.args == {"host": str(host.pk), "hosts": [str(host.pk)], "role": host.role}


def test_a_manager_that_answers_but_was_changed_is_refused_where_the_rest_could_not_go_on(shop: Environment) -> None:
    host = swarm(shop, "MmM")[0]
    host.machine = MachineState.CHANGED
    assert recreation_plan(host).refusal.startswith("Without fw-01 only 1 of 2 managers would answer")


def test_taking_a_lost_manager_off_never_costs_tolerance() -> None:
    """Why nobody is promoted in its place: so many more may fail before as while it is made anew."""
    for managers, lost in product(range(2, 10), range(1, 5)):
        before = (managers - lost) - (managers // 2 + 1)
        after = (managers - lost) - ((managers - 1) // 2 + 1)
        assert after >= before


def test_the_plan_says_what_the_swarm_stands_meanwhile(shop: Environment) -> None:
    five = recreation_plan(swarm(shop, "mMMMM")[0])
    assert five.notes[-1] == "Until then 4 managers lead the swarm, and 1 other manager may fail."
    Host.objects.all().delete()
    three = recreation_plan(swarm(shop, "mMM")[0])
    assert three.notes[-1] == "Until then 2 managers lead the swarm, and no other manager may fail."


def test_the_plan_of_the_last_host_says_that_its_stacks_are_lost(shop: Environment) -> None:
    factories.stack(shop, "demo")
    plan = recreation_plan(swarm(shop, "m")[0])
    assert plan.ends == 1
    assert "a new one is formed" in plan.notes[-1]


def test_what_would_keep_the_data_is_said_first(shop: Environment) -> None:
    host = swarm(shop, "wM")[0]
    assert "try that first" in recreation_plan(host).notes[0]
    host.driver, host.machine = "openstack", MachineState.RUNNING
    assert "may come back by itself" in recreation_plan(host).notes[0]
    host.machine = MachineState.GONE
    assert recreation_plan(host).notes == ["The swarm forgets the old node; the new machine joins as a worker."]


def test_a_host_on_its_way_is_not_made_anew(shop: Environment) -> None:
    host = swarm(shop, "wM")[0]
    host.machine = MachineState.GONE
    for state in (HostState.REMOVING, HostState.DRAINING, HostState.BUILDING):
        host.state = state
        assert not may_recreate(host)


@pytest.mark.parametrize("machine", [MachineState.GONE, MachineState.BROKEN, MachineState.CHANGED])
def test_a_lost_machine_is_enough(shop: Environment, machine: MachineState) -> None:
    host = swarm(shop, "WM")[0]
    assert not may_recreate(host)
    host.machine = machine
    assert may_recreate(host)


def test_a_machine_that_the_platform_did_not_make_is_left_alone(shop: Environment) -> None:
    host = swarm(shop, "wM")[0]
    host.driver, host.machine = "custom", MachineState.STOPPED
    assert not may_recreate(host)
    assert not may_start(host)
    assert "did not make the machine" in recreation_plan(host).refusal


def test_a_stopped_machine_is_started_and_a_running_one_is_not(shop: Environment, anna: User) -> None:
    stopped, running = swarm(shop, "wM")
    Host.objects.filter(pk=stopped.pk).update(machine=MachineState.STOPPED)
    operation = start_host(stopped, anna)
    assert (operation.kind, operation.title) == ("start_host", "Start fw-01")
    with pytest.raises(UserError, match="nothing to start"):
        start_host(running, anna)


def test_one_operation_at_a_time_has_a_host(shop: Environment, anna: User) -> None:
    host = swarm(shop, "mMM")[0]
    first = remove_host(host, anna)
    with pytest.raises(UserError, match="Another operation has fw-01 already: Remove fw-01"):
        recreate_host(host, anna)
    first.state = OperationState.FAILED
    first.save()
    recreate_host(host, anna)


@pytest.mark.parametrize("kind", ["add_hosts", "recreate_host"])
def test_nobody_has_machines_made_with_an_account_that_is_not_shared_any_more(
    shop: Environment, anna: User, kind: str
) -> None:
    bob = factories.user("bob")
    account = factories.cloud_account(bob)
    host = factories.host(shop, "fw-01", driver="openstack", account=account, state=HostState.FAILED, node_id="")
    stopped = factories.operation(shop, kind=kind, state=OperationState.FAILED, args={"hosts": [str(host.pk)]})
    with pytest.raises(UserError, match="The cloud account of fw-01 is not shared with the environment"):
        recreate_host(host, anna)
    with pytest.raises(UserError, match="The cloud account of fw-01 is not shared with the environment"):
        retry_operation(stopped, anna)
    account.environments.add(shop)
    assert retry_operation(stopped, anna).kind == kind
