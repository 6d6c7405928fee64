"""Hosts made and removed on a cloud: found before made, nothing left behind, nothing of others touched."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from contextlib import suppress

import pytest
from fake_openstack import FakeOpenStack, until
from openstack_resources import INTERNAL
from openstack_samples import Answer, nova

from platform_manager.clouds.base import MachineSpec, MachineState
from platform_manager.clouds.openstack.connection import Cloud
from platform_manager.clouds.openstack.driver import OpenStackDriver
from platform_manager.clouds.openstack.marks import Mark
from platform_manager.errors import PlatformError, ProviderError, UserError

Order = Callable[..., MachineSpec]
POOL = "public-ext-net-01"
CREATE = "POST /compute/v2.1/servers$"
ALLOCATE = "POST /network/v2.0/floatingips$"
GROUP = "POST /network/v2.0/security-groups$"


async def until_done(call: Callable[[], object], tries: int = 3) -> None:
    """As the runner does: the same call again after a failure."""
    for _ in range(tries):
        try:
            await call()  # type: ignore[misc]
            return
        except ProviderError as error:
            assert error.retryable
    raise AssertionError("still failing")


async def test_a_host_is_a_server_with_its_mark(fake: FakeOpenStack, openstack: OpenStackDriver, order: Order) -> None:
    machine = await openstack.create(order())

    assert machine.state is MachineState.RUNNING
    assert machine.addresses == ("10.89.4.33",)
    [server] = fake.resources.servers.values()
    assert server["metadata"] == {
        "platform-manager-installation": "abc123",
        "platform-manager-environment": "env-1",
        "platform-manager-host": "host-1",
        "platform-manager-operation": "op-1",
    }
    assert await openstack.find("host-1") == machine
    assert await openstack.list_machines("env-1") == [machine]
    assert await openstack.list_machines("env-2") == []
    assert await openstack.find("host-2") is None


async def test_what_is_asked_for_a_server(fake: FakeOpenStack, openstack: OpenStackDriver, order: Order) -> None:
    fake.resources.keys["ann"] = {"name": "ann"}
    await openstack.create(order(security_groups=["g-2"], zone="nova", key_pair="ann"))

    [server] = fake.resources.servers.values()
    asked = server["asked"]
    [group] = fake.resources.groups
    assert asked["networks"] == [{"uuid": INTERNAL}]
    assert asked["security_groups"] == [{"name": group}, {"name": "g-2"}]
    assert (asked["imageRef"], asked["flavorRef"]) == ("i-base_debian_12", "f-m1.small")
    assert (asked["availability_zone"], asked["key_name"]) == ("nova", "ann")
    assert base64.b64decode(asked["user_data"]).startswith(b"#!/bin/sh")


async def test_a_flavor_without_a_disk_boots_from_a_volume(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    await openstack.create(order(volume_gib=20))

    [server] = fake.resources.servers.values()
    assert "imageRef" not in server["asked"]
    [disk] = server["asked"]["block_device_mapping_v2"]
    assert (disk["uuid"], disk["volume_size"], disk["delete_on_termination"]) == ("i-base_debian_12", 20, True)


async def test_the_environment_has_one_group_that_lets_its_members_talk(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    await openstack.create(order("host-1"))
    await openstack.create(order("host-2", ssh_from="192.0.2.1/32"))

    [group] = fake.resources.groups.values()
    rules = {
        (rule["protocol"], rule["port_range_min"], rule["remote_ip_prefix"] or rule["remote_group_id"] == group["id"])
        for rule in group["security_group_rules"]
        if rule["direction"] == "ingress"
    }
    assert rules == {
        ("tcp", 2377, True),
        ("tcp", 7946, True),
        ("udp", 7946, True),
        ("udp", 4789, True),
        ("tcp", 22, "192.0.2.1/32"),
    }


async def test_a_rule_that_is_missing_is_made_again(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    await openstack.create(order("host-1"))
    [group] = fake.resources.groups.values()
    rules = group["security_group_rules"]
    removed = rules.pop()
    # One for members of another group is none for ours.
    rules.append({**removed, "id": "other", "remote_group_id": "another"})

    await openstack.create(order("host-2"))

    assert any(rule["remote_group_id"] == group["id"] and rule["protocol"] == removed["protocol"] for rule in rules)
    assert len(rules) == 6


async def test_a_key_pair_of_the_environment(fake: FakeOpenStack, openstack: OpenStackDriver, order: Order) -> None:
    key = "ssh-ed25519 AAAA"
    await asyncio.gather(*(openstack.create(order(f"host-{n}", public_key=key)) for n in range(3)))

    assert list(fake.resources.keys) == ["platform-manager_abc123_env-1_op-1"]
    assert {server["asked"]["key_name"] for server in fake.resources.servers.values()} == set(fake.resources.keys)
    await openstack.destroy_environment("env-1")
    assert not fake.resources.keys


async def test_a_key_pair_of_the_users_own_goes_before_the_environments(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    fake.resources.keys["ann"] = {"name": "ann"}
    await openstack.create(order(key_pair="ann", public_key="ssh-ed25519 AAAA"))

    [server] = fake.resources.servers.values()
    assert server["asked"]["key_name"] == "ann"
    assert list(fake.resources.keys) == ["ann"]


@pytest.mark.parametrize("option", ["flavor", "image", "network"])
async def test_what_was_not_chosen_is_named(openstack: OpenStackDriver, order: Order, option: str) -> None:
    with pytest.raises(UserError, match=option) as caught:
        await openstack.create(order(**{option: ""}))
    assert caught.value.field == option


@pytest.mark.parametrize("pattern", [CREATE, ALLOCATE, GROUP, "PUT /network/v2.0/floatingips/", "security-group-rules"])
async def test_an_answer_that_was_lost_makes_no_second_one(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order, pattern: str
) -> None:
    fake.trouble(pattern, lost=True, times=1)

    await until_done(lambda: openstack.create(order(floating_pool=POOL)))

    assert fake.resources.holds() == {"servers": 1, "ports": 1, "ips": 1, "groups": 1, "keys": 0, "volumes": 0}
    [group] = fake.resources.groups.values()
    assert len(group["security_group_rules"]) == 5


@pytest.mark.parametrize("requests", range(1, 18))
async def test_a_worker_that_dies_anywhere_leaves_nothing_twice(
    fake: FakeOpenStack, connect: Callable[..., Cloud], order: Order, requests: int
) -> None:
    """Ends with each request of a creation in turn, done but unheard, and goes on with a new driver."""
    doomed = OpenStackDriver(connect(), "abc123")
    fake.doom_after(requests)
    with suppress(PlatformError):
        await doomed.create(order(floating_pool=POOL))
    fake.doom_after(None)

    machine = await OpenStackDriver(connect(), "abc123").create(order(floating_pool=POOL))

    assert fake.resources.holds() == {"servers": 1, "ports": 1, "ips": 1, "groups": 1, "keys": 0, "volumes": 0}
    assert machine.addresses == ("10.89.4.33", "10.89.1.100")
    [port] = fake.resources.ports.values()
    assert Mark.of_description(port["description"]) == Mark("abc123", "env-1", "host-1", "op-1")


@pytest.mark.parametrize("requests", range(1, 12))
async def test_a_worker_that_dies_while_removing_is_followed_by_one_that_removes(
    fake: FakeOpenStack, connect: Callable[..., Cloud], order: Order, requests: int
) -> None:
    doomed, next_one = OpenStackDriver(connect(), "abc123"), OpenStackDriver(connect(), "abc123")
    await doomed.create(order(floating_pool=POOL, public_key="ssh-ed25519 AAAA"))
    fake.doom_after(requests)
    with suppress(PlatformError):
        await doomed.destroy("host-1")
        await doomed.destroy_environment("env-1")
    fake.doom_after(None)

    await next_one.destroy("host-1")
    await next_one.destroy_environment("env-1")

    assert not any(fake.resources.holds().values())


async def test_a_server_that_failed_is_told_and_made_anew(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    fake.resources.fault = "No valid host was found. "
    with pytest.raises(UserError, match="no machine with room") as caught:
        await openstack.create(order())
    assert caught.value.field == "flavor"
    [failed] = fake.resources.servers
    fake.resources.fault = None

    machine = await openstack.create(order())

    assert machine.state is MachineState.RUNNING
    assert list(fake.resources.servers) == [machine.provider_id] != [failed]


async def test_a_server_that_is_going_is_not_taken_for_the_host(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    going = fake.resources.add_server(metadata=Mark("abc123", "env-1", "host-1").metadata())
    going["OS-EXT-STS:task_state"] = "deleting"
    fake.resources.delete_looks = 3
    assert await openstack.find("host-1") is None

    machine = await openstack.create(order())

    assert list(fake.resources.servers) == [machine.provider_id] != [going["id"]]


async def test_of_two_servers_of_a_host_the_one_that_works_stays(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    mark = Mark("abc123", "env-1", "host-1").metadata()
    fake.resources.add_server(status="ERROR", metadata=mark)
    good = fake.resources.add_server(metadata=mark)
    fake.resources.add_server(metadata=mark)

    assert (await openstack.create(order())).provider_id == good["id"]
    assert list(fake.resources.servers) == [good["id"]]


async def test_a_server_deleted_in_the_cloud_while_it_is_built(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    fake.resources.build_looks = 1_000
    creation = asyncio.create_task(openstack.create(order()))
    await until(lambda: fake.resources.servers)
    fake.resources.servers.clear()

    with pytest.raises(ProviderError, match="deleted in the cloud"):
        await creation


async def test_a_stopped_server_is_started(fake: FakeOpenStack, openstack: OpenStackDriver, order: Order) -> None:
    server = fake.resources.add_server(status="SHUTOFF", metadata=Mark("abc123", "env-1", "host-1").metadata())

    await openstack.start("host-1")
    assert server["status"] == "ACTIVE"
    await openstack.start("host-1")

    server["status"] = "SHUTOFF"
    assert (await openstack.create(order())).state is MachineState.RUNNING
    with pytest.raises(ProviderError, match="gone from the cloud") as caught:
        await openstack.start("host-2")
    assert not caught.value.retryable


async def test_a_list_without_the_new_server_is_not_believed_at_once(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    """A cloud's database may have copies that lag."""
    creation = asyncio.create_task(openstack.create(order()))
    await until(lambda: fake.count(CREATE))
    fake.trouble("GET /compute/v2.1/servers/detail", Answer(200, '{"servers": []}'), times=1)

    assert (await creation).state is MachineState.RUNNING


