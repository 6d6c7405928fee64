"""A fake OpenStack in the platform's own network, and an account at it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

# The fake cloud is at home with the tests of the driver.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "clouds" / "openstack"))

from fake_openstack import FakeOpenStack

from dashboard.flows import clouds
from dashboard.models import CloudAccount, Environment
from platform_manager import wiring
from tests import factories


@pytest.fixture(autouse=True)
def open_platform(settings: Any) -> Iterator[None]:
    """A platform that machines of a cloud can reach, and that may reach clouds at home."""
    settings.PM_PRIVATE_CLOUDS = True
    settings.PM_URL, settings.PM_JOIN_URL = "https://platform.example.org", ""
    yield
    for key in list(wiring.clouds._links):
        wiring.clouds.close(key)
    for thread in threading.enumerate():
        if thread.name.startswith("cloud-"):
            thread.join(10)


@pytest.fixture
def fake() -> Iterator[FakeOpenStack]:
    with FakeOpenStack() as running:
        yield running


@pytest.fixture
def ann() -> User:
    return factories.user("ann")


@pytest.fixture
def environment(ann: User) -> Environment:
    return factories.environment(ann, "Shop", managers=1)


@pytest.fixture
def account(fake: FakeOpenStack, ann: User) -> CloudAccount:
    return clouds.add_account(ann, name="Lab", account=fake.account())
