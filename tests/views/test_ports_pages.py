"""The page of published ports: what is published, to whom it is open, what follows from opening it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from dashboard.models import Environment, MemberRole, OpenPort, Operation
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def environment(anna: User) -> Environment:
    """With a host in a cloud, and services that publish."""
    made = factories.environment(anna, "Shop")
    account = factories.cloud_account(anna)
    factories.host(made, "fw-01", driver="openstack", account=account, addresses=["10.0.0.5", "198.51.100.7"])
    web = factories.service("web", "shop", ports=["8080:80/tcp", "9000:9000/tcp on the host", "53/udp"])
    mail = factories.service("mail", ports=["2525:25/sctp"])
    factories.snapshot(made, services=[web, mail])
    return made


def visit(client: Client, name: str, environment: Environment, *args: Any, **query: Any) -> str:
    return client.get(reverse(name, args=[environment.pk, *args]), query).content.decode()


def test_each_published_port_is_listed_with_who_may_reach_it(client: Client, environment: Environment) -> None:
    OpenPort.objects.create(environment=environment, port=9000, source="192.0.2.0/24")
    OpenPort.objects.create(environment=environment, port=443)
    answer = client.get(reverse("ports", args=[environment.pk]))
    rows = {row.word: row for row in answer.context["ports"].rows}
    assert list(rows) == ["443/tcp", "2525/sctp", "8080/tcp", "9000/tcp"]
    assert [one.name for one in rows["8080/tcp"].publishers] == ["shop_web"]
    assert (rows["8080/tcp"].openings, rows["443/tcp"].publishers) == ((), ())
    assert [one.who for one in rows["9000/tcp"].openings] == ["192.0.2.0/24"]
    text = answer.content.decode()
    assert "port 9000 of its tasks, on their hosts" in text
    assert "Open ports are reached at 198.51.100.7 (fw-01)." in text
    assert 'aria-label="Open 8080/tcp"' in text
    assert 'aria-label="Open 2525/sctp"' not in text
    assert 'aria-label="Open 443/tcp"' not in text


def test_ports_are_found_by_service_and_by_who(client: Client, environment: Environment) -> None:
    OpenPort.objects.create(environment=environment, port=443)
    for word, found in (("shop_web", ["8080/tcp", "9000/tcp"]), ("everybody", ["443/tcp"]), ("nobody", [])):
        answer = client.get(reverse("ports", args=[environment.pk]), {"q": word})
        assert [row.word for row in answer.context["ports"].rows] == found


def test_who_may_only_look_is_offered_nothing(environment: Environment) -> None:
    OpenPort.objects.create(environment=environment, port=8080)
    looker = Client()
    looker.force_login(factories.member(environment, role=MemberRole.READ_ONLY))
    text = visit(looker, "ports", environment)
    assert "everybody" in text
    assert reverse("ports_open", args=[environment.pk]) not in text
    assert "/close/" not in text


def test_the_form_says_where_the_port_is_reached(client: Client, environment: Environment) -> None:
    text = visit(client, "ports_open", environment, port=8080, protocol="tcp")
    assert 'value="8080"' in text
    assert "the whole internet may try it" in text
    assert "198.51.100.7 (fw-01)" in text
    environment.hosts.update(addresses=["10.0.0.5"])
    text = visit(client, "ports_open", environment)
    assert "No host has a floating IP" in text
    assert "the whole internet" not in text


def test_without_a_cloud_there_is_nothing_to_open(client: Client, anna: User) -> None:
    local = factories.environment(anna)
    factories.host(local)
    for name in ("ports", "ports_open"):
        assert "None of the hosts is in a cloud" in visit(client, name, local)


def test_a_port_is_asked_for(client: Client, environment: Environment) -> None:
    data = {"port": 8080, "protocol": "tcp", "who": "network", "source": "192.0.2.0/24"}
    answer = client.post(reverse("ports_open", args=[environment.pk]), data)
    operation = Operation.objects.get()
    assert answer["Location"] == reverse("operation", args=[environment.pk, operation.pk])
    assert operation.title == "Open 8080/tcp to 192.0.2.0/24"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"port": "22"}, "port"),
        ({"port": ""}, "port"),
        ({"protocol": "sctp"}, "protocol"),
        ({"who": ""}, "who"),
        ({"who": "network", "source": "192.0.2.7/24"}, "source"),
        ({"who": "network", "source": ""}, "source"),
        ({"port": "22", "who": "network", "source": "here"}, "port source"),
    ],
    ids=str,
)
def test_what_is_wrong_stands_at_its_field(
    client: Client, environment: Environment, wrong: dict[str, str], field: str
) -> None:
    data = {"port": "8080", "protocol": "tcp", "who": "everybody", **wrong}
    answer = client.post(reverse("ports_open", args=[environment.pk]), data)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == field.split()
    assert not Operation.objects.exists()


def test_closing_is_asked_and_says_what_follows(client: Client, environment: Environment) -> None:
    row = OpenPort.objects.create(environment=environment, port=8080)
    text = visit(client, "port_close", environment, row.pk)
    assert "Everybody can&#x27;t open connections" in text or "Everybody can't open connections" in text
    assert "shop_web" in text
    answer = client.post(reverse("port_close", args=[environment.pk, row.pk]))
    assert answer.status_code == 302
    again = client.post(reverse("port_close", args=[environment.pk, row.pk]))
    assert again.status_code == 422
    assert "being closed already" in again.content.decode()


def test_a_port_of_another_environment_is_not_found(client: Client, environment: Environment) -> None:
    theirs = OpenPort.objects.create(environment=factories.environment(), port=8080)
    for opening_id in (theirs.pk, 10**30):
        address = reverse("port_close", args=[environment.pk, opening_id])
        assert client.get(address).status_code == 404


def test_networks_and_services_lead_to_the_ports(client: Client, environment: Environment) -> None:
    ports = reverse("ports", args=[environment.pk])
    assert ports in visit(client, "networks", environment)
    assert f"{ports}?q=shop_web" in visit(client, "service", environment, "service-shop_web")
