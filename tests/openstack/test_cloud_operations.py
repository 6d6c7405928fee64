"""Hosts of a cloud made and removed by a worker, against the fake OpenStack: no machine of it ever calls in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from fake_openstack import PASSWORD, FakeOpenStack
from openstack_resources import EXTERNAL, INTERNAL

from dashboard.flows.cloud_hosts import Choices
from dashboard.flows.environments import delete_environment
from dashboard.flows.hosts import add_hosts, remove_host
from dashboard.flows.operations import retry_operation
from dashboard.models import CloudAccount, Environment, Host, HostState, Operation, OperationLog
from dashboard.operations.context import StepContext
from dashboard.operations.dispatcher import Dispatcher
from dashboard.operations.hosts.add_hosts import lowest_mtu
from dashboard.operations.hosts.machines import spec_of
from tests import factories
from tests.support.lab import finished, succeeded, transcript

pytestmark = pytest.mark.django_db(transaction=True)
CONSOLE = """\
[   12.1] cloud-init[702]: platform-manager: enrolling at https://platform.example.org
platform-manager: the platform at https://platform.example.org can't be reached (No route to host), next try in 8 s
"""


@pytest.fixture(autouse=True)
def worker(settings: Any) -> Iterator[Dispatcher]:
    settings.PM_HOST_SECONDS = 0
    worker = Dispatcher()
    worker.start()
    yield worker
    worker.stop()


def add(environment: Environment, user: User, account: CloudAccount, quantity: int = 1, **more: Any) -> Operation:
    choices = Choices(flavor="f-m1.small", image="i-base_debian_12", network=INTERNAL, **more)
    values = {"driver": "openstack", "prefix": "fw", "account": account, "choices": choices}
    return add_hosts(environment, user, quantity=quantity, **values)


def said(operation: Operation) -> str:
    return "\n".join(OperationLog.objects.filter(operation=operation).order_by("id").values_list("text", flat=True))


def test_machines_are_made_and_a_silent_one_is_explained(
    fake: FakeOpenStack, environment: Environment, ann: User, account: CloudAccount
) -> None:
    fake.resources.console = CONSOLE
    operation = finished(add(environment, ann, account, 2, pool=EXTERNAL), seconds=60)
    assert operation.state == "failed"
    assert "No host called in" in operation.error
    servers = list(fake.resources.servers.values())
    assert sorted(server["name"] for server in servers) == ["fw-01", "fw-02"]
    assert len(fake.resources.ips) == 2
    hosts = list(Host.objects.order_by("name"))
    assert [host.state for host in hosts] == [HostState.FAILED] * 2
    assert hosts[0].provider_id in {server["id"] for server in servers}
    assert hosts[0].addresses[0].startswith("10.")
    sentence, first, *_ = hosts[0].state_detail.split("\n")
    assert "It can't reach the platform" in sentence
    assert first == CONSOLE.splitlines()[0]
    assert "No route to host" in said(operation)
    assert PASSWORD not in transcript(operation)


def test_removing_the_hosts_leaves_the_project_as_it_was(
    fake: FakeOpenStack, environment: Environment, ann: User, account: CloudAccount
) -> None:
    theirs = fake.resources.add_server("theirs")
    before = fake.resources.holds()
    finished(add(environment, ann, account, 2, pool=EXTERNAL), seconds=60)
    first, last = Host.objects.order_by("name")
    succeeded(remove_host(first, ann), seconds=60)
    assert [server["name"] for server in fake.resources.servers.values()] == ["theirs", "fw-02"]
    assert len(fake.resources.groups) == before["groups"] + 1
    operation = succeeded(remove_host(last, ann), seconds=60)
    assert "security group is gone too" in said(operation)
    assert fake.resources.holds() == before
    assert theirs["id"] in fake.resources.servers
    assert not Host.objects.exists()


def test_deleting_the_environment_leaves_the_project_as_it_was(
    fake: FakeOpenStack, environment: Environment, ann: User, account: CloudAccount
) -> None:
    before = fake.resources.holds()
    finished(add(environment, ann, account, 3, pool=EXTERNAL), seconds=60)
    fake.resources.servers.pop(next(iter(fake.resources.servers)))  # somebody did that in the cloud's own console
    succeeded(delete_environment(environment, ann, "Shop"), seconds=60)
    assert fake.resources.holds() | {"ports": 0} == before
    assert not Environment.objects.alive().exists()


def test_repeating_takes_the_machines_that_are_there(
    fake: FakeOpenStack, environment: Environment, ann: User, account: CloudAccount
) -> None:
    first = finished(add(environment, ann, account, 2), seconds=60)
    servers = set(fake.resources.servers)
    again = finished(retry_operation(first, ann), seconds=60)
    assert "No host called in" in again.error
    assert set(fake.resources.servers) == servers


def test_a_server_that_fails_is_told_in_words_and_can_be_removed(
    fake: FakeOpenStack, environment: Environment, ann: User, account: CloudAccount
) -> None:
    before = fake.resources.holds()
    fake.resources.fault = "No valid host was found. "
    operation = finished(add(environment, ann, account), seconds=90)
    assert "no machine with room for this flavor" in operation.error
    host = Host.objects.get()
    assert host.state == HostState.FAILED
    succeeded(remove_host(host, ann), seconds=60)
    assert fake.resources.holds() == before


def test_a_refusal_that_will_not_pass_is_not_tried_again(
    fake: FakeOpenStack, environment: Environment, ann: User, account: CloudAccount
) -> None:
    operation = add(environment, ann, account)
    fake.resources.quota["instances"] = 0
    finished(operation, seconds=60)
    assert "quota does not allow it" in operation.error
    assert operation.steps.get(n=1).attempt == 1


def test_a_password_that_expired_meanwhile_is_told(
    fake: FakeOpenStack, environment: Environment, ann: User, account: CloudAccount
) -> None:
    finished(add(environment, ann, account), seconds=60)
    account.secret = {**account.secret, "password": "expired-of-ann"}
    account.save()
    operation = finished(remove_host(Host.objects.get(), ann), seconds=60)
    assert "refused to sign in" in operation.error
    assert "expired-of-ann" not in transcript(operation)
    assert Host.objects.get().state == HostState.FAILED
    account.secret = {**account.secret, "password": PASSWORD}
    account.save()
    succeeded(retry_operation(operation, ann), seconds=60)
    assert fake.resources.servers == {}


def test_the_mtu_is_the_lowest_of_the_clouds_word_and_the_hosts_measure() -> None:
    environment = factories.environment()
    told = factories.host(environment, options={"mtu": 1400}, facts={"mtu": 1500})
    measured = factories.host(environment, options={"mtu": 9000}, facts={"mtu": 1450})
    silent = factories.host(environment, facts={})
    assert lowest_mtu([told, measured]) == (1400, "what the cloud says of the network")
    assert lowest_mtu([measured]) == (1450, "the lowest the hosts measured")
    assert lowest_mtu([silent]) == (1500, "no host measured one")


def test_machines_of_a_cloud_get_the_public_address_and_the_networks_mtu(
    environment: Environment, settings: Any
) -> None:
    settings.PM_HUB_ADDRESS = "hub.example.org"
    host = factories.host(environment, driver="openstack", options={"mtu": 1400})
    spec = spec_of(StepContext(factories.operation(environment), 1), host, "", "t0ken").bootstrap
    assert spec.join_url == "https://platform.example.org/join/t0ken"
    assert (spec.hub_host, spec.mtu) == ("hub.example.org", 1400)
