"""Floating IPs of hosts: each gets one, found again after a crash, and none of somebody else's is taken."""

from __future__ import annotations

from collections.abc import Callable

from fake_openstack import FakeOpenStack
from openstack_resources import EXTERNAL

from platform_manager.clouds.base import MachineSpec
from platform_manager.clouds.openstack.driver import OpenStackDriver
from platform_manager.clouds.openstack.marks import Mark

Order = Callable[..., MachineSpec]
POOL = "public-ext-net-01"


async def test_a_floating_ip_waits_for_the_port(fake: FakeOpenStack, openstack: OpenStackDriver, order: Order) -> None:
    fake.resources.port_looks = 3

    machine = await openstack.create(order(floating_pool=EXTERNAL))

    [ip] = fake.resources.ips.values()
    assert machine.addresses == ("10.89.4.33", "10.89.1.100")
    assert list(fake.resources.ports) == [ip["port_id"]]
    assert fake.count("GET /network/v2.0/ports") == 4
    assert Mark.of_description(ip["description"]) == Mark("abc123", "env-1", "host-1", "op-1")


async def test_a_floating_ip_from_before_a_crash_is_used(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    fake.resources.add_ip()
    fake.resources.add_ip(Mark("other", "env-1", "host-1").description())
    ours = fake.resources.add_ip(Mark("abc123", "env-1", "host-1", "op-0").description())

    machine = await openstack.create(order(floating_pool=POOL))

    assert machine.addresses[-1] == ours["floating_ip_address"]
    assert len(fake.resources.ips) == 3


async def test_of_two_floating_ips_of_a_host_the_one_in_use_stays(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    mark = Mark("abc123", "env-1", "host-1").description()
    await openstack.create(order())
    [port] = fake.resources.ports
    fake.resources.add_ip(mark)
    used = fake.resources.add_ip(mark, port_id=port)

    machine = await openstack.create(order(floating_pool=POOL))

    assert machine.addresses[-1] == used["floating_ip_address"]
    assert used["port_id"] == port


async def test_a_floating_ip_given_by_hand_is_taken_as_it_is(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    await openstack.create(order())
    [port] = fake.resources.ports
    theirs = fake.resources.add_ip(port_id=port)

    machine = await openstack.create(order(floating_pool=POOL))

    assert machine.addresses[-1] == theirs["floating_ip_address"]
    await openstack.destroy("host-1")
    assert list(fake.resources.ips) == [theirs["id"]]
