"""What a worker does of a clean-up: everything chosen goes, what became somebody's stays, the rest goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from dbos import DBOS
from django.conf import settings
from django.contrib.auth.models import User
from fake_openstack import PASSWORD, FakeOpenStack
from openstack_samples import Answer, nova

from dashboard.flows.cleanups import look_into, request_cleanup
from dashboard.models import AuditEntry, CloudAccount, CloudCleanup, Environment, OperationState
from dashboard.operations.clouds import cleanup
from dashboard.operations.dispatcher import Dispatcher
from dashboard.operations.prune import prune
from platform_manager.clouds.openstack.marks import Mark
from tests import factories
from tests.support.lab import until

pytestmark = pytest.mark.django_db(transaction=True)
GONE = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
def fake(fake: FakeOpenStack) -> FakeOpenStack:
    """With volumes from the start: the catalog is kept from the sign-in that adding the account took."""
    fake.services += ("volumev3",)
    return fake


@pytest.fixture
def work() -> Iterator[Callable[[], Dispatcher]]:
    """Starts a worker once all is prepared."""
    begun: list[Dispatcher] = []

    def start() -> Dispatcher:
        begun.append(Dispatcher())
        begun[-1].start()
        return begun[-1]

    yield start
    for worker in begun:
        worker.stop()


def everything(account: CloudAccount) -> list[str]:
    return [one.thing.key for one in look_into(account) if not one.claim.refusal]


def asked(account: CloudAccount, *keys: str) -> CloudCleanup:
    return request_cleanup(account, keys or everything(account), typed_name="demo", by=account.owner)


def ended(row: CloudCleanup) -> CloudCleanup:
    def finished() -> bool:
        row.refresh_from_db()
        return OperationState(row.state).finished

    until(finished, what="the clean-up ends", seconds=60)
    return row


def became(row: CloudCleanup) -> dict[str, tuple[str, str]]:
    return {thing["name"]: (thing["state"], thing["error"]) for thing in row.things}


def fill(fake: FakeOpenStack) -> None:
    """Something of each kind, each used by one that goes before it."""
    mark = Mark(settings.PM_INSTALLATION, GONE, GONE)
    group = fake.resources.add_group("group")
    server = fake.resources.add_server("server", metadata=mark.metadata(), groups=[group["id"]])
    fake.resources.add_ip(port_id=next(iter(fake.resources.ports)))
    fake.resources.add_port(mark.description())
    fake.resources.add_volume("volume")
    fake.resources.keys["key"] = {"name": "key"}
    assert server["status"] == "ACTIVE"


def test_everything_chosen_goes_in_an_order_that_works(
    fake: FakeOpenStack, account: CloudAccount, work: Callable[[], Any]
) -> None:
    fill(fake)
    account.leftovers = [{"kind": "server", "id": one, "name": ""} for one in (*fake.resources.servers, "another")]
    account.save()
    row = asked(account)
    work()

    assert ended(row).state == OperationState.SUCCEEDED
    assert fake.resources.holds() == dict.fromkeys(fake.resources.holds(), 0)
    assert fake.resources.order == ["server", "port", "ip", "volume", "group", "key"]
    account.refresh_from_db()
    assert [one["id"] for one in account.leftovers] == ["another"]
    entry = AuditEntry.objects.get(action="cloud_account.clean_up.finished")
    assert (entry.outcome, entry.actor, entry.detail) == ("done", "ann", {"deleted": 6, "of": 6})


def test_nothing_but_what_was_chosen_is_touched(
    fake: FakeOpenStack, account: CloudAccount, work: Callable[[], Any]
) -> None:
    fill(fake)
    theirs = fake.resources.add_server("theirs")
    row = asked(account, *(key for key in everything(account) if theirs["id"] not in key))
    work()

    assert ended(row).state == OperationState.SUCCEEDED
    assert list(fake.resources.servers) == [theirs["id"]]
    assert fake.count("DELETE") == len(row.things) == 6


def test_what_became_a_hosts_meanwhile_is_left_alone(
    fake: FakeOpenStack, account: CloudAccount, environment: Environment, work: Callable[[], Any]
) -> None:
    mark = Mark(settings.PM_INSTALLATION, str(environment.pk), GONE)
    server = fake.resources.add_server("fw-01", metadata=mark.metadata())
    fake.resources.add_ip()
    row = asked(account)
    factories.host(environment, "fw-01", id=GONE, driver="openstack", account=account)
    work()

    ended(row)
    assert became(row) == {
        "fw-01": ("cancelled", "It belongs to a host of the platform: remove the host instead."),
        "10.89.1.100": ("succeeded", ""),
    }
    assert row.state == OperationState.FAILED
    assert list(fake.resources.servers) == [server["id"]]


def test_what_was_given_to_a_host_by_hand_meanwhile_is_left_alone(
    fake: FakeOpenStack, account: CloudAccount, environment: Environment, work: Callable[[], Any]
) -> None:
    ip, volume, unused = fake.resources.add_ip(), fake.resources.add_volume("data"), fake.resources.add_ip()
    row = asked(account)
    server = fake.resources.add_server("fw-01")
    factories.host(environment, "fw-01", driver="openstack", account=account, provider_id=server["id"])
    ip["port_id"] = next(iter(fake.resources.ports))
    volume["attachments"] = [{"server_id": server["id"]}]
    work()

    ended(row)
    refusal = "It belongs to a host of the platform: remove the host instead."
    assert became(row) == {
        ip["floating_ip_address"]: ("cancelled", refusal),
        "data": ("cancelled", refusal),
        unused["floating_ip_address"]: ("succeeded", ""),
    }
    assert fake.count("DELETE") == 1


def test_what_is_gone_already_counts_as_deleted(
    fake: FakeOpenStack, account: CloudAccount, work: Callable[[], Any]
) -> None:
    fake.resources.add_server("web")
    fake.resources.add_ip()
    row = asked(account)
    fake.resources.servers.clear()
    fake.resources.ips.clear()
    work()

    assert ended(row).state == OperationState.SUCCEEDED
    assert fake.count("DELETE") == 0


def test_what_fails_says_why_and_the_rest_goes_on(
    fake: FakeOpenStack, account: CloudAccount, work: Callable[[], Any]
) -> None:
    locked = fake.resources.add_server("locked")
    fake.resources.add_ip()
    message = f"Instance {locked['id']} is locked"
    fake.trouble(f"DELETE /compute/v2.1/servers/{locked['id']}", nova("conflictingRequest", 409, message))
    row = asked(account)
    work()

    ended(row)
    assert row.state == OperationState.FAILED
    assert became(row)["locked"][0] == "failed"
    assert "unlock it" in became(row)["locked"][1]
    assert became(row)["10.89.1.100"] == ("succeeded", "")
    entry = AuditEntry.objects.get(action="cloud_account.clean_up.finished")
    assert (entry.outcome, entry.detail) == ("failed", {"deleted": 1, "of": 2})


def test_what_passes_at_another_try_is_tried_again(
    fake: FakeOpenStack, account: CloudAccount, work: Callable[[], Any]
) -> None:
    fake.resources.add_ip()
    fake.trouble("DELETE /network/v2.0/floatingips", Answer(503, ""), times=1)
    row = asked(account)
    work()

    assert ended(row).state == OperationState.SUCCEEDED


def test_credentials_that_no_longer_work_are_told_without_them(
    fake: FakeOpenStack, account: CloudAccount, work: Callable[[], Any]
) -> None:
    fake.resources.add_ip()
    row = asked(account)
    account.secret = {**account.secret, "password": "expired-of-ann"}
    account.save()
    work()

    ended(row)
    assert "refused to sign in" in became(row)["10.89.1.100"][1]
    assert PASSWORD not in str(row.things)
    assert "expired-of-ann" not in str(row.things)


def test_of_a_user_one_runs_at_a_time_and_others_are_not_kept_waiting(
    fake: FakeOpenStack, account: CloudAccount, work: Callable[[], Any]
) -> None:
    fake.resources.add_server("web")
    fake.resources.delete_looks = 10_000
    first = asked(account)
    same = factories.cleanup(factories.cloud_account(account.owner, "Second"), state=OperationState.QUEUED)
    bens = factories.cleanup(factories.cloud_account(factories.user("ben")), state=OperationState.QUEUED)
    work()

    ended(bens)
    same.refresh_from_db()
    assert same.state == OperationState.QUEUED
    first.refresh_from_db()
    assert first.state == OperationState.RUNNING
    fake.resources.delete_looks = 0
    ended(first)
    ended(same)


def test_one_that_was_claimed_but_never_begun_is_begun(
    fake: FakeOpenStack, account: CloudAccount, work: Callable[[], Any]
) -> None:
    fake.resources.add_ip()
    row = asked(account)
    CloudCleanup.objects.update(state=OperationState.RUNNING)
    work()

    assert ended(row).state == OperationState.SUCCEEDED


def test_one_whose_workflow_was_lost_ends_and_says_so(
    fake: FakeOpenStack, account: CloudAccount, work: Callable[[], Any]
) -> None:
    fake.resources.add_ip()
    row = asked(account)
    worker = work()
    ended(row)
    until(lambda: DBOS.get_workflow_status(str(row.pk)).status == "SUCCESS", what="its end is recorded", seconds=10)
    row.things[0]["state"] = OperationState.RUNNING.value
    row.state, row.finished_at = OperationState.RUNNING, None
    row.save()
    worker._cleanups._look_at = 0

    assert ended(row).state == OperationState.FAILED
    assert became(row)["10.89.1.100"] == ("failed", cleanup.ABANDONED)


def test_one_of_a_worker_that_stopped_is_gone_on_with(
    fake: FakeOpenStack, account: CloudAccount, work: Callable[[], Any]
) -> None:
    fake.resources.add_server("web")
    fake.resources.delete_looks = 10_000
    row = asked(account)
    first = work()
    until(lambda: fake.count("DELETE /compute"), what="the deletion is asked for", seconds=20)
    first.stop()
    fake.resources.delete_looks = 0
    work()

    assert ended(row).state == OperationState.SUCCEEDED
    assert not fake.resources.servers


def test_old_ones_are_pruned(ann: User) -> None:
    account = factories.cloud_account(ann)
    young = factories.cleanup(account, ("server", "a"))
    old = factories.cleanup(account, ("server", "b"))
    CloudCleanup.objects.filter(pk=old.pk).update(finished_at="2020-01-01T00:00Z")
    running = factories.cleanup(account, ("server", "c"), state=OperationState.RUNNING)

    prune("cleanups", 30, pause=0)

    assert set(CloudCleanup.objects.all()) == {young, running}
