"""Ports opened and closed in a cloud by a worker: rows say what may be open, groups let in what rows say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from fake_openstack import FakeOpenStack
from openstack_resources import INTERNAL
from openstack_samples import Answer

from dashboard.flows import clouds
from dashboard.flows.cloud_hosts import Choices
from dashboard.flows.hosts import add_hosts, remove_host
from dashboard.flows.operations import retry_operation
from dashboard.flows.ports import close_port, open_port
from dashboard.models import CloudAccount, Environment, Operation, OperationLog
from dashboard.models.openings import EVERYBODY
from dashboard.operations.dispatcher import Dispatcher
from dashboard.pages.ports import HALF_CLOSED, HALF_OPEN, OPEN, WAITING, openings
from tests.support.lab import finished, succeeded

pytestmark = pytest.mark.django_db(transaction=True)
RULES = "/network/v2.0/security-group-rules"


@pytest.fixture(autouse=True)
def worker(settings: Any) -> Iterator[Dispatcher]:
    settings.PM_HOST_SECONDS = 0
    worker = Dispatcher()
    worker.start()
    yield worker
    worker.stop()


@pytest.fixture
def with_hosts(environment: Environment, ann: User, account: CloudAccount) -> Environment:
    """The environment with a host of the account, which never calls in."""
    add(environment, ann, account)
    return environment


def add(environment: Environment, user: User, account: CloudAccount) -> Operation:
    choices = Choices(flavor="f-m1.small", image="i-base_debian_12", network=INTERNAL)
    values = {"driver": "openstack", "prefix": "fw", "quantity": 1, "account": account, "choices": choices}
    return finished(add_hosts(environment, user, **values), seconds=60)


def opening(environment: Environment, port: int = 8080, source: str = EVERYBODY) -> Operation:
    return open_port(environment, environment.owner, protocol="tcp", port=port, source=source)


def let_in(fake: FakeOpenStack) -> list[set[tuple[int, str]]]:
    """What each group lets in from outside it."""
    return [
        {
            (rule["port_range_min"], rule["remote_ip_prefix"])
            for rule in group["security_group_rules"]
            if rule["direction"] == "ingress" and not rule["remote_group_id"]
        }
        for group in fake.resources.groups.values()
    ]


def said(operation: Operation) -> str:
    return "\n".join(OperationLog.objects.filter(operation=operation).order_by("id").values_list("text", flat=True))


def badges(environment: Environment) -> list[Any]:
    return [one.badge for of_port in openings(environment).values() for one in of_port]


def test_a_port_is_opened_and_closed(fake: FakeOpenStack, with_hosts: Environment, ann: User) -> None:
    operation = succeeded(opening(with_hosts), seconds=60)
    assert operation.title == "Open 8080/tcp to everybody"
    assert "8080/tcp is open to everybody in Lab." in said(operation)
    assert let_in(fake) == [{(8080, EVERYBODY)}]
    row = with_hosts.open_ports.get()
    assert (row.opened_by, badges(with_hosts)) == (ann, [OPEN])

    succeeded(opening(with_hosts, 443, "192.0.2.0/24"), seconds=60)
    operation = succeeded(close_port(row, ann), seconds=60)
    assert "8080/tcp is closed to everybody in Lab." in said(operation)
    assert "Lab lets in 443/tcp from 192.0.2.0/24." in said(operation)
    assert let_in(fake) == [{(443, "192.0.2.0/24")}]
    assert [row.port for row in with_hosts.open_ports.all()] == [443]


def test_hosts_that_are_added_elsewhere_let_in_the_same(
    fake: FakeOpenStack, with_hosts: Environment, ann: User
) -> None:
    succeeded(opening(with_hosts), seconds=60)
    other = clouds.add_account(ann, name="Other", account=fake.account())
    # The same project: of the first account the group alone is taken away, to see the second one's.
    fake.resources.groups.clear()

    add(with_hosts, ann, other)

    assert let_in(fake) == [{(8080, EVERYBODY)}]


def test_a_rule_deleted_in_the_cloud_comes_back(fake: FakeOpenStack, with_hosts: Environment) -> None:
    succeeded(opening(with_hosts), seconds=60)
    [group] = fake.resources.groups.values()
    group["security_group_rules"].clear()

    succeeded(opening(with_hosts, 443), seconds=60)

    assert let_in(fake) == [{(8080, EVERYBODY), (443, EVERYBODY)}]
    assert len(group["security_group_rules"]) == 6


def test_what_somebody_else_lets_in_is_told_and_stays(fake: FakeOpenStack, with_hosts: Environment, ann: User) -> None:
    [group] = fake.resources.groups.values()
    fake.resources.add_rule(group, 8080)
    succeeded(opening(with_hosts), seconds=60)

    operation = succeeded(close_port(with_hosts.open_ports.get(), ann), seconds=60)

    assert let_in(fake) == [{(8080, EVERYBODY)}]
    assert "Lab still lets in 8080/tcp from everybody, by a rule that somebody else made" in said(operation)


def test_a_port_that_could_not_be_opened_is_listed_as_unsure(fake: FakeOpenStack, with_hosts: Environment) -> None:
    fake.trouble(f"POST {RULES}", Answer(403, ""))
    operation = finished(opening(with_hosts), seconds=60)

    assert operation.state == "failed"
    assert operation.error.startswith("8080/tcp could not be opened in Lab: The cloud does not allow")
    assert operation.steps.get().attempt == 1
    assert badges(with_hosts) == [HALF_OPEN]

    fake.troubles.clear()
    succeeded(retry_operation(operation, with_hosts.owner), seconds=60)
    assert badges(with_hosts) == [OPEN]
    assert let_in(fake) == [{(8080, EVERYBODY)}]


def test_a_port_that_could_not_be_closed_stays_listed(fake: FakeOpenStack, with_hosts: Environment, ann: User) -> None:
    succeeded(opening(with_hosts), seconds=60)
    fake.trouble(f"DELETE {RULES}", Answer(403, ""))
    operation = finished(close_port(with_hosts.open_ports.get(), ann), seconds=60)

    assert operation.state == "failed"
    assert "It may still be open there." in operation.error
    assert badges(with_hosts) == [HALF_CLOSED]

    fake.troubles.clear()
    succeeded(retry_operation(operation, ann), seconds=60)
    assert (let_in(fake), badges(with_hosts)) == ([set()], [])


def test_a_group_that_somebody_deleted_is_told(fake: FakeOpenStack, with_hosts: Environment, ann: User) -> None:
    fake.resources.groups.clear()
    operation = finished(opening(with_hosts), seconds=60)

    assert "The environment's security group is gone" in operation.error
    assert badges(with_hosts) == [HALF_OPEN]
    succeeded(close_port(with_hosts.open_ports.get(), ann), seconds=60)
    assert badges(with_hosts) == []


def test_what_is_open_waits_for_hosts_once_the_last_one_is_gone(
    fake: FakeOpenStack, with_hosts: Environment, ann: User
) -> None:
    succeeded(opening(with_hosts), seconds=60)
    succeeded(remove_host(with_hosts.hosts.get(), ann), seconds=60)
    assert badges(with_hosts) == [WAITING]

    operation = succeeded(close_port(with_hosts.open_ports.get(), ann), seconds=60)

    assert "8080/tcp is closed to everybody: no cloud is left." in said(operation)
    assert badges(with_hosts) == []


def test_one_cloud_that_fails_does_not_keep_the_other_from_it(
    fake: FakeOpenStack, with_hosts: Environment, ann: User
) -> None:
    other = clouds.add_account(ann, name="Broken", account=fake.account())
    add(with_hosts, ann, other)
    other.secret = {**other.secret, "password": "expired-of-ann"}
    other.save()

    operation = finished(opening(with_hosts), seconds=60)

    assert operation.error.startswith("8080/tcp could not be opened in Broken: The cloud refused to sign in")
    assert operation.error.endswith("8080/tcp is open to everybody in Lab.")
    assert let_in(fake) == [{(8080, EVERYBODY)}]


def test_a_failure_that_passes_is_tried_again(fake: FakeOpenStack, with_hosts: Environment) -> None:
    fake.trouble(f"POST {RULES}", Answer(503, ""), times=1)

    succeeded(opening(with_hosts), seconds=60)

    assert let_in(fake) == [{(8080, EVERYBODY)}]
