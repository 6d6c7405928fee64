"""Adding hosts of a cloud: lists live from the project, what fits said before the button is pressed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from fake_openstack import FakeOpenStack
from openstack_resources import EXTERNAL, INTERNAL, flavor

from dashboard.flows import clouds
from dashboard.flows.cloud_hosts import Choices
from dashboard.flows.hosts import add_hosts
from dashboard.models import CloudAccount, Environment, Host, Operation
from platform_manager.errors import UserError
from tests import factories

pytestmark = pytest.mark.django_db
CHOICES = Choices(flavor="f-m1.small", image="i-base_debian_12", network=INTERNAL)


@pytest.fixture
def client(ann: User) -> Client:
    client = Client()
    client.force_login(ann)
    return client


def chosen(account: CloudAccount, **more: Any) -> dict[str, Any]:
    lists = {"flavor": CHOICES.flavor, "image": CHOICES.image, "network": CHOICES.network}
    return {"driver": account.pk, "options_of": account.pk, "prefix": "fw", "quantity": 2, **lists, **more}


def ask(client: Client, name: str, environment: Environment, data: Any, method: str = "get") -> Any:
    return getattr(client, method)(reverse(name, args=[environment.pk]), data)


def added(environment: Environment, account: CloudAccount, choices: Choices = CHOICES, **more: Any) -> Operation:
    values = {"driver": "openstack", "prefix": "fw", "quantity": 1, "account": account, "choices": choices, **more}
    return add_hosts(environment, environment.owner, **values)


# What is offered


def test_an_account_is_a_way_to_make_hosts(client: Client, environment: Environment, account: CloudAccount) -> None:
    page = ask(client, "hosts_add", environment, {}).content.decode()
    assert f'value="{account.pk}"' in page
    assert "demo in Spain2" in page


def test_the_lists_come_from_the_project_with_what_suits_most(
    client: Client, environment: Environment, account: CloudAccount
) -> None:
    answer = ask(client, "hosts_options", environment, {"driver": account.pk, "prefix": "fw", "quantity": 1})
    text = answer.content.decode()
    assert "m1.small (1 vCPU, 512 MiB, 10 GiB disk)" in text
    assert "node-int-net-01 (MTU 1400)" in text
    assert "One each, from public-ext-net-01" in text
    assert answer.context["page"].chosen.network == INTERNAL


def test_typing_does_not_ask_the_cloud_again(
    fake: FakeOpenStack, client: Client, environment: Environment, account: CloudAccount
) -> None:
    before = fake.count("GET /compute/v2.1/flavors/detail")
    for quantity in (1, 2, 3):
        assert ask(client, "hosts_plan", environment, chosen(account, quantity=quantity)).status_code == 200
    assert fake.count("GET /compute/v2.1/flavors/detail") == before + 1


def test_the_quota_is_told_before_anything_is_made(
    client: Client, environment: Environment, account: CloudAccount
) -> None:
    text = ask(client, "hosts_plan", environment, chosen(account, pool=EXTERNAL)).content.decode()
    assert "2 of 5 instances" in text
    assert "2 of 3 floating IPs" in text
    assert "MTU 1400, as the cloud says of node-int-net-01" in text
    too_many = ask(client, "hosts_plan", environment, chosen(account, quantity=6)).content.decode()
    assert "1 instance short" in too_many


def test_what_does_not_fit_is_refused(client: Client, environment: Environment, account: CloudAccount) -> None:
    answer = ask(client, "hosts_add", environment, chosen(account, quantity=6), "post")
    assert answer.status_code == 422
    assert "1 instance short" in answer.context["form"].errors["quantity"][0]
    assert not Host.objects.exists()


def test_a_post_without_choices_shows_them_first(
    client: Client, environment: Environment, account: CloudAccount
) -> None:
    answer = ask(client, "hosts_add", environment, {"driver": account.pk, "prefix": "fw", "quantity": 1}, "post")
    assert answer.status_code == 422
    assert "m1.small" in answer.content.decode()
    assert not Host.objects.exists()


def test_choices_of_another_account_do_not_count(
    client: Client, environment: Environment, account: CloudAccount
) -> None:
    answer = ask(client, "hosts_add", environment, chosen(account, options_of="another"), "post")
    assert answer.status_code == 422
    assert not Host.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"flavor": "gone"}, "flavor"),
        ({"flavor": ""}, "flavor"),
        ({"image": "gone"}, "image"),
        ({"network": EXTERNAL}, "network"),
        ({"pool": "gone"}, "pool"),
        ({"zone": "gone"}, "zone"),
        ({"key_pair": "gone"}, "key_pair"),
        ({"security_groups": ["gone"]}, "security_groups"),
    ],
    ids=str,
)
def test_what_is_gone_is_said_at_its_field(
    client: Client, environment: Environment, account: CloudAccount, wrong: Any, field: str
) -> None:
    answer = ask(client, "hosts_add", environment, chosen(account, **wrong), "post")
    assert list(answer.context["form"].errors) == [field]
    assert not Host.objects.exists()


def test_a_flavor_without_a_disk_takes_a_boot_volume(
    fake: FakeOpenStack, client: Client, environment: Environment, account: CloudAccount
) -> None:
    fake.resources.flavors.append(flavor("diskless", 2, 2048, 0))
    for size in ("", 5):
        answer = ask(client, "hosts_add", environment, chosen(account, flavor="f-diskless", volume_gib=size), "post")
        assert "at least 10 GiB" in answer.context["form"].errors["volume_gib"][0]
    data = chosen(account, flavor="f-diskless", volume_gib=20)
    assert ask(client, "hosts_add", environment, data, "post").status_code == 302
    assert Host.objects.first().options["volume_gib"] == 20  # type: ignore[union-attr]


def test_boot_volumes_that_do_not_fit_are_refused(
    fake: FakeOpenStack, client: Client, environment: Environment, account: CloudAccount
) -> None:
    fake.services += ("volumev3",)
    clouds.check_account(account)  # which services a cloud has stands in what it gives at a sign-in
    fake.resources.flavors.append(flavor("diskless", 1, 512, 0))
    answer = ask(
        client, "hosts_add", environment, chosen(account, flavor="f-diskless", volume_gib=60, quantity=2), "post"
    )
    assert "20 GiB of volumes short" in answer.context["form"].errors["quantity"][0]
    assert not Host.objects.exists()


def test_a_cloud_that_fails_is_a_sentence_on_the_page(
    client: Client, environment: Environment, account: CloudAccount
) -> None:
    account.secret = {**account.secret, "password": "expired-of-ann"}
    account.save()
    for name, method in (("hosts_options", "get"), ("hosts_plan", "get"), ("hosts_add", "post")):
        answer = ask(client, name, environment, chosen(account), method)
        assert "expired-of-ann" not in answer.content.decode()
    assert "refused to sign in" in answer.content.decode()
    assert answer.status_code == 422


# What is asked for


def test_hosts_are_asked_for_with_their_account_and_choices(
    client: Client, environment: Environment, account: CloudAccount
) -> None:
    answer = ask(client, "hosts_add", environment, chosen(account, pool=EXTERNAL), "post")
    assert answer.status_code == 302
    hosts = list(Host.objects.order_by("name"))
    assert [host.name for host in hosts] == ["fw-01", "fw-02"]
    assert {(host.driver, host.account) for host in hosts} == {("openstack", account)}
    assert hosts[0].options["floating_pool"] == EXTERNAL
    assert hosts[0].options["mtu"] == 1400


def test_choices_are_offered_again(client: Client, environment: Environment, account: CloudAccount) -> None:
    ask(
        client,
        "hosts_add",
        environment,
        chosen(account, quantity=1, image="i-base_ubuntu_16.04", pool=EXTERNAL),
        "post",
    )
    first = ask(client, "hosts_add", environment, {})
    assert first.context["page"].account == account
    answer = ask(client, "hosts_options", environment, {"driver": account.pk, "prefix": "fw", "quantity": 1})
    assert answer.context["page"].chosen.image == "i-base_ubuntu_16.04"
    assert answer.context["page"].chosen.pool == EXTERNAL


def test_members_use_a_shared_account_and_nobody_else(
    client: Client, environment: Environment, account: CloudAccount, ann: User
) -> None:
    bob = Client()
    bob.force_login(factories.member(environment, factories.user("bob")))
    assert str(account.pk) not in ask(bob, "hosts_add", environment, {}).content.decode()
    refused = ask(bob, "hosts_add", environment, chosen(account), "post")
    assert list(refused.context["form"].errors) == ["driver"]
    clouds.share_account(account, [environment.pk], by=ann)
    page = ask(bob, "hosts_add", environment, {}).content.decode()
    assert "shared by ann" in page
    assert ask(bob, "hosts_add", environment, chosen(account), "post").status_code == 302


def test_a_platform_that_no_machine_can_reach_says_so(
    environment: Environment, account: CloudAccount, settings: Any
) -> None:
    settings.PM_URL = "http://127.0.0.1:8000"
    with pytest.raises(UserError, match="PM_URL"):
        added(environment, account)


def test_a_network_that_carries_less_than_the_environment_has_is_refused(
    environment: Environment, account: CloudAccount
) -> None:
    Environment.objects.filter(pk=environment.pk).update(mtu=1500)
    environment.refresh_from_db()
    with pytest.raises(UserError, match="large packets would be lost") as refused:
        added(environment, account)
    assert refused.value.field == "network"


def test_an_image_that_needs_more_than_the_flavor_has_is_refused(
    fake: FakeOpenStack, environment: Environment, account: CloudAccount
) -> None:
    fake.resources.images[0]["min_disk"] = 40
    with pytest.raises(UserError, match="needs a disk of 40 GiB"):
        added(environment, account)
    fake.resources.images[0].update(min_disk=1, min_ram=4096)
    with pytest.raises(UserError, match="needs 4096 MiB of memory"):
        added(environment, account, replace(CHOICES))
