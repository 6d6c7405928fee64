"""An operation outlasts a restart of the hub."""

from __future__ import annotations

import pytest

from dashboard.flows import environments, hosts, stacks
from dashboard.models import Stack, StackState
from tests import factories
from tests.support.lab import Lab, succeeded, until

pytestmark = [pytest.mark.engine, pytest.mark.django_db(transaction=True)]

WEB = """
services:
  web:
    image: 127.0.0.1:1/ticker:1
    stop_grace_period: 1s
"""


def test_a_deployment_goes_on_after_the_hub_was_killed(lab: Lab) -> None:
    lab.start_web()
    hub = lab.start_hub()
    lab.start_worker()
    user = factories.user()
    environment = environments.create_environment(user, name="lab", managers=1)
    succeeded(hosts.add_hosts(environment, user, driver="local", prefix="fw", quantity=1))

    deployment = stacks.deploy_stack(environment, user, stacks.Wish("web", WEB))
    until(lambda: Stack.objects.get(name="web").state != StackState.PLANNING, what="the deployment has begun")
    lab.kill(hub)
    until(lambda: not environment.hosts.get().engine_up or lab.start_hub(), what="the hub is back")
    succeeded(deployment)