async def test_ten_at_once_share_their_looks(fake: FakeOpenStack, connect: Callable[..., Cloud], order: Order) -> None:
    fake.resources.quota["instances"] = 10
    fake.resources.build_looks = 3
    cloud = connect()
    cloud.pause = 0.2
    openstack = OpenStackDriver(cloud, "abc123")

    machines = await asyncio.gather(*(openstack.create(order(f"host-{n}")) for n in range(10)))

    assert len({machine.provider_id for machine in machines}) == 10
    assert len(fake.resources.groups) == 1
    assert fake.count("GET /compute/v2.1/servers/detail") <= 8
    assert fake.count(GROUP) == 1
    assert fake.count("GET /network/v2.0/security-groups") == 1
    assert fake.count("POST /identity/v3/auth/tokens") == 1


async def test_a_server_made_during_a_look_is_not_taken_for_gone(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    """A list that was asked for before the server was made does not hold it."""
    await openstack.list_machines()
    fake.trouble("GET /compute/v2.1/servers/detail", seconds=0.05, late=True)

    machines = await asyncio.gather(*(openstack.create(order(f"host-{n}", f"env-{n}")) for n in range(4)))

    assert all(machine.state is MachineState.RUNNING for machine in machines)


async def test_the_console_of_a_host(fake: FakeOpenStack, openstack: OpenStackDriver, order: Order) -> None:
    fake.resources.console = "login:\0 \n"
    await openstack.create(order())

    assert await openstack.console("host-1") == "login:\ufffd \n"
    assert await openstack.console("host-2") == ""


async def test_a_console_that_is_for_administrators_only_is_none(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    await openstack.create(order())
    fake.trouble("POST .*/action", nova("forbidden", 403, "Policy doesn't allow this to be performed."))
    assert await openstack.console("host-1") == ""
