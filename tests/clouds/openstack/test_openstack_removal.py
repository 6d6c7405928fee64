"""Hosts and environments go with all that was made for them, and with nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fake_openstack import FakeOpenStack, until

from platform_manager.clouds.base import MachineSpec
from platform_manager.clouds.openstack.driver import OpenStackDriver
from platform_manager.clouds.openstack.marks import Mark

Order = Callable[..., MachineSpec]
POOL = "public-ext-net-01"


async def test_removing_a_host_removes_all_its_servers(fake: FakeOpenStack, openstack: OpenStackDriver) -> None:
    for _ in range(2):
        fake.resources.add_server(metadata=Mark("abc123", "env-1", "host-1").metadata())

    await openstack.destroy("host-1")

    assert not fake.resources.servers


async def test_a_host_goes_before_its_address_and_its_group_last(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    await openstack.create(order(floating_pool=POOL, public_key="ssh-ed25519 AAAA"))

    for _ in range(2):
        await openstack.destroy("host-1")
        assert not fake.resources.ips
        await openstack.destroy_environment("env-1")

    assert fake.resources.order[:4] == ["server", "ip", "group", "key"]
    assert not any(fake.resources.holds().values())


async def test_an_environment_takes_what_is_left_of_its_hosts(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    await openstack.create(order("host-1", floating_pool=POOL))
    await openstack.create(order("host-2", environment="env-2", floating_pool=POOL))

    await openstack.destroy_environment("env-1")

    assert fake.resources.holds() == {"servers": 1, "ports": 1, "ips": 1, "groups": 1, "keys": 0, "volumes": 0}


async def test_a_group_still_in_use_is_waited_for(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    await openstack.create(order())
    [group] = fake.resources.groups
    theirs = fake.resources.add_server(groups=[group])
    removal = asyncio.create_task(openstack.destroy_environment("env-1"))
    await until(lambda: fake.count("DELETE /network/v2.0/security-groups") >= 3)
    assert list(fake.resources.servers) == [theirs["id"]]

    theirs["groups"].clear()
    await removal

    assert not fake.resources.groups


async def test_what_is_not_ours_is_never_touched(fake: FakeOpenStack, openstack: OpenStackDriver, order: Order) -> None:
    resources = fake.resources
    for mark in (None, Mark("other", "env-1", "host-1"), Mark("other", "env-1")):
        resources.add_server(metadata=mark.metadata() if mark else {})
        resources.add_ip(mark.description() if mark else "")
        resources.add_group("platform-manager-env-1", mark.description() if mark else "")
    resources.keys["platform-manager_other_env-1"] = {"name": "platform-manager_other_env-1"}
    resources.keys["platform-manager"] = {"name": "platform-manager"}
    resources.quota.update(instances=10, floatingip=10)
    before = resources.holds()

    assert await openstack.list_machines() == []
    await openstack.create(order(floating_pool=POOL, public_key="ssh-ed25519 AAAA"))
    await openstack.destroy("host-1")
    await openstack.destroy_environment("env-1")
    await openstack.destroy_environment("")
    await openstack.destroy("")

    assert resources.holds() == before
