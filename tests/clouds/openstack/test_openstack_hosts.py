"""Hosts made and removed on a cloud."""

from __future__ import annotations

from collections.abc import Callable

from fake_openstack import FakeOpenStack

from platform_manager.clouds.base import MachineSpec, MachineState
from platform_manager.clouds.openstack.driver import OpenStackDriver

Order = Callable[..., MachineSpec]


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
    assert await openstack.find("host-2") is None
