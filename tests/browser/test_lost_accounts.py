"""A cloud account that no longer works, in the browser: what stays is said, chosen, and left."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver

# The fake cloud is at home with the tests of the driver.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "clouds" / "openstack"))

from fake_openstack import FakeOpenStack

from tests.browser.cloud_pages import adds_account, shell
from tests.browser.conftest import PASSWORD, make_user
from tests.browser.pages import Person
from tests.support.lab import Lab, running_lab

pytestmark = [pytest.mark.engine, pytest.mark.browser]
CHOICE = "Leave its machines in the cloud"
LOSE = """
from dashboard.models import CloudAccount
account = CloudAccount.objects.get()
account.secret = {**account.secret, "password": "unknown"}
account.save()
"""


@pytest.fixture(scope="module")
def platform() -> Iterator[Lab]:
    """One whose hosts never call in, and that looks at no cloud by itself."""
    away = {"PM_JOIN_URL": "https://platform.example.org", "PM_HUB_ADDRESS": "platform.example.org"}
    with running_lab(
        PM_DATABASE_URL="", PM_PRIVATE_CLOUDS="yes", PM_HOST_SECONDS="1", PM_CLOUD_WATCH_SECONDS="0", **away
    ) as lab:
        lab.start_platform()
        make_user(lab, "ann")
        yield lab


@pytest.fixture
def cloud() -> Iterator[FakeOpenStack]:
    with FakeOpenStack() as running:
        yield running


@pytest.fixture
def ann(platform: Lab, driver: webdriver.Chrome) -> Person:
    return Person(driver, platform.url)


def adds_hosts(ann: Person) -> str:
    """An environment with two hosts; its address."""
    ann.creates_environment("Fleet", "Evaluation")
    home = ann.goes_to_the_new_environment()
    ann.opens(f"{home}hosts/add/")
    ann.chooses_card("Lab")
    ann.sees("m1.small (1 vCPU, 512 MiB, 10 GiB disk)", "#options")
    ann.chooses("Flavor", "m1.small")
    ann.types("How many", "2")
    ann.clicks("Floating IPs, link, key pair, zone and security groups")
    ann.chooses("Floating IPs", "public-ext-net-01")
    ann.sees("Uses 2 of 5 instances", "#plan")
    ann.clicks("Add hosts", within="content")
    ann.watches_operation(state="Failed")
    return home


def opens_removal(ann: Person, home: str, name: str) -> None:
    ann.opens(f"{home}hosts/")
    ann.clicks(name)
    ann.clicks("Remove")
    ann.is_at("/remove/$")


def test_what_can_not_be_removed_is_left_on_an_explicit_wish(platform: Lab, ann: Person, cloud: FakeOpenStack) -> None:
    ann.signs_in("ann", PASSWORD)
    adds_account(ann, cloud)
    home = adds_hosts(ann)
    servers = list(cloud.resources.servers.values())

    # The removal itself finds out, and says where to go on.
    shell(platform, LOSE)
    opens_removal(ann, home, "fw-01")
    assert CHOICE not in ann.text()
    ann.clicks("Remove fw-01")
    ann.watches_operation(state="Failed")
    ann.sees("The cloud account Lab does not work.", ".terminal")
    ann.looks_at("lost-account-removal-failed")

    opens_removal(ann, home, "fw-01")
    ann.sees("The cloud account Lab does not work")
    ann.sees(f"server fw-01 ({next(one['id'] for one in servers if one['name'] == 'fw-01')})")
    assert "security group platform-manager" not in ann.text("#content")
    ann.field(CHOICE).click()
    ann.looks_at("lost-account-host-remove")
    ann.looks_at("lost-account-host-remove", dark=True)
    ann.clicks("Remove fw-01")
    ann.watches_operation()
    ann.sees("stays in the cloud", ".terminal")
    ann.looks_at("lost-account-host-left")

    ann.opens(f"{home}delete/")
    ann.sees("security group platform-manager")
    ann.field(CHOICE).click()
    ann.types("Type the environment's name", "Fleets")
    ann.clicks("Delete this environment")
    ann.sees("Type the environment's name, Fleet, to delete it.")
    assert ann.count("[name=leave]:checked") == 1
    ann.looks_at("lost-account-delete")
    ann.looks_at("lost-account-delete", dark=True)
    ann.finds_no_error_in_the_console("422")
    ann.types("Type the environment's name", "Fleet")
    ann.clicks("Delete this environment")
    ann.watches_operation()
    assert list(cloud.resources.servers.values()) == servers

    # The account's page has what is left over, and makes the account work again.
    ann.opens("/clouds/")
    ann.clicks("Lab")
    ann.sees("2 things are left over in the project")
    ann.looks_at("lost-account")
    assert ann.too_wide == []
