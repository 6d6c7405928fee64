"""Faults of everything but the worker: hub killed, engine killed, link cut, users who change their minds."""

from __future__ import annotations

import itertools

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User

from dashboard.flows import environments, hosts, operations, stacks
from dashboard.models import Environment, Host, HostState, Operation, OperationState, Revision, Stack, StackState
from platform_manager.errors import UserError
from tests.support.lab import Lab, docker, finished, succeeded, transcript, until

pytestmark = [pytest.mark.engine, pytest.mark.django_db(transaction=True)]

TICKER = """
services:
  web:
    image: 127.0.0.1:1/ticker:1
    stop_grace_period: 1s
"""
FLAKY = """
services:
  web:
    image: 127.0.0.1:1/flaky:1
    environment: {SECONDS: "0", CODE: "3"}
"""
NOWHERE = """
services:
  web:
    image: 127.0.0.1:1/ticker:1
    deploy:
      placement:
        constraints: [node.role == worker]
"""


@pytest.fixture
def user() -> User:
    found: User = get_user_model().objects.create_user("ann")
    return found


def states(environment: Environment) -> list[str]:
    return list(environment.hosts.values_list("state", flat=True))


def container(host: Host) -> str:
    return Host.objects.get(pk=host.pk).provider_id


def test_hosts_come_back_after_hub_engine_and_link_were_lost(lab: Lab, user: User) -> None:
    lab.start_web()
    hub = lab.start_hub()
    lab.start_worker()
    environment = environments.create_environment(user, name="lab", managers=1)
    succeeded(hosts.add_hosts(environment, user, driver="local", prefix="fw", quantity=2))
    worker = environment.hosts.get(role="worker")

    lab.kill(hub)
    lab.start_hub()
    until(lambda: states(environment) == [HostState.ACTIVE] * 2 and linked(environment), what="links are back")

    docker("exec", container(worker), "pkill", "-9", "dockerd")
    until(lambda: state(worker) == HostState.DISCONNECTED, what="the dead engine is seen", seconds=20)
    until(lambda: state(worker) == HostState.ACTIVE, what="the engine is back", seconds=60)

    docker("pause", container(worker))
    until(lambda: state(worker) == HostState.DISCONNECTED, what="the cut link is seen", seconds=20)
    docker("unpause", container(worker))
    until(lambda: state(worker) == HostState.ACTIVE, what="the link is back", seconds=60)

    docker("kill", container(worker))
    until(lambda: state(worker) == HostState.DISCONNECTED, what="the dead machine is seen", seconds=20)
    docker("start", container(worker))
    until(lambda: state(worker) == HostState.ACTIVE, what="the machine is back", seconds=60)


def state(host: Host) -> str:
    return Host.objects.get(pk=host.pk).state


def linked(environment: Environment) -> bool:
    return not environment.hosts.exclude(link_up=True, engine_up=True).exists()


def test_deployments_tell_the_truth_and_can_be_cancelled_and_repeated(lab: Lab, user: User) -> None:
    lab.start_web()
    lab.start_hub()
    lab.start_worker()
    environment = environments.create_environment(user, name="lab", managers=1)
    succeeded(hosts.add_hosts(environment, user, driver="local", prefix="fw", quantity=1))

    flaky = finished(stacks.deploy_stack(environment, user, stacks.Wish("flaky", FLAKY)))
    assert flaky.state == OperationState.FAILED, transcript(flaky)
    assert "non-zero exit (3)" in flaky.error
    assert Stack.objects.get(name="flaky").state == StackState.FAILED

    succeeded(stacks.remove_stack(environment, user, "flaky"))
    succeeded(stacks.deploy_stack(environment, user, stacks.Wish("good", TICKER)))

    stuck = stacks.deploy_stack(environment, user, stacks.Wish("stuck", NOWHERE))
    until(lambda: "node.role == worker" in Stack.objects.get(name="stuck").sentence, what="the reason is shown")

    first = stacks.deploy_stack(environment, user, stacks.Wish("good", TICKER), updating=True)
    until(lambda: Revision.objects.get(operation=first).state == StackState.RUNNING, what="it runs, and is watched")
    operations.cancel_operation(first, user)
    ended = finished(first)
    assert ended.state == OperationState.CANCELLED, transcript(first)
    assert ended.error == "Cancelled. Revision 2 was deployed and runs. 1 of 1 tasks running."
    assert Stack.objects.get(name="good").state == StackState.RUNNING
    again = operations.retry_operation(first, user)
    succeeded(again)
    assert Stack.objects.get(name="good").state == StackState.RUNNING

    stuck.refresh_from_db()
    assert stuck.state == OperationState.RUNNING, "one that only waits lets others of its environment go on"
    mended = stacks.deploy_stack(environment, user, stacks.Wish("stuck", TICKER), updating=True)
    succeeded(mended)
    ended = finished(stuck)
    assert ended.state == OperationState.CANCELLED, transcript(stuck)
    assert ended.error.startswith("Superseded by revision 2. Revision 1 was deployed all the same.")
    assert Stack.objects.get(name="stuck").state == StackState.RUNNING
    succeeded(stacks.remove_stack(environment, user, "stuck"))


def test_an_environment_is_deleted_while_its_hosts_are_made(lab: Lab, user: User) -> None:
    lab.start_web()
    lab.start_hub()
    lab.start_worker()
    environment = environments.create_environment(user, name="lab", managers=1)
    adding = hosts.add_hosts(environment, user, driver="local", prefix="fw", quantity=2)
    until(lambda: lab.containers(), what="the first machine is there")
    deleting = environments.delete_environment(environment, user, "lab")
    with pytest.raises(UserError, match="being deleted"):
        hosts.add_hosts(environment, user, driver="local", prefix="fw", quantity=1)

    assert finished(adding).state == OperationState.CANCELLED, transcript(adding)
    succeeded(deleting)
    assert lab.leftovers() == []


def test_operations_of_one_environment_run_one_after_the_other_in_their_order(lab: Lab, user: User) -> None:
    lab.start_worker()
    lab.start_worker()
    made: list[Operation] = []
    for name in ("one", "two"):
        environment = environments.create_environment(user, name=name, managers=1)
        made += [stacks_removal(environment, user, f"s{n}") for n in range(5)]
    for operation in made:
        succeeded(operation, seconds=60)

    for name in ("one", "two"):
        ran = list(Operation.objects.filter(environment__name=name).order_by("started_at"))
        assert [operation.args["stack"] for operation in ran] == [f"s{n}" for n in range(5)]
        for earlier, later in itertools.pairwise(ran):
            assert earlier.finished_at is not None
            assert later.started_at is not None
            assert earlier.finished_at <= later.started_at


def stacks_removal(environment: Environment, user: User, name: str) -> Operation:
    """The cheapest real operation: there is no swarm, so only the rows go."""
    Stack.objects.create(environment=environment, name=name)
    return stacks.remove_stack(environment, user, name)
