"""What is changed in the cloud's own console is noticed, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.utils import timezone
from fake_openstack import PASSWORD, FakeOpenStack
from openstack_samples import Answer

from dashboard.flows.recreate import may_recreate, may_start
from dashboard.models import AuditEntry, CloudAccount, CloudCleanup, Environment, Host, HostState, OperationState
from dashboard.operations.clouds.cloud_look import Memory, look_at
from platform_manager.clouds.openstack.marks import Mark
from tests import factories
from tests.openstack.watched_world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(fake: FakeOpenStack, environment: Environment, account: CloudAccount) -> Iterator[World]:
    yield World(fake, environment, account)


def test_a_machine_that_is_as_it_should_be_runs(world: World) -> None:
    assert world.told() == ("running", "")
    assert world.host.machine_seen_at is not None
    assert world.host.machine_look is None
    assert not AuditEntry.objects.filter(action="host.machine").exists()


def test_a_deleted_machine_is_gone_when_two_looks_miss_it(world: World) -> None:
    world.look()
    world.fake.resources.servers.clear()
    assert world.told() == ("running", "")
    machine, detail = world.told()
    assert machine == "gone"
    assert "deleted outside the platform. Recreate the host" in detail
    assert may_recreate(world.host)
    assert AuditEntry.objects.get(action="host.machine").detail["noticed"].startswith("gone: It was deleted")


def test_what_was_missed_long_ago_counts_no_more(world: World) -> None:
    world.look()
    world.fake.resources.servers.clear()
    world.look()
    world.memory.missed_at -= 2 * settings.PM_CLOUD_WATCH_SECONDS + 1
    assert world.told() == ("running", "")
    assert world.told()[0] == "gone"


def test_a_list_that_lacked_a_machine_once_changes_nothing(world: World) -> None:
    world.look()
    server = world.fake.resources.servers.pop(world.host.provider_id)
    world.look()
    world.fake.resources.servers[server["id"]] = server
    world.look()
    world.fake.resources.servers.clear()
    assert world.told() == ("running", "")


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("SHUTOFF", "shut down"),
        ("PAUSED", "paused"),
        ("SUSPENDED", "suspended"),
        ("SHELVED_OFFLOADED", "shelved"),
    ],
)
def test_a_machine_that_does_not_run_can_be_started(world: World, status: str, word: str) -> None:
    world.server["status"] = status
    machine, detail = world.told()
    assert (machine, detail) == ("stopped", f"It was {word} outside the platform. Start it.")
    world.host.link_up = False
    assert may_start(world.host)


def test_a_failed_machine_says_why(world: World) -> None:
    world.server.update(status="ERROR", fault={"code": 500, "message": "No valid host was found. "})
    machine, detail = world.told()
    assert machine == "broken"
    assert "no machine with room" in detail
    world.server["fault"] = {"message": "qemu exited"}
    assert "server failed: qemu exited. Recreate the host." in world.told()[1]
    world.server["fault"] = None
    assert "does not say why" in world.told()[1]


def test_a_machine_rebuilt_from_another_image_is_changed(world: World) -> None:
    world.server["image"] = {"id": "i-base_ubuntu_16.04"}
    machine, detail = world.told()
    assert machine == "changed"
    assert "its image was i-base_debian_12 and is now i-base_ubuntu_16.04" in detail


def test_a_machine_that_boots_from_a_volume_is_not_taken_for_rebuilt(world: World) -> None:
    world.server["image"] = ""
    assert world.told() == ("running", "")


def test_another_server_in_its_place_is_changed(world: World) -> None:
    world.fake.resources.servers.clear()
    other = world.fake.resources.add_server("fw-01", metadata=world.server["metadata"])
    machine, detail = world.told()
    assert machine == "changed"
    assert f"{world.server['id']} became {other['id']}" in detail


def test_the_address_that_the_swarm_knows_can_not_be_changed(world: World) -> None:
    world.moved(world.server, "10.89.4.77")
    machine, detail = world.told()
    assert machine == "changed"
    assert "from 10.89.4.33 to 10.89.4.77, and the swarm knows it under the old one" in detail
    assert world.host.addresses == ["10.89.4.33"]


def test_another_floating_ip_is_taken_over_and_one_that_is_gone_when_two_looks_lack_it(world: World) -> None:
    world.fake.resources.ips.clear()
    first = world.floating(world.server)
    assert world.told() == ("running", "")
    assert world.host.addresses == ["10.89.4.33", first["floating_ip_address"]]
    first["port_id"] = None
    assert world.told() == ("running", "")
    assert world.host.addresses == ["10.89.4.33", first["floating_ip_address"]]
    assert world.told() == ("running", "")
    assert world.host.addresses == ["10.89.4.33"]
    told = AuditEntry.objects.filter(action="host.machine").order_by("id").last()
    assert told is not None
    assert told.detail["addresses"] == ["10.89.4.33"]


def test_a_list_that_lacked_a_floating_ip_once_changes_nothing(world: World) -> None:
    ip = world.floating(world.server)
    port = ip["port_id"]
    for there in (True, False, True, False):
        ip["port_id"] = port if there else None
        world.look()
        assert world.host.addresses == ["10.89.4.33", ip["floating_ip_address"]]


def test_what_was_changed_back_is_well_again(world: World) -> None:
    world.server["status"] = "SHUTOFF"
    world.look()
    world.server["status"] = "ACTIVE"
    assert world.told() == ("running", "")


def test_a_machine_on_its_way_is_left_alone(world: World) -> None:
    world.look()
    world.server.update({"status": "SHUTOFF", "OS-EXT-STS:task_state": "powering-on"})
    assert world.told() == ("running", "")
    world.server.update({"status": "REBUILD", "OS-EXT-STS:task_state": None})
    assert world.told() == ("running", "")


@pytest.mark.parametrize("kind", ["remove_host", "recreate_host", "start_host"])
def test_a_host_that_an_operation_has_is_left_alone(world: World, kind: str) -> None:
    world.server["status"] = "SHUTOFF"
    args = {"host": str(world.host.pk)}
    factories.operation(world.environment, state=OperationState.QUEUED, kind=kind, args=args)
    assert world.told() == ("", "")


@pytest.mark.parametrize("state", [HostState.BUILDING, HostState.JOINING, HostState.REMOVING])
def test_a_host_that_is_made_or_removed_is_left_alone(world: World, state: HostState) -> None:
    Host.objects.update(state=state)
    world.server["status"] = "SHUTOFF"
    assert world.told() == ("", "")


def test_only_what_changed_is_written_and_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hints: list[str] = []
    monkeypatch.setattr("dashboard.operations.clouds.cloud_look.hint", lambda group, **_: hints.append(group))
    world.look()
    seen_at = world.host.machine_seen_at
    world.look()
    assert world.host.machine_seen_at == seen_at
    assert len(hints) == 1


def test_many_hosts_of_an_account_take_one_list_of_servers(world: World) -> None:
    world.look()
    for name in ("fw-02", "fw-03"):
        world.serve(factories.host(world.environment, name, driver="openstack", account=world.account))
    world.fake.asked.clear()
    world.look()
    assert world.fake.count("GET /compute/v2.1/servers/detail") == 1
    assert {host.machine for host in Host.objects.all()} == {"running"}


def test_a_cloud_that_is_away_changes_nothing(world: World) -> None:
    world.look()
    world.fake.trouble("GET /compute/v2.1/servers", Answer(503, ""))
    world.fake.resources.servers.clear()
    for _ in range(3):
        assert world.told() == ("running", "")
    assert world.account.problem == ""


def test_credentials_that_are_refused_are_told_and_mended_by_themselves(world: World) -> None:
    world.account.secret = {**world.account.secret, "password": "wrong"}
    world.account.save()
    world.server["status"] = "SHUTOFF"
    assert world.told() == ("", "")
    assert "refused to sign in" in world.account.problem
    world.account.secret = {**world.account.secret, "password": PASSWORD}
    world.account.save()
    assert world.told()[0] == "stopped"
    assert world.account.problem == ""


# Leftovers


def test_what_no_host_and_no_environment_knows_is_left_over(world: World) -> None:
    assert world.leftovers == []
    lost = Mark(settings.PM_INSTALLATION, "gone", "gone")
    world.fake.resources.add_server("lost", metadata=lost.metadata())
    world.fake.resources.add_server("theirs")
    world.fake.resources.add_group("lost group", Mark(settings.PM_INSTALLATION, "gone").description())
    world.fake.resources.add_group("ours", Mark(settings.PM_INSTALLATION, str(world.environment.pk)).description())
    world.look()
    assert world.leftovers == ["server lost", "security group lost group"]
    world.fake.resources.servers = {world.server["id"]: world.server}
    world.look()
    assert world.leftovers == ["security group lost group"]


def test_what_an_operation_makes_or_removes_is_not_left_over(world: World) -> None:
    operation = factories.operation(world.environment, kind="remove_host", args={"host": str(world.host.pk)})
    Host.objects.all().delete()
    look_at(world.account, world.memory)
    world.account.refresh_from_db()
    assert world.leftovers == []
    operation.state, operation.finished_at = OperationState.SUCCEEDED, timezone.now()
    operation.save()
    look_at(world.account, Memory())
    world.account.refresh_from_db()
    assert world.leftovers == ["server fw-01"]


def test_what_was_left_over_and_is_given_to_a_host_is_so_no_longer(world: World) -> None:
    lost = world.fake.resources.add_ip(Mark(settings.PM_INSTALLATION, "gone", "gone").description())
    world.look()
    assert world.leftovers == [f"floating IP {lost['floating_ip_address']}"]
    lost["port_id"] = next(iter(world.fake.resources.ports))
    world.look()
    assert world.leftovers == []


def test_a_clean_up_knows_better_what_is_left(world: World) -> None:
    world.fake.resources.add_server("lost", metadata=Mark(settings.PM_INSTALLATION, "gone", "gone").metadata())
    CloudCleanup.objects.create(account=world.account)
    world.look()
    assert world.leftovers == []


def test_a_server_in_another_network_too_keeps_its_first_address(world: World) -> None:
    second = {"version": 4, "addr": "10.1.1.1", "OS-EXT-IPS:type": "fixed"}
    world.server["addresses"] = {"another": [second], **world.server["addresses"]}
    assert world.told() == ("running", "")
    assert world.host.addresses == ["10.89.4.33", "10.1.1.1"]
