"""What members see of machines that were changed outside the platform, and what they can do."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dashboard.models import Environment, Host, HostRole, HostState, MachineState, MemberRole
from tests import factories

pytestmark = pytest.mark.django_db
DETAIL = "It was deleted outside the platform. Recreate the host, or remove it."


@pytest.fixture
def shop(client: Client) -> Environment:
    user = factories.user("anna")
    client.force_login(user)
    made = factories.environment(user, "Shop")
    for n in (1, 2, 3):
        factories.host(made, f"fw-0{n}", role=HostRole.MANAGER, machine=MachineState.RUNNING)
    return made


def lost(shop: Environment, machine: MachineState = MachineState.GONE, detail: str = DETAIL) -> Host:
    host = shop.hosts.get(name="fw-02")
    host.machine, host.machine_detail, host.machine_seen_at = machine, detail, timezone.now()
    host.state, host.link_up, host.state_detail = HostState.DISCONNECTED, False, "Not linked: it dials in again."
    host.save()
    return host


def page(client: Client, name: str, shop: Environment, *args: object) -> str:
    return client.get(reverse(name, args=[shop.pk, *args])).content.decode()


def post(client: Client, name: str, shop: Environment, host: Host) -> str:
    return client.post(reverse(name, args=[shop.pk, host.pk]), follow=True).content.decode()


def test_nothing_is_said_of_machines_that_run(client: Client, shop: Environment) -> None:
    assert "outside the platform" not in page(client, "environment", shop)
    host = shop.hosts.get(name="fw-02")
    assert reverse("host_recreate", args=[shop.pk, host.pk]) not in page(client, "host", shop, host.pk)


def test_a_gone_machine_is_shown_with_what_to_do(client: Client, shop: Environment) -> None:
    host = lost(shop)
    overview = page(client, "environment", shop)
    assert "Machines were changed outside the platform" in overview
    assert "fw-02 is gone." in overview
    listed = page(client, "hosts", shop)
    assert "Gone" in listed
    assert DETAIL in listed
    assert "dials in again" not in listed
    own = page(client, "host", shop, host.pk)
    assert DETAIL in own
    assert reverse("host_recreate", args=[shop.pk, host.pk]) in own
    assert "Start the machine" not in own.split('id="start"')[0]
    assert [row.name for row in client.get(reverse("hosts", args=[shop.pk]), {"q": "gone"}).context["hosts"].rows] == [
        "fw-02"
    ]


def test_a_stopped_machine_can_be_started(client: Client, shop: Environment) -> None:
    host = lost(shop, MachineState.STOPPED, "It was shut down outside the platform. Start it.")
    assert "Start the machine" in page(client, "host", shop, host.pk)
    assert "Start fw-02" in post(client, "host_start", shop, host)
    assert shop.operations.get().kind == "start_host"


def test_the_page_says_what_goes_and_what_stays(client: Client, shop: Environment) -> None:
    host = lost(shop)
    shown = page(client, "host_recreate", shop, host.pk)
    for words in ("The volumes on it, with their data", "Its name, its role", "no other manager may fail"):
        assert words in shown
    assert "Recreate fw-02" in post(client, "host_recreate", shop, host)
    assert shop.operations.get().kind == "recreate_host"


def test_a_swarm_without_majority_says_what_to_do_instead(client: Client, shop: Environment) -> None:
    host = lost(shop, MachineState.STOPPED, "It was shut down outside the platform. Start it.")
    Host.objects.filter(name="fw-01").update(state=HostState.DISCONNECTED)
    shown = page(client, "host_recreate", shop, host.pk)
    assert "Only 1 of 3 managers answer" in shown
    assert "Start fw-02" in shown
    post(client, "host_recreate", shop, host)
    assert not shop.operations.exists()


def test_the_last_host_says_how_many_stacks_end(client: Client, shop: Environment) -> None:
    factories.stack(shop, "demo")
    host = lost(shop)
    shop.hosts.exclude(pk=host.pk).delete()
    assert "1 stack with the swarm: deploy it again" in page(client, "host_recreate", shop, host.pk)


@pytest.mark.parametrize("role", [MemberRole.RESTRICTED, MemberRole.READ_ONLY])
def test_who_may_not_change_hosts_sees_it_and_is_offered_nothing(
    client: Client, shop: Environment, role: MemberRole
) -> None:
    host = lost(shop)
    client.force_login(factories.member(shop, role=role))
    own = page(client, "host", shop, host.pk)
    assert DETAIL in own
    assert "Recreate</a>" not in own
    for name in ("host_recreate", "host_start"):
        assert client.post(reverse(name, args=[shop.pk, host.pk])).status_code == 403


def test_the_account_shows_it_too(client: Client, shop: Environment) -> None:
    account = factories.cloud_account(shop.owner)
    host = lost(shop)
    Host.objects.filter(pk=host.pk).update(account=account)
    assert "Gone" in client.get(reverse("cloud_account", args=[account.pk])).content.decode()
