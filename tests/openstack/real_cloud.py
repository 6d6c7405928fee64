"""The main job on a real OpenStack, in a browser: afterwards the project holds what it held before.

``make test-openstack`` runs it, with the ``OS_`` variables of a project set and ``CLOUD_ADDRESS`` as the address
of this machine that the project's servers reach. Hosts are made of ``CLOUD_IMAGE`` and ``CLOUD_FLAVOR``, by name, with
floating IPs of ``CLOUD_POOL``, by name, where that is set.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.request import urlopen

import pytest
from django.contrib.auth.models import User

from dashboard.flows import cloud_hosts, clouds, environments, hosts
from dashboard.models import CloudAccount, Host, HostState, LinkKind
from platform_manager import wiring
from platform_manager.clouds.openstack import leftovers
from platform_manager.clouds.openstack.connection import Cloud
from platform_manager.clouds.openstack.readers import read_openrc
from tests import factories
from tests.browser.chrome import chrome
from tests.browser.pages import Person
from tests.support.lab import Lab, free_port, running_lab, succeeded, until

pytestmark = pytest.mark.django_db(transaction=True)
BUILD_SECONDS = 900
IMAGE = "127.0.0.1:1/whoami:1"
WHOAMI = """
version: "3.8"
services:
  web:
    image: 127.0.0.1:1/whoami:1
    ports:
      - {published: 8080, target: 8000, mode: host}
    stop_grace_period: 1s
    deploy: {mode: global}
