"""Lost hosts are made anew on real engines: the swarm keeps its managers, and what runs goes on."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User

from dashboard.flows import environments, hosts, recreate, stacks
from dashboard.models import Environment, Host, HostRole, HostState, MachineState, Stack, StackState
from dashboard.pages.places import may_run
from dashboard.pages.snapshot import read
from platform_manager.errors import UserError
from tests import factories
from tests.support.lab import Lab, docker, succeeded, until

pytestmark = [pytest.mark.engine, pytest.mark.django_db(transaction=True)]

COMPOSE = """
version: "3.8"
services:
  web:
    image: 127.0.0.1:1/ticker:1
    stop_grace_period: 1s
    deploy: {replicas: 3}
"""


@pytest.fixture
def user() -> User:
    return factories.user()


def running(lab: Lab, user: User, quantity: int) -> Environment:
    """A platform that looks often, an environment with as many managers, and a stack that runs."""
    lab.environ["PM_CLOUD_WATCH_SECONDS"] = "1"
    lab.start_web()
    lab.start_hub()
    lab.start_worker()
    environment = environments.create_environment(user, name="lab", managers=quantity)
    succeeded(hosts.add_hosts(environment, user, driver="local", prefix="fw", quantity=quantity))
    succeeded(stacks.deploy_stack(environment, user, stacks.Wish("demo", COMPOSE)))
    return environment


def lose(host: Host) -> Host:
    """Somebody removes the machine behind the platform's back; its volume stays."""
    docker("rm", "-f", host.provider_id)
    return noticed(host, MachineState.GONE)


def noticed(host: Host, machine: MachineState) -> Host:
    """The host once it is known to be away, and why."""
    wanted = Host.objects.filter(pk=host.pk, state=HostState.DISCONNECTED, machine=machine)
    found: Host = until(wanted.first, what=f"{host.name} is {machine}")
    return found


def swarm(environment: Environment) -> dict[str, tuple[str, str]]:
    """Role and state of each node, as the swarm itself tells them to its last manager."""
    manager = environment.hosts.filter(link_up=True).order_by("name").first()
    assert manager is not None
    ids = docker("exec", manager.provider_id, "docker", "node", "ls", "-q").split()
    found = json.loads(docker("exec", manager.provider_id, "docker", "node", "inspect", *ids))
    return {node["Description"]["Hostname"]: (node["Spec"]["Role"], node["Status"]["State"]) for node in found}


def tasks_running(environment: Environment) -> int:
    return sum(map(may_run, read(environment).tasks))


def test_a_lost_manager_is_made_anew_while_a_stack_runs_on(lab: Lab, user: User) -> None:
    environment = running(lab, user, 3)
    lost = lose(environment.hosts.get(name="fw-02"))
    operation = succeeded(recreate.recreate_host(lost, user))
    assert operation.title == "Recreate fw-02"
    assert swarm(environment) == {f"fw-0{n}": ("manager", "ready") for n in (1, 2, 3)}
    again = environment.hosts.get(name="fw-02")
    assert (again.pk, again.role) == (lost.pk, HostRole.MANAGER)
    assert again.node_id != lost.node_id
    assert len(lab.containers()) == 3
    assert len([name for name in lab.leftovers() if "-engine" in name]) == 3
    until(lambda: tasks_running(environment) == 3, what="all tasks run")
    until(lambda: Stack.objects.get().state == StackState.RUNNING, what="the stack runs")

    first, second = (lose(host) for host in environment.hosts.filter(name__in=("fw-01", "fw-03")))
    for host in (first, second):
        with pytest.raises(UserError, match="Only 1 of 3 managers answer"):
            recreate.recreate_host(host, user)


def test_a_stopped_host_is_started_and_the_last_one_made_anew_with_a_new_swarm(lab: Lab, user: User) -> None:
    environment = running(lab, user, 1)
    docker("stop", "-t", "0", environment.hosts.get().provider_id)
    succeeded(recreate.start_host(noticed(environment.hosts.get(), MachineState.STOPPED), user))
    back = environment.hosts.filter(state=HostState.ACTIVE, machine=MachineState.RUNNING)
    until(back.exists, what="the host is back")
    until(lambda: tasks_running(environment) == 3, what="all tasks run")

    lost = lose(environment.hosts.get())
    succeeded(recreate.recreate_host(lost, user))
    assert swarm(environment) == {"fw-01": ("manager", "ready")}
    stack = Stack.objects.get()
    assert stack.state == StackState.FAILED
    assert "ended with the swarm's last host" in stack.sentence
    succeeded(stacks.deploy_stack(environment, user, stacks.Wish("again", COMPOSE)))
