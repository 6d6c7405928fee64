"""A host whose disk is full: the deployment says so, and goes on once there is room again."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User

from dashboard.flows import environments, hosts, stacks
from dashboard.models import OperationState, Stack, StackState
from tests.support.lab import Lab, docker, finished, succeeded, transcript, until

pytestmark = [pytest.mark.engine, pytest.mark.django_db(transaction=True)]

CONTAINERS = "/var/lib/docker/containers"
TICKER = """
services:
  web:
    image: 127.0.0.1:1/ticker:1
    stop_grace_period: 1s
"""


@pytest.fixture
def user() -> User:
    found: User = get_user_model().objects.create_user("ann")
    return found


def test_a_full_disk_is_named_and_a_deployment_works_once_there_is_room(lab: Lab, user: User) -> None:
    lab.start_web()
    lab.start_hub()
    lab.start_worker()
    environment = environments.create_environment(user, name="lab", managers=1)
    succeeded(hosts.add_hosts(environment, user, driver="local", prefix="fw", quantity=1))
    machine = environment.hosts.get().provider_id

    docker("exec", machine, "mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", CONTAINERS)
    docker("exec", machine, "sh", "-c", f"cat /dev/zero > {CONTAINERS}/ballast 2>/dev/null; true")
    full = finished(stacks.deploy_stack(environment, user, stacks.Wish("web", TICKER)))
    assert full.state == OperationState.FAILED, transcript(full)
    assert "no space left on device" in full.error
    assert Stack.objects.get(name="web").state == StackState.FAILED

    docker("exec", machine, "umount", "-l", CONTAINERS)
    succeeded(stacks.deploy_stack(environment, user, stacks.Wish("web", TICKER), updating=True))
    until(lambda: Stack.objects.get(name="web").state == StackState.RUNNING, what="the stack runs")
