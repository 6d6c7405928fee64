"""What the page of a host says of what its machine is made of, and of why it did not call in."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dashboard.models import CloudAccount, Environment, Host, HostState, LinkKind
from tests import factories

pytestmark = pytest.mark.django_db
OPTIONS = {
    "flavor": "f-1",
    "floating_pool": "p-1",
    "key_pair": "ann",
    "login": "debian",
    "names": {"flavor": "m1.small", "image": "base_debian_12", "network": "node-int-net-01"},
}


@pytest.fixture
def shop(client: Client) -> Environment:
    user = factories.user("anna")
    client.force_login(user)
    return factories.environment(user, "Shop")


@pytest.fixture
def account(shop: Environment) -> CloudAccount:
    return factories.cloud_account(shop.owner, "Smart city")


def made(shop: Environment, account: CloudAccount, **fields: Any) -> Host:
    values: dict[str, Any] = {"driver": "openstack", "provider_id": "server-7", "addresses": ["10.0.0.5", "192.0.2.7"]}
    return factories.host(shop, "fw-01", account=account, options=OPTIONS, **(values | fields))


def page(client: Client, host: Host) -> str:
    return client.get(reverse("host", args=[host.environment_id, host.pk])).content.decode()


def test_a_host_of_a_cloud_says_what_it_is_made_of(client: Client, shop: Environment, account: CloudAccount) -> None:
    shown = page(client, made(shop, account))
    for words in ("Smart city", "demo in Spain2", "m1.small", "base_debian_12", "node-int-net-01", "OpenStack"):
        assert words in shown
    assert "The host dials the platform" in shown
    assert 'data-copy="server-7"' in shown
    assert 'data-copy="ssh debian@192.0.2.7"' in shown


def test_a_link_that_the_platform_dials_is_said(client: Client, shop: Environment, account: CloudAccount) -> None:
    assert "The platform dials the host" in page(client, made(shop, account, link=LinkKind.DIRECT))


def test_the_account_is_a_link_for_its_owner_alone(client: Client, shop: Environment, account: CloudAccount) -> None:
    host, address = made(shop, account), reverse("cloud_account", args=[account.pk])
    assert address in page(client, host)
    client.force_login(factories.member(shop))
    shown = page(client, host)
    assert address not in shown
    assert "Smart city" in shown


@pytest.mark.parametrize(
    "fields",
    [
        {"options": OPTIONS | {"key_pair": ""}},
        {"options": OPTIONS | {"floating_pool": ""}},
        {"addresses": ["10.0.0.5"]},
        {"addresses": ["10.0.0.5", "192.0.2.7; reboot"]},
    ],
)
def test_nobody_is_told_to_sign_in_where_that_is_not_possible(
    client: Client, shop: Environment, account: CloudAccount, fields: dict[str, Any]
) -> None:
    host = made(shop, account)
    Host.objects.filter(pk=host.pk).update(**fields)
    shown = page(client, host)
    assert "ssh debian@" not in shown
    assert "<dt>Signs in as</dt>" in shown


def test_a_nested_host_says_nothing_of_clouds(client: Client, shop: Environment) -> None:
    shown = page(client, factories.host(shop))
    assert '<dt>Driver</dt><dd class="break">Local</dd>' in shown
    assert "<dt>Cloud account</dt>" not in shown
    assert "<dt>Server</dt>" not in shown


def test_the_sentence_stands_above_the_console_which_keeps_its_lines(client: Client, shop: Environment) -> None:
    detail = "It did not call in. It can't reach it.\nplatform-manager: enrolling\nplatform-manager: no <route>"
    shown = page(client, factories.host(shop, state=HostState.FAILED, state_detail=detail))
    assert '<p class="break mb-3">It did not call in. It can&#x27;t reach it.</p>' in shown
    console = shown.split("<pre")[1].split(">", 1)[1].split("</pre>")[0]
    assert console == "platform-manager: enrolling\nplatform-manager: no &lt;route&gt;"


def test_a_sentence_alone_is_not_taken_for_what_the_machine_said(client: Client, shop: Environment) -> None:
    shown = page(client, factories.host(shop, state=HostState.FAILED, state_detail="There is no quota left."))
    assert "There is no quota left." in shown
    assert "What the machine said last" not in shown
