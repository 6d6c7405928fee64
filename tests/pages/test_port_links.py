"""The links of a stack's published ports: where a browser is likely to reach them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from dashboard.models import Environment, HostState
from dashboard.pages.port_links import port_links
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(client: Client) -> Environment:
    user: User = factories.user("anna")
    client.force_login(user)
    return factories.environment(user, "Shop")


def urls(shop: Environment, *words: str, node: str = "") -> list[str]:
    service = factories.service("web", "demo", ports=list(words))
    tasks = [factories.task(service, 1, node_id=node)] if node else []
    return [link.url for link in port_links(shop, [service], tasks)]


@pytest.mark.parametrize(
    ("words", "url"),
    [
        ("8080:80/tcp", "http://172.17.0.2:8080"),
        ("9443:443/tcp", "https://172.17.0.2:9443"),
        ("5353:53/udp", ""),
        ("80/tcp", ""),
        ("9000:9000/tcp on the host", "http://172.17.0.3:9000"),
    ],
)
def test_a_port_is_opened_at_a_host_that_answers(shop: Environment, words: str, url: str) -> None:
    factories.host(shop, "fw-00", addresses=["172.17.0.1"], state=HostState.DISCONNECTED)
    factories.host(shop, "fw-01", addresses=["172.17.0.2"])
    there = factories.host(shop, "fw-02", addresses=["172.17.0.3"])
    assert urls(shop, words, node=there.node_id) == [url]


@pytest.mark.parametrize(
    ("addresses", "url"),
    [
        (["10.0.0.5", "198.51.100.7"], "http://198.51.100.7:8080"),
        (["10.0.0.5"], "http://10.0.0.5:8080"),
        (["2001:db8::7"], "http://[2001:db8::7]:8080"),
        (["evil.example/@1"], ""),
        ([], ""),
    ],
)
def test_a_floating_ip_comes_before_an_address_of_the_clouds_network(
    shop: Environment, addresses: list[str], url: str
) -> None:
    factories.host(shop, "fw-01", addresses=addresses, account=factories.cloud_account(shop.owner))
    assert urls(shop, "8080:80/tcp") == [url]


def test_without_a_host_that_answers_there_is_nothing_to_open(shop: Environment, client: Client) -> None:
    service = factories.service("web", "demo", ports=["8080:80/tcp"])
    factories.snapshot(shop, services=[service], nodes=[factories.node(1)])
    assert "8080:80/tcp" in shown(client, shop)
    assert "http://" not in shown(client, shop)

    factories.host(shop, "fw-01", addresses=["172.17.0.2"])
    assert '<a href="http://172.17.0.2:8080" target="_blank" rel="noopener noreferrer"' in shown(client, shop)


def shown(client: Client, shop: Environment) -> Any:
    page = client.get(reverse("stack", args=[shop.pk, "demo"])).content.decode()
    return page.split('id="stack-head"')[1].split('id="stack-trouble"')[0]
