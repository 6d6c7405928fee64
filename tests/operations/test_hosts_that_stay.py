"""Hosts that come late, removals that are queued or cancelled: the swarm stays as it should be."""

from __future__ import annotations

import json
import subprocess

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from dashboard.flows import environments, hosts, operations, stacks
from dashboard.models import EnrolmentToken, Environment, Host, HostRole, HostState, OperationState
from tests import factories
from tests.support.lab import Lab, docker, finished, running_lab, succeeded, transcript, until

pytestmark = [pytest.mark.engine, pytest.mark.django_db(transaction=True)]

# The script is process 1 of its container and so is not ended by TERM: its host is drained for half a minute.
SLOW_TO_STOP = """
services:
  web:
    image: 127.0.0.1:1/ticker:1
    stop_grace_period: 30s
    deploy: {mode: global}
"""


@pytest.fixture
def user() -> User:
    return factories.user()


def nodes(environment: Environment) -> dict[str, dict[str, str]]:
    """What the swarm itself says of its nodes, by host name; one that elects its leader says so a moment later."""
    found: dict[str, dict[str, str]] = until(lambda: told(environment), what="a manager answers")
    return found


def told(environment: Environment) -> dict[str, dict[str, str]]:
    manager = environment.hosts.filter(role=HostRole.MANAGER).order_by("name").last()
    assert manager is not None
    try:
        ids = docker("exec", manager.provider_id, "docker", "node", "ls", "-q").split()
        found = json.loads(docker("exec", manager.provider_id, "docker", "node", "inspect", *ids))
    except subprocess.CalledProcessError:
        return {}
    return {node["Description"]["Hostname"]: node["Spec"] for node in found}


def test_a_host_that_came_too_late_for_its_token_is_taken_in_when_tried_again(
    transactional_db: None, user: User
) -> None:
    with running_lab(PM_HOST_SECONDS="5") as lab:
        lab.start_worker()
        environment = environments.create_environment(user, name="lab", managers=1)
        first = finished(hosts.add_hosts(environment, user, driver="local", prefix="fw", quantity=1))
        assert first.state == OperationState.FAILED, transcript(first)
        EnrolmentToken.objects.update(expires_at=timezone.now())
        made = environment.hosts.get().provider_id

        lab.kill(lab.processes.pop())
        lab.environ["PM_HOST_SECONDS"] = "90"
        lab.start_web()
        lab.start_hub()
        lab.start_worker()
        succeeded(operations.retry_operation(first, user))
        host = environment.hosts.get()
        assert (host.state, host.provider_id) == (HostState.ACTIVE, made)


def test_removals_that_wait_for_each_other_leave_an_odd_number_of_managers(lab: Lab, user: User) -> None:
    lab.start_web()
    lab.start_hub()
    lab.start_worker()
    environment = environments.create_environment(user, name="lab", managers=3)
    succeeded(hosts.add_hosts(environment, user, driver="local", prefix="fw", quantity=4))
    until(lambda: active(environment) == 4, what="all hosts are active")

    stacks_made = stacks.deploy_stack(environment, user, stacks.Wish("slow", SLOW_TO_STOP))
    succeeded(stacks_made)
    worker = environment.hosts.get(role=HostRole.WORKER)
    cancelled = hosts.remove_host(worker, user)
    until(lambda: Host.objects.get(pk=worker.pk).state == HostState.DRAINING, what="the host is drained")
    until(lambda: nodes(environment)[worker.name]["Availability"] == "drain", what="the swarm drains it")
    operations.cancel_operation(cancelled, user)
    assert finished(cancelled).state == OperationState.CANCELLED, transcript(cancelled)
    assert nodes(environment)[worker.name]["Availability"] == "active"
    until(lambda: active(environment) == 4, what="all hosts are active")

    leaving = environment.hosts.filter(role=HostRole.MANAGER).order_by("name").first()
    assert leaving is not None
    stopped = hosts.remove_host(leaving, user)
    until(lambda: nodes(environment)[leaving.name]["Availability"] == "drain", what="the manager is drained")
    assert led_by(environment) == {"fw-01", "fw-02", "fw-03", "fw-04"}
    operations.cancel_operation(stopped, user)
    assert finished(stopped).state == OperationState.CANCELLED, transcript(stopped)
    assert led_by(environment) == {"fw-01", "fw-02", "fw-03"}
    assert set(environment.hosts.filter(role=HostRole.MANAGER)) == set(environment.hosts.exclude(pk=worker.pk))
    succeeded(stacks.remove_stack(environment, user, "slow"))
    until(lambda: active(environment) == 4, what="all hosts are active")

    first, second = (hosts.remove_host(host, user) for host in environment.hosts.filter(role=HostRole.MANAGER)[:2])
    succeeded(first)
    succeeded(second)
    roles = [node["Role"] for node in nodes(environment).values()]
    assert sorted(roles) == ["manager", "worker"]


def led_by(environment: Environment) -> set[str]:
    """The managers' names, as the swarm has it."""
    return {name for name, spec in nodes(environment).items() if spec["Role"] == "manager"}


def active(environment: Environment) -> int:
    return environment.hosts.filter(state=HostState.ACTIVE).count()
