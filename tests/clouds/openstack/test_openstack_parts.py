"""What a cloud makes along with a server carries the server's mark too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from fake_openstack import FakeOpenStack
from openstack_samples import GROUP, Answer

from platform_manager.clouds.base import MachineSpec
from platform_manager.clouds.openstack.connection import Cloud
from platform_manager.clouds.openstack.driver import OpenStackDriver
from platform_manager.clouds.openstack.marks import Mark
from platform_manager.errors import ProviderError

Order = Callable[..., MachineSpec]
MARK = Mark("abc123", "env-1", "host-1", "op-1")
MARKS_PORT = "PUT /network/v2.0/ports/"
MARKS_VOLUME = "POST /volume/v3/.*/metadata"
POOL = "public-ext-net-01"


async def test_a_port_carries_the_mark(fake: FakeOpenStack, openstack: OpenStackDriver, order: Order) -> None:
    await openstack.create(order())

    [port] = fake.resources.ports.values()
    assert Mark.of_description(port["description"]) == MARK


async def test_a_boot_volume_carries_the_mark(fake: FakeOpenStack, openstack: OpenStackDriver, order: Order) -> None:
    fake.services += ("volumev3",)
    theirs = fake.resources.add_volume("data")

    await openstack.create(order(volume_gib=20))

    assert {Mark.of_metadata(one["metadata"]) for one in fake.resources.volumes.values()} == {None, MARK}
    assert theirs["metadata"] == {}
    await openstack.destroy("host-1")
    assert list(fake.resources.volumes) == [theirs["id"]]


async def test_what_somebody_attached_is_not_taken_for_the_platforms(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    fake.services += ("volumev3",)
    await openstack.create(order())
    [server] = fake.resources.servers.values()
    theirs = fake.resources.add_volume("data")
    kept = {"id": theirs["id"], "delete_on_termination": False}
    server["os-extended-volumes:volumes_attached"].append(kept)
    other = {"device_id": server["id"], "network_id": "theirs", "description": "", "fixed_ips": [], "looks": 0}
    fake.resources.ports["p-2"] = {"id": "p-2", "name": "", **other}

    await openstack.create(order())

    assert theirs["metadata"] == {}
    assert fake.resources.ports["p-2"]["description"] == ""


async def test_what_describes_itself_is_left_as_it_is(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    fake.services += ("volumev3",)
    await openstack.create(order(volume_gib=20))
    [port] = fake.resources.ports.values()
    port["description"] = "of ann"

    await openstack.create(order(volume_gib=20))

    assert port["description"] == "of ann"
    assert fake.count(MARKS_PORT) == fake.count(MARKS_VOLUME) == 1


@pytest.mark.parametrize("pattern", [MARKS_PORT, MARKS_VOLUME])
async def test_a_mark_that_is_missing_is_put_there_by_the_next_run(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order, pattern: str
) -> None:
    fake.services += ("volumev3",)
    fake.trouble(pattern, Answer(500, ""), times=1)
    with pytest.raises(ProviderError, match="fails at the moment"):
        await openstack.create(order(volume_gib=20))

    await openstack.create(order(volume_gib=20))

    [port], [volume] = fake.resources.ports.values(), fake.resources.volumes.values()
    assert Mark.of_description(port["description"]) == Mark.of_metadata(volume["metadata"]) == MARK
    assert len(fake.resources.servers) == 1


async def test_a_cloud_that_allows_no_marks_still_gives_hosts(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    fake.services += ("volumev3",)
    fake.trouble(MARKS_PORT, GROUP["policy"])
    fake.trouble(MARKS_VOLUME, Answer(403, ""))

    machine = await openstack.create(order(volume_gib=20, floating_pool=POOL))

    assert machine.addresses == ("10.89.4.33", "10.89.1.100")
    assert fake.count(MARKS_PORT) == fake.count(MARKS_VOLUME) == 1


async def test_ten_hosts_cost_a_list_of_ports_and_one_request_each(
    fake: FakeOpenStack, connect: Callable[..., Cloud], order: Order
) -> None:
    fake.resources.quota["instances"] = 10
    fake.resources.build_looks = 3
    cloud = connect()
    cloud.pause = 0.2
    openstack = OpenStackDriver(cloud, "abc123")

    await asyncio.gather(*(openstack.create(order(f"host-{n}")) for n in range(10)))

    assert fake.count(MARKS_PORT) == 10
    assert fake.count("GET /network/v2.0/ports") <= 3
    assert {Mark.of_description(one["description"]) for one in fake.resources.ports.values()} == {
        Mark("abc123", "env-1", f"host-{n}", "op-1") for n in range(10)
    }