"""


def openrc() -> str:
    return "\n".join(f"export {name}={value}" for name, value in os.environ.items() if name.startswith("OS_"))


@pytest.fixture
def lab(transactional_db: None, settings: Any) -> Iterator[Lab]:
    address = os.environ["CLOUD_ADDRESS"]
    port, hub_port = free_port(address), free_port(address)
    places = {
        # The browser's; hosts come by the other one.
        "PM_URL": f"http://127.0.0.1:{port}",
        "PM_JOIN_URL": f"http://{address}:{port}",
        "PM_HUB_ADDRESS": address,
        "PM_LISTEN": f"127.0.0.1:{port},{address}:{port}",
        "PM_HUB_LISTEN": f"{address}:{hub_port}",
        "PM_PRIVATE_CLOUDS": "yes",
        "PM_DIRECT_FROM": f"{address}/32",
        "PM_HOST_SECONDS": "300",
    }
    settings.PM_PRIVATE_CLOUDS = True
    for name in ("PM_URL", "PM_JOIN_URL", "PM_HUB_ADDRESS", "PM_DIRECT_FROM"):
        setattr(settings, name, places[name])
    with running_lab(**places) as lab:
        settings.PM_INSTALLATION = lab.installation
        lab.start_platform()
        yield lab


@pytest.fixture
def cloud(lab: Lab) -> Iterator[Cloud]:
    """The project, in which nothing stays, however the test ends."""
    cloud = Cloud(read_openrc(openrc()), private=True)
    yield cloud
    for thing in wiring.run(leftovers.leftovers(cloud, lab.installation, set(), set()), 60):
        wiring.run(leftovers.remove(cloud, thing.kind, thing.id), 300)
    cloud.close()


@pytest.fixture
def user(lab: Lab) -> User:
    return factories.user("ann")


@pytest.fixture
def ann(lab: Lab, user: User) -> Iterator[Person]:
    with chrome() as driver:
        person = Person(driver, lab.url)
        person.signs_in("ann", factories.PASSWORD)
        yield person


def held(cloud: Cloud) -> set[tuple[str, str]]:
    """Everything in the project, by kind and id."""
    return {(thing.kind, thing.id) for thing in wiring.run(leftovers.everything(cloud), 60)}


def load_image(lab: Lab, host: Host) -> None:
    """As a registry would bring it: there is none for the images made here."""
    engine = f"unix://{lab.var}/links/{host.pk}.sock"
    archive = subprocess.run(["docker", "save", IMAGE], check=True, capture_output=True).stdout
    subprocess.run(["docker", "-H", engine, "load"], input=archive, check=True, capture_output=True)


def test_the_main_job_in_a_browser_leaves_the_project_as_it_was(lab: Lab, cloud: Cloud, ann: Person) -> None:
    before = held(cloud)
    adds_the_account(ann)
    home = creates_an_environment(ann)
    adds_hosts(ann, home)
    for host in Host.objects.all():
        load_image(lab, host)
    deploys_whoami_and_follows_its_logs(ann, home)
    if "CLOUD_POOL" in os.environ:
        opens_its_port_and_reaches_it(ann, home)
    removes_a_host(ann, home)
    deletes_the_environment(ann, home)
    assert held(cloud) == before
    assert ann.too_wide == []


def adds_the_account(ann: Person) -> None:
    ann.opens("/clouds/")
    ann.clicks("Add a cloud account")
    ann.types("Name", "Smart city")
    ann.pastes("Or paste it", openrc())
    ann.looks_at("50-cloud-account-new")
    ann.clicks("Check and add")
    ann.sees("Smart city works", seconds=60)
    ann.looks_at("51-cloud-accounts")
    ann.finds_no_error_in_the_console()


def creates_an_environment(ann: Person) -> str:
    ann.creates_environment("Fleet", "Standard")
    return ann.goes_to_the_new_environment()


def adds_hosts(ann: Person, home: str) -> None:
    ann.opens(f"{home}hosts/add/")
    ann.chooses_card("Smart city")
    ann.sees("Image", "#options", seconds=60)
    ann.chooses("Flavor", os.environ["CLOUD_FLAVOR"])
    ann.chooses("Image", os.environ["CLOUD_IMAGE"])
    if pool := os.environ.get("CLOUD_POOL"):
        ann.clicks("Floating IPs, link, key pair, zone and security groups")
        ann.chooses("Floating IPs", pool)
    ann.sees("3 hosts: fw-01 to fw-03, 3 will be managers", "#plan", seconds=60)
    ann.sees("floating IPs." if "CLOUD_POOL" in os.environ else "instances", "#plan", seconds=60)
    ann.looks_at("52-add-hosts-of-a-cloud")
    ann.clicks("Add hosts", within="content")
    ann.watches_operation(seconds=BUILD_SECONDS)
    ann.looks_at("53-hosts-added")
    ann.opens(f"{home}hosts/")
    for name in ("fw-01", "fw-02", "fw-03"):
        ann.sees_row(name, "Active", "Manager")
    ann.looks_at("54-hosts")
    ann.finds_no_error_in_the_console()


def deploys_whoami_and_follows_its_logs(ann: Person, home: str) -> None:
    ann.opens(f"{home}stacks/deploy/")
    ann.deploys("whoami", WHOAMI)
    ann.watches_operation(seconds=BUILD_SECONDS)
    ann.opens(f"{home}logs/?stack=whoami")
    ann.sees("Following", ".log-viewer")
    until(lambda: ann.count(".log-chip") == 3, what="all three tasks are there")
    ann.sees("listens on port 8000", ".log-viewer")
    ann.looks_at("55-logs")
    ann.finds_no_error_in_the_console()


def opens_its_port_and_reaches_it(ann: Person, home: str) -> None:
    """At each floating IP, whose requests come to the logs that are followed."""
    logs = ann.driver.current_window_handle
    ports = ann.opens_tab(f"{home}ports/")
    addresses = [host.addresses[-1] for host in Host.objects.all()]
    assert not any(answers(address) for address in addresses)
    with ann.at_tab(ports):
        ann.sees_row("8080/tcp", "whoami_web", "Closed")
        ann.clicks("Open 8080/tcp")
        ann.clicks_on("input[name=who][value=everybody]")
        ann.looks_at("57-open-a-port")
        ann.clicks("Open", within="content")
        ann.watches_operation(seconds=BUILD_SECONDS)
        ann.opens(f"{home}ports/")
        ann.sees_row("8080/tcp", "Open", "everybody")
        ann.looks_at("58-ports")
        for address in addresses:
            until(partial(answers, address), what=f"whoami answers at {address}")
        ann.finds_no_error_in_the_console()
    ann.driver.switch_to.window(logs)
    ann.sees("response:200", ".log-viewer")
    with ann.at_tab(ports):
        ann.driver.close()


def answers(address: str) -> bool:
    try:
        with urlopen(f"http://{address}:8080/", timeout=2) as page:
            return bool(page.read())
    except OSError:
        return False


def removes_a_host(ann: Person, home: str) -> None:
    ann.opens(f"{home}hosts/")
    ann.clicks("fw-03")
    ann.looks_at("56-host-of-a-cloud")
    ann.clicks("Remove")
    ann.clicks("Remove fw-03")
    ann.watches_operation(seconds=BUILD_SECONDS)
    assert sorted(Host.objects.values_list("name", flat=True)) == ["fw-01", "fw-02"]


def deletes_the_environment(ann: Person, home: str) -> None:
    ann.opens(f"{home}delete/")
    ann.types("Type the environment's name", "Fleet")
    ann.clicks("Delete this environment")
    ann.watches_operation(seconds=BUILD_SECONDS)
    ann.opens("/clouds/")
    ann.clicks("Smart city")
    ann.sees("None yet")
    ann.finds_no_error_in_the_console()


@pytest.mark.skipif("CLOUD_POOL" not in os.environ, reason="CLOUD_POOL names no pool of floating IPs")
def test_the_platform_dials_a_host(lab: Lab, cloud: Cloud, user: User) -> None:
    before = held(cloud)
    account = clouds.add_account(user, name="project", account=read_openrc(openrc()))
    environment = environments.create_environment(user, name="dialled", managers=1)
    values = {"driver": "openstack", "prefix": "fw", "quantity": 1, "account": account, "choices": dialled(account)}
    succeeded(hosts.add_hosts(environment, user, **values), seconds=BUILD_SECONDS)
    host = Host.objects.get()
    assert (host.state, host.link_up, host.key_fingerprint) == (HostState.ACTIVE, True, "")
    assert host.host_key.startswith("ssh-ed25519 AAAA")
    succeeded(environments.delete_environment(environment, user, "dialled"), seconds=BUILD_SECONDS)
    assert held(cloud) == before


def dialled(account: CloudAccount) -> cloud_hosts.Choices:
    offered = cloud_hosts.inventory_of(account)
    image = next(image.id for image in offered.images if image.name == os.environ["CLOUD_IMAGE"])
    flavor = next(flavor.id for flavor in offered.flavors if flavor.name == os.environ["CLOUD_FLAVOR"])
    pool = next(pool.id for pool in offered.pools if pool.name == os.environ["CLOUD_POOL"])
    first = cloud_hosts.first_choices(account, offered)
    return replace(first, image=image, flavor=flavor, pool=pool, link=LinkKind.DIRECT)
