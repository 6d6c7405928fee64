"""A host that comes back while its recreation waits for a worker is not destroyed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dashboard.models import Environment, Host, HostRole, HostState, MachineState, Operation
from dashboard.operations import runner
from dashboard.operations.hosts import recreate_host
from tests import factories

from .fake_swarm import Swarm, swarm_of

STEPS = {step.name: n for n, step in enumerate(recreate_host.KIND.steps, 1)}


@pytest.fixture
def environment(db: None) -> Environment:
    """Three managers, of which m1 is the one that speaks."""
    made = factories.environment()
    for name in ("m1", "m2", "m3"):
        factories.host(made, name, role=HostRole.MANAGER, driver="local", link_up=name != "m2")
    return made


@pytest.fixture
def swarm(environment: Environment, settings: Any) -> Iterator[Swarm]:
    with swarm_of(environment, "m1", settings) as running:
        yield running


@pytest.fixture
def begun(environment: Environment, swarm: Swarm) -> Operation:
    """The recreation of m3, which was lost, after its first step."""
    away = {"link_up": False, "engine_up": False, "state": HostState.DISCONNECTED}
    Host.objects.filter(name="m3").update(**away, machine=MachineState.GONE)
    return recreation(environment)


def recreation(environment: Environment) -> Operation:
    """Of m3, after its first step."""
    lost = str(environment.hosts.get(name="m3").pk)
    args = {"host": lost, "hosts": [lost], "role": HostRole.MANAGER}
    operation = factories.operation(environment, "Recreate m3", kind="recreate_host", args=args)
    runner._prepare(str(operation.pk))
    assert perform(operation, "quorum") == runner.DONE
    return operation


def perform(operation: Operation, step: str) -> str:
    return runner._perform(str(operation.pk), STEPS[step])


def stopped(operation: Operation, step: str) -> tuple[str, Host]:
    """Why the operation went no further than ``step``, and the host then."""
    assert perform(operation, step) == runner.FAILED
    runner._finish(str(operation.pk), STEPS[step], runner.FAILED)
    operation.refresh_from_db()
    return operation.error, Host.objects.get(name="m3")


def come_back(state: str) -> None:
    """What the hub writes once the host has its link again; the state is the operation's where it has the host."""
    Host.objects.filter(name="m3").update(link_up=True, engine_up=True, state=state)


@pytest.mark.parametrize("step", ["drain", "leave", "destroy"])
@pytest.mark.parametrize("state", [HostState.DRAINING, HostState.REMOVING])
def test_a_host_that_came_back_stays_and_takes_tasks_again(
    begun: Operation, swarm: Swarm, step: str, state: HostState
) -> None:
    come_back(state)
    swarm.availability["node-m3"] = "drain"
    error, host = stopped(begun, step)
    assert error == "m3 has come back. It stays as it is and takes tasks again."
    assert host.state == HostState.RECONNECTING
    assert host.provider_id == "container-m3"
    assert swarm.node("node-m3")["Spec"] == {"Role": "manager", "Availability": "active"}


@pytest.mark.parametrize("step", ["leave", "destroy"])
def test_a_host_that_came_back_after_the_swarm_forgot_it_keeps_its_machine(
    begun: Operation, swarm: Swarm, step: str
) -> None:
    assert perform(begun, "leave") == runner.DONE
    assert "node-m3" not in swarm.roles
    come_back(HostState.REMOVING)
    error, host = stopped(begun, step)
    assert "after the swarm had forgotten it. Its machine was not destroyed" in error
    assert (host.state, host.provider_id, host.node_id) == (HostState.FAILED, "container-m3", "")
    assert recreate_host.alive(host) == ""


def test_a_host_that_stays_away_is_taken_off_the_swarm(begun: Operation, swarm: Swarm) -> None:
    for step in ("drain", "leave", "leave"):
        assert perform(begun, step) == runner.DONE
    assert set(swarm.roles) == {"node-m1", "node-m2"}


@pytest.mark.parametrize("mended", [False, True])
def test_a_host_that_was_linked_all_along_is_recreated_unless_its_machine_is_well_again(
    environment: Environment, swarm: Swarm, mended: bool
) -> None:
    Host.objects.filter(name="m3").update(machine=MachineState.CHANGED)
    operation = recreation(environment)
    Host.objects.filter(name="m3").update(state=HostState.DRAINING)
    if mended:
        Host.objects.filter(name="m3").update(machine=MachineState.RUNNING)
        assert "has come back" in stopped(operation, "leave")[0]
    else:
        assert perform(operation, "leave") == runner.DONE
    assert ("node-m3" in swarm.roles) == mended
