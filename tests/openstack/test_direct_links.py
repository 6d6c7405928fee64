"""Hosts of a cloud that the platform dials: offered where operators allow it, let in, and known by their keys."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from fake_openstack import FakeOpenStack
from openstack_resources import EXTERNAL, INTERNAL
from openstack_samples import Answer

from dashboard.flows.cloud_hosts import Choices
from dashboard.flows.hosts import add_hosts
from dashboard.flows.operations import cancel_operation
from dashboard.hub import direct
from dashboard.models import CloudAccount, Environment, EnvironmentKey, Host, HostState, LinkKind, Operation
from dashboard.models.hosts import FIRST_SEEN
from dashboard.operations.dispatcher import Dispatcher
from dashboard.operations.hosts import host_keys
from platform_manager.errors import UserError
from tests.support.lab import finished, transcript, until

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDDIZjT1nMepRLQmwrJ80b+wiyYTIQbZUhohGO+vzjVy"
CONSOLE = f"""\
[   12.1] cloud-init[702]: platform-manager: Docker engine 20.10.24 answers
[   13.0] cloud-init[702]: platform-manager: host key {KEY}
[   13.0] cloud-init[702]: platform-manager: done: this machine waits for the platform to dial it
"""
CHOICES = Choices(flavor="f-m1.small", image="i-base_debian_12", network=INTERNAL, pool=EXTERNAL, link=LinkKind.DIRECT)


@pytest.fixture(autouse=True)
def dialling_platform(settings: Any) -> None:
    settings.PM_DIRECT_FROM = "192.0.2.0/24"


@pytest.fixture
def worker(settings: Any) -> Iterator[Dispatcher]:
    settings.PM_HOST_SECONDS = 1
    worker = Dispatcher()
    worker.start()
    yield worker
    worker.stop()


def add(environment: Environment, account: CloudAccount, choices: Choices = CHOICES) -> Operation:
    values = {"driver": "openstack", "prefix": "fw", "quantity": 1, "account": account, "choices": choices}
    return add_hosts(environment, environment.owner, **values)


def test_a_platform_that_no_machine_reaches_offers_to_dial_them(
    ann: User, environment: Environment, account: CloudAccount, settings: Any
) -> None:
    settings.PM_URL = "http://127.0.0.1:8000"
    client = Client()
    client.force_login(ann)
    data = {"driver": account.pk, "prefix": "fw", "quantity": 1}
    answer = client.get(reverse("hosts_options", args=[environment.pk]), data)
    assert answer.context["page"].chosen.link == LinkKind.DIRECT
    assert "SSH is let in from 192.0.2.0/24 alone." in answer.content.decode()
    with pytest.raises(UserError, match="Or let the platform dial the hosts") as refused:
        add(environment, account, Choices(CHOICES.flavor, CHOICES.image, CHOICES.network))
    assert refused.value.field == "link"


def test_a_platform_that_dials_nobody_says_what_an_operator_has_to_do(
    environment: Environment, account: CloudAccount, settings: Any
) -> None:
    settings.PM_DIRECT_FROM = ""
    with pytest.raises(UserError, match="An operator sets PM_DIRECT_FROM") as refused:
        add(environment, account)
    assert refused.value.field == "link"
    assert not EnvironmentKey.objects.exists()


def test_the_cloud_lets_the_platform_in_and_the_machine_dials_nobody(
    fake: FakeOpenStack, environment: Environment, account: CloudAccount, worker: Dispatcher
) -> None:
    finished(add(environment, account), seconds=60)
    key = EnvironmentKey.objects.get(environment=environment)
    (server,) = fake.resources.servers.values()
    script = base64.b64decode(server["asked"]["user_data"]).decode()
    assert " ".join(key.public_key.split()[:2]) in script
    assert "PRIVATE KEY" not in script and "JOIN_URL=''" in script
    (pair,) = fake.resources.keys.values()
    assert pair["public_key"] == key.public_key
    (group,) = fake.resources.groups.values()
    ssh = [rule for rule in group["security_group_rules"] if rule["port_range_min"] == 22]
    assert [rule["remote_ip_prefix"] for rule in ssh] == ["192.0.2.0/24"]


def test_the_key_on_the_console_is_the_one_that_counts(
    fake: FakeOpenStack, environment: Environment, account: CloudAccount, worker: Dispatcher, settings: Any
) -> None:
    settings.PM_HOST_SECONDS = 20
    fake.resources.console = CONSOLE
    adding = add(environment, account)
    until(lambda: Host.objects.get().host_key == KEY, what="the key is read")
    (target,) = direct.targets()
    host = Host.objects.get()
    assert target.host_key == KEY
    assert target.addresses == ("10.89.1.100", "10.89.4.33")
    assert "OPENSSH PRIVATE KEY" in target.private_key

    direct.told(str(host.pk), '{"hostname": "fw-01", "mtu": 1400, "evil": 1}', KEY)
    host.refresh_from_db()
    assert (host.facts, host.state) == ({"hostname": "fw-01", "mtu": 1400}, HostState.BOOTSTRAPPING)
    cancel_operation(adding, environment.owner)
    finished(adding, seconds=60)


def test_the_key_may_come_from_cloud_inits_own_words(
    fake: FakeOpenStack, environment: Environment, account: CloudAccount, worker: Dispatcher
) -> None:
    lines = ["-----BEGIN SSH HOST KEY KEYS-----", "ssh-rsa AAAAB3 root@fw-01", f"{KEY} root@fw-01", "-----END"]
    fake.resources.console = "\r\n".join(lines)
    finished(add(environment, account), seconds=60)
    assert Host.objects.get().host_key == KEY


def test_a_cloud_that_is_away_for_a_moment_does_not_end_the_waiting(
    fake: FakeOpenStack, environment: Environment, account: CloudAccount, worker: Dispatcher, settings: Any
) -> None:
    settings.PM_HOST_SECONDS = 30
    fake.resources.console = ""
    adding = add(environment, account)
    until(lambda: Host.objects.get().state == HostState.BOOTING, what="the machine is made")
    fake.resources.console = CONSOLE
    fake.trouble("GET /compute/v2.1/servers/detail", Answer(503, ""), times=3)
    until(lambda: not fake.troubles[-1].times, what="the cloud is away", seconds=20)
    until(lambda: Host.objects.get().host_key == KEY, what="the key is read", seconds=20)
    cancel_operation(adding, environment.owner)
    finished(adding, seconds=60)


def test_a_console_that_is_not_told_for_a_moment_does_not_make_any_key_count(
    fake: FakeOpenStack,
    environment: Environment,
    account: CloudAccount,
    worker: Dispatcher,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.PM_HOST_SECONDS = 30
    monkeypatch.setattr(host_keys, "TRUST_SECONDS", 0.0)
    monkeypatch.setattr(host_keys, "LOOK_SECONDS", 0.0)
    fake.resources.console = "[    0.0] Linux version 6.1"
    adding = add(environment, account)
    until(lambda: fake.count("POST .*/action") > 1, what="the console is read")
    fake.trouble("POST .*/action", Answer(500, ""), times=3)
    until(lambda: not fake.troubles[-1].times, what="the console is not told")
    assert Host.objects.get().host_key == ""
    fake.resources.console = CONSOLE
    until(lambda: Host.objects.get().host_key, what="the key is read")
    assert Host.objects.get().host_key == KEY
    cancel_operation(adding, environment.owner)
    finished(adding, seconds=60)


def test_a_machine_that_waits_in_vain_is_explained(
    fake: FakeOpenStack, environment: Environment, account: CloudAccount, worker: Dispatcher
) -> None:
    fake.resources.console = CONSOLE
    told = transcript(finished(add(environment, account), seconds=60))
    assert "the platform can't reach its SSH server" in told


@pytest.fixture
def dialled(environment: Environment, account: CloudAccount) -> Host:
    add(environment, account)
    Host.objects.update(state=HostState.ACTIVE, host_key=KEY, addresses=["10.89.4.33", "198.51.100.7"])
    return Host.objects.select_related("account").get()


def test_a_cloud_can_lead_the_platform_to_public_addresses_only(dialled: Host, settings: Any) -> None:
    dialled.addresses = ["127.0.0.1", "10.0.0.1", "93.184.215.14"]
    dialled.save()
    settings.PM_PRIVATE_CLOUDS = False
    assert [target.addresses for target in direct.targets()] == [("93.184.215.14",)]


def test_a_cloud_at_home_can_not_lead_the_platform_to_its_own_machine(dialled: Host) -> None:
    dialled.addresses = ["127.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "localhost", "10.89.4.33"]
    dialled.save()
    assert [target.addresses for target in direct.targets()] == [("10.89.4.33",)]


def test_a_cloud_can_not_have_half_the_internet_dialled(dialled: Host) -> None:
    dialled.addresses = [f"93.184.215.{n}" for n in range(200)]
    dialled.save()
    (target,) = direct.targets()
    assert target.addresses == tuple(f"93.184.215.{n}" for n in (199, 198, 197, 196))


def test_who_is_not_made_yet_or_dials_itself_is_not_dialled(dialled: Host) -> None:
    for changes in ({"state": HostState.BUILDING}, {"host_key": ""}, {"link": LinkKind.REVERSE}, {"addresses": []}):
        before = {name: getattr(dialled, name) for name in changes}
        Host.objects.update(**changes)
        assert direct.targets() == [], changes
        Host.objects.update(**before)
    assert len(direct.targets()) == 1


def test_the_first_key_is_written_down_where_the_cloud_tells_none(dialled: Host) -> None:
    Host.objects.update(host_key=FIRST_SEEN)
    assert direct.targets()[0].host_key == ""
    direct.told(str(dialled.pk), "no json", KEY)
    direct.told(str(dialled.pk), "{}", "ssh-ed25519 another")
    assert Host.objects.get().host_key == KEY


def test_why_a_lost_host_can_not_be_dialled_stands_with_it(dialled: Host) -> None:
    Host.objects.update(state=HostState.DISCONNECTED)
    direct.refused(str(dialled.pk), "198.51.100.7: no answer within 10 s")
    assert Host.objects.get().state_detail == (
        "Not linked: 198.51.100.7: no answer within 10 s. The platform goes on dialling."
    )
    Host.objects.update(state=HostState.BOOTING, state_detail="")
    direct.refused(str(dialled.pk), "198.51.100.7: no answer within 10 s")
    assert Host.objects.get().state_detail == ""
