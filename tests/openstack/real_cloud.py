"""The main job on a real OpenStack: hosts, swarm, stack, and a project that holds afterwards what it held before.

``make test-openstack`` runs it, with the ``OS_`` variables of a project set and ``CLOUD_ADDRESS`` as the address
of this machine that the project's servers reach. Hosts are made of ``CLOUD_IMAGE`` and ``CLOUD_FLAVOR``, by name.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User

from dashboard.flows import cloud_hosts, clouds, environments, hosts, stacks
from dashboard.models import CloudAccount, Host, HostState, Stack, StackState
from dashboard.operations.drivers import link_of
from platform_manager import wiring
from platform_manager.clouds.openstack import leftovers
from platform_manager.clouds.openstack.readers import read_openrc
from tests import factories
from tests.support.lab import Lab, free_port, running_lab, succeeded, until

pytestmark = pytest.mark.django_db(transaction=True)
BUILD_SECONDS = 900
IMAGE = "127.0.0.1:1/ticker:1"
TICKER = """
version: "3.8"
services:
  ticker:
    image: 127.0.0.1:1/ticker:1
    stop_grace_period: 1s
    deploy: {mode: global}
"""


@pytest.fixture
def lab(transactional_db: None, settings: Any) -> Iterator[Lab]:
    address = os.environ["CLOUD_ADDRESS"]
    port, hub_port = free_port(address), free_port(address)
    settings.PM_PRIVATE_CLOUDS = True
    settings.PM_URL = f"http://{address}:{port}"
    places = {
        "PM_URL": settings.PM_URL,
        "PM_LISTEN": f"{address}:{port}",
        "PM_HUB_LISTEN": f"{address}:{hub_port}",
        "PM_PRIVATE_CLOUDS": "yes",
        "PM_HOST_SECONDS": "300",
    }
    with running_lab(**places) as lab:
        settings.PM_INSTALLATION = lab.installation
        lab.start_platform()
        yield lab


@pytest.fixture
def account(lab: Lab) -> Iterator[CloudAccount]:
    """Nothing stays in the project, however the test ends."""
    variables = "\n".join(f"export {name}={value}" for name, value in os.environ.items() if name.startswith("OS_"))
    made = clouds.add_account(factories.user("ann"), name="project", account=read_openrc(variables))
    yield made
    cloud = link_of(made).cloud
    for thing in wiring.run(leftovers.leftovers(cloud, lab.installation, set(), set()), 60):
        wiring.run(leftovers.remove(cloud, thing.kind, thing.id), 300)


def load_image(lab: Lab, host: Host) -> None:
    """As a registry would bring it: there is none for the images made here."""
    engine = f"unix://{lab.var}/links/{host.pk}.sock"
    archive = subprocess.run(["docker", "save", IMAGE], check=True, capture_output=True).stdout
    subprocess.run(["docker", "-H", engine, "load"], input=archive, check=True, capture_output=True)


def held(account: CloudAccount) -> set[tuple[str, str]]:
    """Everything in the project, by kind and id."""
    found = wiring.run(leftovers.everything(link_of(account).cloud), 60)
    return {(thing.kind, thing.id) for thing in found}


def choices(account: CloudAccount) -> cloud_hosts.Choices:
    offered = cloud_hosts.inventory_of(account)
    image = next(image.id for image in offered.images if image.name == os.environ["CLOUD_IMAGE"])
    flavor = next(flavor.id for flavor in offered.flavors if flavor.name == os.environ["CLOUD_FLAVOR"])
    return replace(cloud_hosts.first_choices(account, offered), image=image, flavor=flavor)


def test_the_main_job_leaves_the_project_as_it_was(lab: Lab, account: CloudAccount) -> None:
    ann: User = account.owner
    before = held(account)
    environment = environments.create_environment(ann, name="cloud", managers=3)

    adding = hosts.add_hosts(
        environment, ann, driver="openstack", prefix="fw", quantity=3, account=account, choices=choices(account)
    )
    succeeded(adding, seconds=BUILD_SECONDS)
    assert set(environment.hosts.values_list("state", "role")) == {(HostState.ACTIVE, "manager")}
    for host in environment.hosts.all():
        load_image(lab, host)
    succeeded(stacks.deploy_stack(environment, ann, name="demo", compose=TICKER, answers={}), seconds=BUILD_SECONDS)
    until(lambda: Stack.objects.get(name="demo").state == StackState.RUNNING, what="the stack runs")

    leaving = environment.hosts.order_by("name").last()
    assert leaving is not None
    succeeded(hosts.remove_host(leaving, ann), seconds=BUILD_SECONDS)
    assert environment.hosts.count() == 2
    succeeded(environments.delete_environment(environment, ann, "cloud"), seconds=BUILD_SECONDS)
    assert held(account) == before
