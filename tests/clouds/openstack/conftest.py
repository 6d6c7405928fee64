"""A fake OpenStack, a connection to it, and machines to ask it for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fake_openstack import FakeOpenStack
from openstack_resources import INTERNAL

from platform_manager.clouds.base import BootstrapSpec, MachineSpec
from platform_manager.clouds.openstack.connection import Cloud
from platform_manager.clouds.openstack.driver import OpenStackDriver

INSTALLATION = "abc123"
TOKEN = "t0ken-of-the-host"


@pytest.fixture
def fake() -> Iterator[FakeOpenStack]:
    with FakeOpenStack() as running:
        yield running
        for thread in threading.enumerate():
            if thread.name.startswith("cloud-"):
                thread.join(10)  # calls that nobody waited for end before the cloud does


@pytest.fixture
def connect(fake: FakeOpenStack) -> Iterator[Callable[..., Cloud]]:
    """Connections to the fake, closed at the end; ``changes`` are the account's."""
    made: list[Cloud] = []

    def cloud(**changes: Any) -> Cloud:
        made.append(Cloud(fake.account(**changes), private=True, pause=0.01))
        return made[-1]

    yield cloud
    for one in made:
        one.close()


@pytest.fixture
def cloud(connect: Callable[..., Cloud]) -> Cloud:
    return connect()


@pytest.fixture
def openstack(cloud: Cloud) -> OpenStackDriver:
    return OpenStackDriver(cloud, INSTALLATION)


@pytest.fixture
def order() -> Callable[..., MachineSpec]:
    """What to ask for; ``options`` are the driver's."""

    def make(host: str = "host-1", environment: str = "env-1", **options: Any) -> MachineSpec:
        chosen = {"flavor": "f-m1.small", "image": "i-base_debian_12", "network": INTERNAL, **options}
        join = f"https://platform.example.org/join/{TOKEN}"
        key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDYycEF9MapC8iOASmb"
        bootstrap = BootstrapSpec(join, "platform.example.org", 2222, key, host, token=TOKEN)
        return MachineSpec(host, environment, "op-1", host, bootstrap, chosen)

    return make
