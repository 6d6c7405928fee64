"""What may be opened, to whom, and what is said about it."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.flows.ports import close_port, nothing_to_open, open_port, places
from dashboard.models import AuditEntry, Environment, OpenPort, OperationState
from dashboard.models.openings import EVERYBODY
from dashboard.pages.ports import OPENING, openings
from platform_manager.errors import UserError
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def environment() -> Environment:
    """With a host in a cloud."""
    made = factories.environment(name="Shop")
    account = factories.cloud_account(made.owner)
    factories.host(made, "fw-01", driver="openstack", account=account, addresses=["10.0.0.5", "198.51.100.7"])
    return made


def opening(environment: Environment, port: int = 8080, source: str = EVERYBODY, protocol: str = "tcp") -> Any:
    return open_port(environment, environment.owner, protocol=protocol, port=port, source=source)


@pytest.mark.parametrize("port", [22, 2375, 2376, 2377, 4789, 7946])
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_what_the_swarm_and_the_platform_use_is_never_opened(
    environment: Environment, port: int, protocol: str
) -> None:
    with pytest.raises(UserError, match=f"{port} can't be opened: ") as refused:
        opening(environment, port, protocol=protocol)
    assert refused.value.field == "port"


@pytest.mark.parametrize("port", [0, -1, 65_536, 10**30])
def test_a_port_has_a_number(environment: Environment, port: int) -> None:
    with pytest.raises(UserError, match="from 1 to 65535"):
        opening(environment, port)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Write the network"),
        ("192.0.2.7/24", "write 192.0.2.0/24 for the network, or 192.0.2.7 for it alone"),
        ("2001:db8::/32", "Only IPv4 networks"),
        ("office", "office is no network"),
        ("192.0.2.0/33", "is no network"),
        ("192.0.2.0/24/8", "is no network"),
    ],
)
def test_a_source_is_an_ipv4_network(environment: Environment, typed: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as refused:
        opening(environment, source=typed)
    assert refused.value.field == "source"


@pytest.mark.parametrize(
    ("typed", "stored", "said"),
    [
        ("192.0.2.7", "192.0.2.7/32", "192.0.2.7/32"),
        (" 192.0.2.0/255.255.255.0 ", "192.0.2.0/24", "192.0.2.0/24"),
        ("0.0.0.0/0", EVERYBODY, "everybody"),
    ],
)
def test_a_source_is_kept_in_one_form(environment: Environment, typed: str, stored: str, said: str) -> None:
    operation = opening(environment, source=typed)
    assert operation.args["source"] == stored
    assert operation.title == f"Open 8080/tcp to {said}"


def test_nothing_is_asked_for_twice(environment: Environment) -> None:
    opening(environment)
    with pytest.raises(UserError, match="being opened already"):
        opening(environment)


def test_what_everybody_reaches_is_not_opened_to_some(environment: Environment) -> None:
    OpenPort.objects.create(environment=environment, port=8080)
    with pytest.raises(UserError, match="open to everybody: close that first"):
        opening(environment, source="192.0.2.0/24")


def test_there_is_an_end_to_open_ports(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.flows.ports.MOST", 1)
    OpenPort.objects.create(environment=environment, port=80)
    with pytest.raises(UserError, match="1 ports are open, which is the most"):
        opening(environment)


def test_an_environment_without_a_cloud_has_nothing_to_open() -> None:
    empty = factories.environment()
    assert "has no hosts yet" in nothing_to_open(empty)
    factories.host(empty)
    with pytest.raises(UserError, match="None of the hosts is in a cloud"):
        opening(empty)


def test_ports_are_reached_at_floating_ips_and_public_addresses(environment: Environment) -> None:
    account = factories.cloud_account(environment.owner)
    more = {"driver": "openstack", "account": account}
    factories.host(environment, "fw-02", addresses=["10.0.0.6"], **more)
    factories.host(environment, "fw-03", addresses=["8.8.8.8"], **more)
    factories.host(environment, "local", addresses=["172.17.0.5", "172.18.0.5"])
    assert places(environment) == [("fw-01", "198.51.100.7"), ("fw-03", "8.8.8.8")]


def test_a_port_is_listed_before_its_operation_begins_and_no_more_after_it_was_cancelled(
    environment: Environment,
) -> None:
    operation = opening(environment)
    [[listed]] = openings(environment).values()
    assert (listed.pk, listed.badge, listed.who) == (None, OPENING, "everybody")
    operation.state = OperationState.CANCELLED
    operation.save()
    assert openings(environment) == {}


def test_who_opened_and_closed_is_recorded(environment: Environment) -> None:
    opening(environment)
    close_port(OpenPort.objects.create(environment=environment, port=80), environment.owner)
    told = AuditEntry.objects.filter(action__startswith="port.").values_list("action", "object_name", "outcome")
    assert set(told) == {("port.open", "8080/tcp", "requested"), ("port.close", "80/tcp", "requested")}
