"""Environments and hosts whose cloud account does not work any more: the way out leaves the machines in the cloud."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from fake_openstack import PASSWORD, FakeOpenStack
from openstack_resources import EXTERNAL, INTERNAL
from openstack_samples import Answer

from dashboard.flows import clouds
from dashboard.flows.cloud_hosts import Choices
from dashboard.flows.environments import delete_environment
from dashboard.flows.hosts import add_hosts, remove_host
from dashboard.flows.operations import retry_operation
from dashboard.models import AuditEntry, CloudAccount, Environment, Host, Operation, OperationLog, OperationState
from dashboard.operations.clouds.cloud_look import Memory, look_at
from dashboard.operations.dispatcher import Dispatcher
from platform_manager.errors import UserError
from tests import factories
from tests.support.lab import finished, succeeded

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def worker(settings: Any) -> Iterator[Dispatcher]:
    settings.PM_HOST_SECONDS = 0
    settings.PM_CLOUD_WATCH_SECONDS = 0  # looks are the tests' own
    worker = Dispatcher()
    worker.start()
    yield worker
    worker.stop()


@pytest.fixture
def client(client: Client, ann: User) -> Client:
    client.force_login(ann)
    return client


@pytest.fixture
def hosts(environment: Environment, ann: User, account: CloudAccount) -> list[Host]:
    """Two of the account, which have servers and floating IPs and never call in."""
    return made(environment, ann, account, 2)


def made(environment: Environment, user: User, account: CloudAccount, quantity: int, prefix: str = "fw") -> list[Host]:
    choices = Choices(flavor="f-m1.small", image="i-base_debian_12", network=INTERNAL, pool=EXTERNAL)
    values = {"driver": "openstack", "prefix": prefix, "account": account, "choices": choices}
    finished(add_hosts(environment, user, quantity=quantity, **values), seconds=60)
    return list(environment.hosts.filter(account=account).order_by("name"))


def lose_password(account: CloudAccount) -> None:
    """Somebody changed it in the cloud, and the account was asked since."""
    account.secret = {**account.secret, "password": "unknown"}
    account.save()
    assert "refused to sign in" in clouds.check_account(account)


def find_password(account: CloudAccount) -> None:
    clouds.change_account(account, by=account.owner, name=account.name, secret=PASSWORD)


def keep(account: CloudAccount) -> list[str]:
    return [str(account.pk)]


def said(operation: Operation) -> str:
    return "\n".join(OperationLog.objects.filter(operation=operation).order_by("id").values_list("text", flat=True))


def page(client: Client, address: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", client.get(address).content.decode()).split())


def delete_page(environment: Environment) -> str:
    return f"/environments/{environment.pk}/delete/"


def remove_page(host: Host) -> str:
    return f"/environments/{host.environment_id}/hosts/{host.pk}/remove/"


# Environments


def test_an_environment_is_deleted_and_its_machines_are_left(
    fake: FakeOpenStack, environment: Environment, ann: User, account: CloudAccount, hosts: list[Host]
) -> None:
    lose_password(account)
    there = fake.resources.holds()
    asked = len(fake.asked)

    operation = succeeded(delete_environment(environment, ann, "Shop", leave=keep(account)), seconds=60)

    assert operation.title == "Delete environment Shop, leaving machines in Lab"
    assert fake.asked[asked:] == []
    assert fake.resources.holds() == there
    assert not Environment.objects.alive().exists()
    assert not Host.objects.exists()
    for host in hosts:
        assert f"Lab: server {host.name} ({host.provider_id}) stays in the cloud." in said(operation)
        assert f"Lab: floating IP of {host.name} ({host.addresses[1]}) stays in the cloud." in said(operation)
    [group] = [one for one in fake.resources.groups.values() if one["name"].startswith("platform-manager")]
    assert f"Lab: security group {group['name']} stays in the cloud." in said(operation)


def test_what_was_left_is_told_in_the_audit_log(
    environment: Environment, ann: User, account: CloudAccount, hosts: list[Host]
) -> None:
    lose_password(account)
    delete_environment(environment, ann, "Shop", leave=keep(account))
    left = AuditEntry.objects.get(action="environment.delete").detail["left"]
    assert f"server fw-01 ({hosts[0].provider_id})" in left["Lab"]


def test_what_was_left_is_left_over_once_the_account_works_again(
    fake: FakeOpenStack, environment: Environment, ann: User, account: CloudAccount, hosts: list[Host]
) -> None:
    lose_password(account)
    succeeded(delete_environment(environment, ann, "Shop", leave=keep(account)), seconds=60)
    account.refresh_from_db()
    assert sorted(row["id"] for row in account.leftovers) == sorted(host.provider_id for host in hosts)

    find_password(account)
    look_at(account, Memory())

    account.refresh_from_db()
    kinds = sorted(row["kind"] for row in account.leftovers)
    assert kinds == ["floating IP", "floating IP", "security group", "server", "server"]
    clouds.delete_account(account, by=ann)


def test_what_works_is_removed_as_always(
    fake: FakeOpenStack, environment: Environment, ann: User, account: CloudAccount, hosts: list[Host]
) -> None:
    with FakeOpenStack() as another:
        works = clouds.add_account(ann, name="Works", account=another.account())
        before = another.resources.holds()
        made(environment, ann, works, 1, "ok")
        lose_password(account)

        operation = succeeded(delete_environment(environment, ann, "Shop", leave=keep(account)), seconds=60)

        assert another.resources.holds() == before
        assert "1 machine is destroyed." in said(operation)
        assert len(fake.resources.servers) == 2


@pytest.mark.parametrize("remove", [True, False])
def test_an_account_that_works_leaves_nothing(
    environment: Environment, ann: User, account: CloudAccount, hosts: list[Host], remove: bool
) -> None:
    with pytest.raises(UserError, match="Lab works, so its machines can be removed"):
        if remove:
            remove_host(hosts[0], ann, leave=keep(account))
        else:
            delete_environment(environment, ann, "Shop", leave=keep(account))
    environment.refresh_from_db()
    assert environment.removing_since is None
    assert not environment.operations.exclude(kind="add_hosts").exists()


# Hosts


def test_hosts_are_removed_and_their_machines_are_left(
    fake: FakeOpenStack, ann: User, account: CloudAccount, hosts: list[Host]
) -> None:
    lose_password(account)
    there = fake.resources.holds()
    first, last = hosts

    operation = succeeded(remove_host(first, ann, leave=keep(account)), seconds=60)
    assert operation.title == "Remove fw-01, leaving its machine in Lab"
    assert f"server fw-01 ({first.provider_id}) stays" in said(operation)
    assert "security group" not in said(operation)

    operation = succeeded(remove_host(last, ann, leave=keep(account)), seconds=60)
    assert f"security group platform-manager-{last.environment_id} stays" in said(operation)
    assert not Host.objects.exists()
    assert fake.resources.holds() == there


def test_a_host_whose_machine_was_never_made_is_forgotten_too(
    fake: FakeOpenStack, environment: Environment, ann: User, account: CloudAccount
) -> None:
    fake.trouble("POST /compute/v2.1/servers", Answer(403, ""))
    [host] = made(environment, ann, account, 1)
    assert host.provider_id == ""
    lose_password(account)

    operation = succeeded(remove_host(host, ann, leave=keep(account)), seconds=60)

    assert "server fw-01 (if there is one: its id is not known) stays in the cloud" in said(operation)
    account.refresh_from_db()
    assert account.leftovers == []


# The answer that counts


def test_a_removal_that_fails_for_its_account_says_that_it_does_not_work(
    ann: User, account: CloudAccount, hosts: list[Host], client: Client
) -> None:
    account.secret = {**account.secret, "password": "unknown"}
    account.save()
    assert "Leave its machines" not in page(client, remove_page(hosts[0]))

    operation = finished(remove_host(hosts[0], ann), seconds=60)

    assert "The cloud account Lab does not work." in said(operation)
    account.refresh_from_db()
    assert "refused to sign in" in account.problem
    assert "Leave its machines in the cloud" in page(client, remove_page(hosts[0]))


def test_a_cloud_that_is_gone_for_good_counts_as_well(
    fake: FakeOpenStack, environment: Environment, ann: User, account: CloudAccount, hosts: list[Host]
) -> None:
    fake.trouble(".*", Answer(503, ""))
    operation = finished(delete_environment(environment, ann, "Shop"), seconds=90)
    assert operation.state == "failed"
    account.refresh_from_db()
    assert "fails at the moment" in account.problem

    succeeded(delete_environment(environment, ann, "Shop", leave=keep(account)), seconds=60)
    assert not Environment.objects.alive().exists()


def test_a_removal_that_fails_for_another_reason_does_not(
    fake: FakeOpenStack, ann: User, account: CloudAccount, hosts: list[Host]
) -> None:
    fake.trouble("DELETE /compute/v2.1/servers", Answer(403, ""))
    operation = finished(remove_host(hosts[0], ann), seconds=60)
    assert operation.state == "failed"
    assert "does not work" not in said(operation)
    account.refresh_from_db()
    assert account.problem == ""


@pytest.mark.parametrize("kind", ["remove_host", "delete_environment"])
def test_a_repetition_leaves_nothing_of_an_account_that_works_again(
    environment: Environment, ann: User, account: CloudAccount, kind: str
) -> None:
    host = factories.host(environment, driver="openstack", account=account)
    args = {"host": str(host.pk), "leave": keep(account)}
    failed = factories.operation(environment, state=OperationState.FAILED, kind=kind, args=args)
    with pytest.raises(UserError, match="Lab works"):
        retry_operation(failed, ann)


# Pages


def test_the_page_names_what_stays(
    client: Client, environment: Environment, account: CloudAccount, hosts: list[Host]
) -> None:
    assert "Leave its machines" not in page(client, delete_page(environment))
    lose_password(account)

    text = page(client, delete_page(environment))

    assert "The cloud account Lab does not work" in text
    assert "Make it work on its page" in text
    assert f"server fw-02 ({hosts[1].provider_id})" in text
    assert f"security group platform-manager-{environment.pk}" in text
    assert "key pair" not in text
    assert "security group" not in page(client, remove_page(hosts[0]))


def test_who_does_not_own_the_account_is_told_who_does(
    client: Client, environment: Environment, account: CloudAccount, hosts: list[Host]
) -> None:
    lose_password(account)
    client.force_login(factories.member(environment, factories.user("bob")))
    text = page(client, remove_page(hosts[0]))
    assert "ann , whose account it is, can make it work" in text
    assert f"/clouds/{account.pk}/" not in client.get(remove_page(hosts[0])).content.decode()


def test_a_form_that_is_refused_keeps_what_was_chosen(
    client: Client, environment: Environment, account: CloudAccount, hosts: list[Host]
) -> None:
    lose_password(account)
    answer = client.post(delete_page(environment), {"typed_name": "Shed", "leave": account.pk})
    assert answer.status_code == 422
    assert "checked" in answer.content.decode()
    assert "Type the environment&#x27;s name, Shop" in answer.content.decode()


def test_a_form_for_an_account_that_works_by_now_is_refused(
    client: Client, environment: Environment, account: CloudAccount, hosts: list[Host]
) -> None:
    for address, given in ((delete_page(environment), {"typed_name": "Shop"}), (remove_page(hosts[0]), {})):
        answer = client.post(address, {**given, "leave": account.pk})
        assert answer.status_code == 422
        assert "Lab works, so its machines can be removed" in answer.content.decode()
    assert Host.objects.count() == 2


def test_a_form_sends_the_wish(
    fake: FakeOpenStack, client: Client, environment: Environment, account: CloudAccount, hosts: list[Host]
) -> None:
    lose_password(account)
    answer = client.post(remove_page(hosts[0]), {"leave": account.pk})
    assert answer.status_code == 302
    succeeded(Operation.objects.get(kind="remove_host"), seconds=60)
    answer = client.post(delete_page(environment), {"typed_name": "Shop", "leave": account.pk})
    succeeded(Operation.objects.get(kind="delete_environment"), seconds=60)
    assert len(fake.resources.servers) == 2
