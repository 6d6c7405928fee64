"""Cleaning up a cloud project in the browser: seeing whose things are, choosing, typing the name, watching them go."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver

# The fake cloud is at home with the tests of the driver.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "clouds" / "openstack"))

from fake_openstack import FakeOpenStack

from platform_manager.clouds.openstack.marks import Mark
from tests.browser.cloud_pages import adds_account, shell
from tests.browser.conftest import PASSWORD, make_user
from tests.browser.pages import Person
from tests.support.lab import Lab, running_lab, until

pytestmark = [pytest.mark.engine, pytest.mark.browser]
GONE = "01900000-0000-7000-8000-000000000000"
HOST = """
from dashboard.models import CloudAccount, Environment, Host
account = CloudAccount.objects.get()
environment = Environment.objects.create(owner=account.owner, name="Shop")
environment.memberships.create(user=account.owner, role="owner")
Host.objects.create(environment=environment, name="fw-01", driver="openstack", account=account, provider_id={server!r})
account.leftovers = [{{"kind": "server", "id": {left!r}, "name": "old-01"}}]
account.save()
"""


@pytest.fixture(scope="module")
def platform() -> Iterator[Lab]:
    with running_lab(PM_DATABASE_URL="", PM_PRIVATE_CLOUDS="yes", PM_CLOUD_WATCH_SECONDS="0") as lab:
        lab.start_platform()
        make_user(lab, "ann")
        yield lab


@pytest.fixture
def cloud() -> Iterator[FakeOpenStack]:
    with FakeOpenStack() as running:
        running.services += ("volumev3",)
        yield running


@pytest.fixture
def ann(platform: Lab, driver: webdriver.Chrome) -> Person:
    return Person(driver, platform.url)


def fill(cloud: FakeOpenStack, installation: str) -> tuple[str, str]:
    """A project with something of everybody; the ids of the host's server and of the one that is left over."""
    made, mark = cloud.resources, Mark(installation, GONE, GONE, "op-1")
    group = made.add_group("web")
    addresses = {"net": [{"version": 4, "addr": "10.89.4.33"}, {"version": 4, "addr": "10.89.1.101"}]}
    host = made.add_server("fw-01", addresses=addresses)
    left = made.add_server("old-01", metadata=mark.metadata(), addresses=addresses)
    blog = made.add_server("blog", groups=[group["id"]], status="SHUTOFF")
    made.add_ip(mark.description())
    made.add_ip(port_id=next(iter(made.ports)))
    made.add_port(mark.description())
    made.add_volume("data", size=20, status="in-use", attachments=[{"server_id": blog["id"]}])
    made.add_group("another", Mark("another", "env-1").description())
    made.keys["laptop"] = {"name": "laptop", "fingerprint": "ab:cd:ef:01:23:45:67:89:ab:cd:ef:01:23:45:67:89"}
    return str(host["id"]), str(left["id"])


def test_a_project_is_cleaned_up(platform: Lab, ann: Person, cloud: FakeOpenStack) -> None:
    server, left = fill(cloud, platform.installation)
    ann.signs_in("ann", PASSWORD)
    adds_account(ann, cloud)
    shell(platform, HOST.format(server=server, left=left))
    ann.opens("/clouds/")
    ann.clicks("Lab")
    ann.sees("1 thing is left over in the project")
    ann.looks_at("cloud-account-leftovers")
    ann.clicks("Clean up the project")

    ann.sees_row("old-01", "Left over")
    ann.sees_row("fw-01", "Host")
    ann.sees_row("blog", "Not the platform's")
    assert ann.count('[name="chosen"]') == 8
    ann.clicks("All that is left over (3)")
    ann.sees("Chosen: 1 server, 1 port, 1 floating IP.")
    ann.looks_at("cloud-cleanup")
    ann.looks_at("cloud-cleanup", dark=True)

    ann.clicks("Delete 3 things for good")
    ann.sees("Type demo to confirm.")
    assert ann.script("return document.activeElement.name") == "typed_name"
    assert ann.count('[name="chosen"]:checked') == 3
    ann.looks_at("cloud-cleanup-refused")

    cloud.resources.delete_looks = 10_000
    ann.types("Name of the project", "demo")
    ann.clicks("Delete 3 things for good")
    ann.sees("Running", "#clean-up")
    ann.sees("0 of 3 deleted", "#clean-up")
    ann.sees("Deleting", "#clean-up")
    ann.looks_at("cloud-cleanup-running")
    ann.marks_the_page()
    cloud.resources.delete_looks = 0

    ann.sees("3 of 3 deleted", "#clean-up", seconds=60)
    until(lambda: ann.count('[name="chosen"]') == 5, what="the list is read anew", seconds=15)
    ann.no_longer_sees("old-01", "#things")
    assert ann.page_was_not_loaded_again
    ann.looks_at("cloud-cleanup-ended")
    assert server in cloud.resources.servers
    assert left not in cloud.resources.servers
    assert not ann.too_wide
    ann.finds_no_error_in_the_console("422")


def test_an_account_whose_cloud_is_away_says_so_in_place(ann: Person, cloud: FakeOpenStack) -> None:
    ann.opens("/clouds/")
    ann.clicks("Lab")
    ann.clicks("Clean up the project")
    ann.sees("does not answer", "#things")
    ann.looks_at("cloud-cleanup-away")
