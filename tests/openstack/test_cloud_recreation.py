"""Hosts of a cloud that were stopped or lost are started and made anew, against the fake OpenStack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from fake_openstack import FakeOpenStack
from openstack_resources import EXTERNAL, INTERNAL

from dashboard.flows.cloud_hosts import Choices
from dashboard.flows.hosts import add_hosts
from dashboard.flows.operations import retry_operation
from dashboard.flows.recreate import recreate_host, start_host
from dashboard.models import CloudAccount, Environment, Host, HostState, MachineState
from dashboard.operations.clouds.cloud_look import Memory, look_at
from dashboard.operations.dispatcher import Dispatcher
from tests.support.lab import finished, succeeded, transcript, until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def worker(settings: Any) -> Iterator[Dispatcher]:
    settings.PM_HOST_SECONDS, settings.PM_CLOUD_WATCH_SECONDS = 0, 0
    worker = Dispatcher()
    worker.start()
    yield worker
    worker.stop()


@pytest.fixture
def host(fake: FakeOpenStack, environment: Environment, ann: User, account: CloudAccount) -> Host:
    """A host with its server and floating IP, which never called in."""
    choices = Choices(flavor="f-m1.small", image="i-base_debian_12", network=INTERNAL, pool=EXTERNAL)
    values = {"driver": "openstack", "prefix": "fw", "account": account, "choices": choices}
    finished(add_hosts(environment, ann, quantity=1, **values), seconds=60)
    return Host.objects.get()


def look(account: CloudAccount) -> None:
    """As often as it takes to be sure."""
    memory = Memory()
    for _ in range(2):
        account.refresh_from_db()
        look_at(account, memory)


def test_a_host_whose_server_was_deleted_is_made_anew_under_its_name(
    fake: FakeOpenStack, host: Host, ann: User, account: CloudAccount
) -> None:
    before, old = fake.resources.holds(), host.provider_id
    fake.resources._gone(old)
    look(account)
    host.refresh_from_db()
    assert host.machine == MachineState.GONE
    operation = finished(recreate_host(host, ann), seconds=60)
    assert "No host called in" in operation.error, transcript(operation)
    again = Host.objects.get()
    assert (again.pk, again.name, again.role) == (host.pk, "fw-01", host.role)
    assert again.provider_id in fake.resources.servers
    assert again.provider_id != old
    assert (again.machine, again.machine_detail) == ("", "")
    assert fake.resources.holds() == before


def test_a_host_that_failed_in_the_cloud_leaves_nothing_behind(
    fake: FakeOpenStack, host: Host, ann: User, account: CloudAccount
) -> None:
    before = fake.resources.holds()
    fake.resources.servers[host.provider_id].update(status="ERROR", fault={"message": "disk full"})
    look(account)
    finished(recreate_host(host, ann), seconds=60)
    assert host.provider_id not in fake.resources.servers
    assert fake.resources.holds() == before


def test_a_repeated_recreation_keeps_the_new_machine(
    fake: FakeOpenStack, host: Host, ann: User, account: CloudAccount
) -> None:
    first = finished(recreate_host(host, ann), seconds=60)
    made = Host.objects.get().provider_id
    again = finished(retry_operation(first, ann), seconds=60)
    assert "No host called in" in again.error
    assert Host.objects.get().provider_id == made
    assert list(fake.resources.servers) == [made]


def test_a_recreation_that_the_cloud_refuses_leaves_a_host_that_can_be_tried_again(
    fake: FakeOpenStack, host: Host, ann: User
) -> None:
    fake.resources.quota["instances"] = 0
    first = finished(recreate_host(host, ann), seconds=60)
    assert "quota does not allow it" in first.error
    failed = Host.objects.get()
    assert failed.state == HostState.FAILED
    assert "quota" in failed.state_detail
    fake.resources.quota["instances"] = 5
    finished(retry_operation(first, ann), seconds=60)
    assert Host.objects.get().provider_id in fake.resources.servers


@pytest.mark.parametrize("status", ["SHUTOFF", "PAUSED", "SUSPENDED", "SHELVED_OFFLOADED"])
def test_a_machine_that_was_stopped_is_started(
    fake: FakeOpenStack, host: Host, ann: User, account: CloudAccount, settings: Any, status: str
) -> None:
    settings.PM_HOST_SECONDS = 60
    server = fake.resources.servers[host.provider_id]
    server["status"] = status
    look(account)
    host.refresh_from_db()
    assert host.machine == MachineState.STOPPED
    operation = start_host(host, ann)
    until(lambda: server["status"] == "ACTIVE", what="the server is started", seconds=20)
    Host.objects.update(link_up=True)
    succeeded(operation, seconds=30)
    host.refresh_from_db()
    assert (host.machine, host.machine_detail) == (MachineState.RUNNING, "")


def test_a_started_machine_that_does_not_call_in_is_told_with_its_console(
    fake: FakeOpenStack, host: Host, ann: User, account: CloudAccount
) -> None:
    fake.resources.servers[host.provider_id]["status"] = "SHUTOFF"
    look(account)
    host.refresh_from_db()
    operation = finished(start_host(host, ann), seconds=30)
    assert "fw-01 was started and did not call in" in operation.error
    assert "cloud-init: done" in transcript(operation)
