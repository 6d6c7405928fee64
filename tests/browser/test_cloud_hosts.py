"""Hosts of a cloud in the browser: an account pasted in, the lists live from its project, what fits said at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver

# The fake cloud is at home with the tests of the driver.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "clouds" / "openstack"))

from fake_openstack import PASSWORD as CLOUD_PASSWORD
from fake_openstack import FakeOpenStack

from tests.browser.conftest import PASSWORD, make_user
from tests.browser.pages import Person
from tests.support.lab import Lab, running_lab, until

pytestmark = [pytest.mark.engine, pytest.mark.browser]
MORE = "Floating IPs, link, key pair, zone and security groups"
CONSOLE = "platform-manager: the platform at https://platform.example.org can't be reached (No route to host)\n"


@pytest.fixture(scope="module")
def platform() -> Iterator[Lab]:
    """No machine of the fake cloud ever calls in."""
    away = {"PM_JOIN_URL": "https://platform.example.org", "PM_HUB_ADDRESS": "platform.example.org"}
    with running_lab(
        PM_DATABASE_URL="", PM_PRIVATE_CLOUDS="yes", PM_HOST_SECONDS="1", PM_DIRECT_FROM="192.0.2.0/24", **away
    ) as lab:
        lab.start_platform()
        make_user(lab, "ann")
        yield lab


@pytest.fixture
def cloud() -> Iterator[FakeOpenStack]:
    with FakeOpenStack() as running:
        running.resources.console = CONSOLE
        yield running


@pytest.fixture
def ann(platform: Lab, driver: webdriver.Chrome) -> Person:
    person = Person(driver, platform.url)
    person.signs_in("ann", PASSWORD)
    return person


def openrc(cloud: FakeOpenStack, password: str) -> str:
    lines = {
        "OS_AUTH_URL": cloud.url,
        "OS_USERNAME": "ann",
        "OS_PASSWORD": password,
        "OS_PROJECT_NAME": "demo",
        "OS_REGION_NAME": "Spain2",
    }
    return "\n".join(f'export {name}="{value}"' for name, value in lines.items())


def test_hosts_of_a_cloud_from_the_account_to_their_removal(ann: Person, cloud: FakeOpenStack) -> None:
    before = cloud.resources.holds()
    pastes_an_account(ann, cloud)
    ann.creates_environment("Fleet", "Evaluation")
    home = ann.goes_to_the_new_environment()
    chooses_what_they_are_made_of(ann, home, cloud)
    reads_why_they_do_not_call_in(ann)
    deletes_the_environment(ann, home)
    assert cloud.resources.holds() == before
    assert ann.too_wide == []


def pastes_an_account(ann: Person, cloud: FakeOpenStack) -> None:
    ann.opens("/clouds/")
    ann.sees("No cloud account yet")
    ann.looks_at("60-no-cloud-account")
    ann.clicks("Add a cloud account")
    ann.types("Name", "Smart city")
    ann.pastes("Or paste it", openrc(cloud, "wrong"))
    ann.clicks("Check and add")
    ann.sees("refused to sign in")
    assert "OS_USERNAME" in ann.value("#id_pasted")
    ann.looks_at("61-cloud-account-refused")
    ann.pastes("Or paste it", openrc(cloud, CLOUD_PASSWORD))
    ann.clicks("Check and add")
    ann.sees("Smart city works")
    ann.looks_at("62-cloud-accounts")
    ann.finds_no_error_in_the_console()


def chooses_what_they_are_made_of(ann: Person, home: str, cloud: FakeOpenStack) -> None:
    ann.opens(f"{home}hosts/add/")
    ann.chooses_card("Smart city")
    ann.sees("m1.small (1 vCPU, 512 MiB, 10 GiB disk)", "#options")
    ann.chooses("Flavor", "m1.small")
    ann.types("How many", "6")
    ann.sees("1 instance short", "#plan")
    ann.looks_at("63-too-many-for-the-quota")
    ann.types("How many", "2")
    ann.sees("Uses 2 of 5 instances", "#plan")
    ann.clicks(MORE)
    ann.chooses("Floating IPs", "public-ext-net-01")
    ann.chooses("Link to the platform", "The platform dials the host")
    ann.sees("The platform dials the hosts at their floating IPs", "#plan")
    ann.looks_at("64-hosts-of-a-cloud")
    ann.looks_at("64-hosts-of-a-cloud", dark=True)
    ann.chooses("Link to the platform", "The host dials the platform")
    ann.sees("needs a router", "#plan")
    ann.clicks("Add hosts", within="content")
    ann.watches_operation(state="Failed")
    assert len(cloud.resources.servers) == len(cloud.resources.ips) == 2
    ann.finds_no_error_in_the_console()


def reads_why_they_do_not_call_in(ann: Person) -> None:
    ann.sees("No host called in", "#operation-result")
    ann.sees("It can't reach the platform: check that the network has a router", ".terminal")
    ann.sees_row("fw-01", "Failed", css="#operation-hosts tr")
    assert ann.count("#operation-hosts [data-mark='failed']") == 2
    ann.looks_at("65-silent-hosts")
    ann.clicks("fw-01")
    ann.sees("It did not call in. It can't reach the platform", "#host-head .card-body")
    ann.sees("No route to host", "#host-head .console")
    ann.sees("Smart city", "#host-head .facts")
    ann.sees("m1.small", "#host-head .facts")
    ann.looks_at("66-silent-host")


def deletes_the_environment(ann: Person, home: str) -> None:
    ann.opens(f"{home}delete/")
    ann.types("Type the environment's name", "Fleet")
    ann.clicks("Delete this environment")
    ann.watches_operation()
    ann.opens("/clouds/")
    ann.clicks("Smart city")
    until(lambda: ann.text("h1") == "Smart city", what="the account's page")
    ann.sees("None yet")
    ann.looks_at("67-cloud-account")
    ann.finds_no_error_in_the_console()
