"""create_ratio, the add-host form's and the account's page: a real OpenStack against a bare script on its own library.

The project is the one of ``make test-openstack``, by the same variables; without them nothing is measured. Its quota
should let ``CLOUD_SERVERS`` (10) servers be.
"""

from __future__ import annotations

import os
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from statistics import median
from typing import Any
from uuid import uuid4

import openstack
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from dashboard.flows import clouds, environments, hosts
from dashboard.flows.cloud_hosts import Choices, first_choices, inventory_of
from dashboard.models import CloudAccount, CloudSession, Environment, OperationStep, StepState
from platform_manager import wiring
from platform_manager.clouds.base import BootstrapSpec
from platform_manager.clouds.bootstrap import render
from platform_manager.clouds.openstack.readers import read_openrc
from tests import factories
from tests.support.lab import Lab, finished, free_port, running_lab, succeeded, until

from .figures import Figure, say, spread

BARS = {
    "add_host_form_ratio": 1.2,
    "add_host_form_beyond_ms": 200,
    "add_host_form_sign_in_ratio": 1.2,
    "create_ratio": 1.15,
    "account_page_ms": 50,
}
FORM_ROUNDS, MAKING_ROUNDS, PAGES = 7, 3, 9
BUILD_SECONDS = 900
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB6ZnhmXko2QfDFoHrpOUvoInCd4bhIdEW3PbVYydZWW"
LISTS: dict[str, Callable[[Any], object]] = {
    "flavors": lambda cloud: list(cloud.compute.flavors()),
    "images": lambda cloud: list(cloud.image.images(status="active")),
    "networks": lambda cloud: list(cloud.network.networks()),
    "limits": lambda cloud: cloud.compute.get_limits(),
    "security groups": lambda cloud: list(cloud.network.security_groups(project_id=cloud.current_project_id)),
    "key pairs": lambda cloud: list(cloud.compute.keypairs()),
    "zones": lambda cloud: list(cloud.compute.availability_zones()),
    "quota": lambda cloud: cloud.network.get_quota(cloud.current_project_id, details=True),
}


def measure() -> list[Figure]:
    if "CLOUD_ADDRESS" not in os.environ:
        say("no project of a cloud is given (OS_AUTH_URL, CLOUD_ADDRESS and so on): not measured")
        return []
    address = os.environ["CLOUD_ADDRESS"]
    settings.PM_PRIVATE_CLOUDS = True
    # Nothing listens there: the machines find nobody, whoever made them.
    settings.PM_URL = f"http://{address}:{free_port(address)}"
    places = {"PM_URL": settings.PM_URL, "PM_PRIVATE_CLOUDS": "yes", "PM_HOST_SECONDS": "0"}
    with running_lab(**places, PM_LOG_LEVEL="WARNING", PM_CLOUD_WATCH_SECONDS="0") as lab:
        settings.PM_INSTALLATION = lab.installation
        user = factories.user("clouds")
        openrc = "\n".join(f"export {name}={value}" for name, value in os.environ.items() if name.startswith("OS_"))
        account = clouds.add_account(user, name="bench", account=read_openrc(openrc))
        environment = environments.create_environment(user, name="clouds", managers=1)
        client = Client(SERVER_NAME="127.0.0.1")
        client.force_login(user)
        return [*_form(client, environment, account), *_making(lab, client, environment, account)]


# The form


def _form(client: Client, environment: Environment, account: CloudAccount) -> list[Figure]:
    """Cold: this process has never spoken to the cloud. The platform has, as it does from an account's first minute.

    Signing in is told apart: a form that has to do that too, after hours without a worker.
    """
    bare: dict[str, list[float]] = {name: [] for name in LISTS}
    signing_in, cold, warm = [], [], []
    for _ in range(FORM_ROUNDS):
        for name, call in LISTS.items():
            bare[name].append(_bare_list(call))
        CloudSession.objects.all().delete()
        signing_in.append(_open_form(client, environment, account, forget=True))
        cold.append(_open_form(client, environment, account, forget=True))
        warm.append(_open_form(client, environment, account))
    slowest = max(bare, key=lambda name: median(bare[name]))
    of_script = spread(f"the script's slowest list, {slowest}", bare[slowest], "ms")
    of_sign_in = spread("the form, signing in", signing_in, "ms")
    of_form = spread("the form, cold", cold, "ms")
    spread("the form of a process that was asked before", warm, "ms")
    found = {
        "add_host_form_ratio": of_form / of_script,
        "add_host_form_beyond_ms": of_form - of_script,
        "add_host_form_sign_in_ratio": of_sign_in / of_script,
    }
    return [Figure(key, value, BARS[key], why="see the medians above") for key, value in found.items()]


def _bare_list(call: Callable[[Any], object]) -> float:
    begun = time.perf_counter()
    with openstack.connect() as cloud:
        call(cloud)
        return 1000 * (time.perf_counter() - begun)


def _open_form(client: Client, environment: Environment, account: CloudAccount, *, forget: bool = False) -> float:
    """From asking for the page to having its lists."""
    key = str(account.pk)
    if forget:
        wiring.clouds.close(key)
    elif key in wiring.clouds._links:
        wiring.clouds._links[key]._read = None
    begun = time.perf_counter()
    for page, query in (("hosts_add", {}), ("hosts_options", {"driver": key, "prefix": "fw", "quantity": 1})):
        answer = client.get(reverse(page, args=[environment.pk]), query)
        assert answer.status_code == 200, answer.status_code
    passed = 1000 * (time.perf_counter() - begun)
    assert "id_flavor" in answer.content.decode(), "the form has no lists"
    client.get(reverse("hosts_plan", args=[environment.pk]), {"driver": key, "prefix": "fw", "quantity": 1})
    return passed


# Making servers


def _making(lab: Lab, client: Client, environment: Environment, account: CloudAccount) -> list[Figure]:
    wanted = int(os.environ.get("CLOUD_SERVERS", "10"))
    inventory = inventory_of(account, age=0)
    left = inventory.quota["instances"].left()
    count = wanted if left is None else min(wanted, left)
    choices = replace(
        first_choices(account, inventory),
        image=next(one.id for one in inventory.images if one.name == os.environ["CLOUD_IMAGE"]),
        flavor=next(one.id for one in inventory.flavors if one.name == os.environ["CLOUD_FLAVOR"]),
    )
    say(f"making {count} servers at once, {MAKING_ROUNDS} times each way")
    lab.start_worker()
    ours, theirs, pages = [], [], []
    for _ in range(MAKING_ROUNDS):
        theirs.append(_bare_servers(choices, count))
        ours.append(_hosts(environment, account, choices, count))
        pages = pages or _account_page(client, account)
        for host in list(environment.hosts.all()):
            hosts.remove_host(host, environment.owner)
        until(lambda: not environment.hosts.exists(), what="all hosts are removed", seconds=BUILD_SECONDS)
    succeeded(environments.delete_environment(environment, environment.owner, environment.name))
    ratio = spread("through the platform", ours, "s") / spread("by the script", theirs, "s")
    return [
        Figure("create_ratio", ratio, BARS["create_ratio"], why="see the medians above"),
        Figure("account_page_ms", median(pages), BARS["account_page_ms"]),
    ]


def _hosts(environment: Environment, account: CloudAccount, choices: Choices, count: int) -> float:
    """From the flow to the last server that runs, whose row knows it."""
    begun = time.perf_counter()
    values = {"driver": "openstack", "prefix": "bench", "account": account, "choices": choices}
    adding = hosts.add_hosts(environment, environment.owner, quantity=count, **values)
    steps = OperationStep.objects.filter(operation=adding, name="machines")
    until(lambda: steps.filter(state__in=(StepState.DONE, StepState.FAILED)).exists(), what="", seconds=BUILD_SECONDS)
    passed = time.perf_counter() - begun
    assert steps.get().state == StepState.DONE, steps.get().error
    finished(adding, seconds=BUILD_SECONDS)
    return passed


def _bare_servers(choices: Choices, count: int) -> float:
    """The same calls: a group with its rules, then for each server the order, the wait, and the mark of its port."""
    with openstack.connect() as cloud:
        begun = time.perf_counter()
        group = cloud.network.create_security_group(name=f"bench-{uuid4().hex[:8]}", description="bench")
        for protocol, port in (("tcp", 2377), ("tcp", 7946), ("udp", 7946), ("udp", 4789)):
            _let_in(cloud, str(group.id), protocol, port)
        with ThreadPoolExecutor(count) as threads:
            servers = list(threads.map(lambda n: _bare_server(cloud, n, choices, str(group.id)), range(count)))
        passed = time.perf_counter() - begun
        with ThreadPoolExecutor(count) as threads:
            list(threads.map(cloud.compute.delete_server, servers))
            list(threads.map(lambda server: cloud.compute.wait_for_delete(server, wait=300), servers))
        cloud.network.delete_security_group(group)
        return passed


def _let_in(cloud: Any, group: str, protocol: str, port: int) -> None:
    ports = {"protocol": protocol, "port_range_min": port, "port_range_max": port}
    cloud.network.create_security_group_rule(
        security_group_id=group, direction="ingress", ether_type="IPv4", remote_group_id=group, **ports
    )


def _bare_server(cloud: Any, n: int, choices: Choices, group: str) -> Any:
    spec = BootstrapSpec(f"{settings.PM_URL}/join/nobody00", "127.0.0.1", 2222, KEY, f"bench-{n}", "nobody00", mtu=1400)
    server = cloud.compute.create_server(
        name=f"bench-{n}",
        flavor_id=choices.flavor,
        image_id=choices.image,
        networks=[{"uuid": choices.network}],
        security_groups=[{"name": group}],
        user_data=b64encode(render(spec).encode()).decode(),
    )
    server = cloud.compute.wait_for_server(server, wait=BUILD_SECONDS, interval=1)
    for port in cloud.network.ports(device_id=server.id):
        cloud.network.update_port(port, description="bench")
    return server


# The account's page


def _account_page(client: Client, account: CloudAccount) -> list[float]:
    path = reverse("cloud_account", args=[account.pk])
    times = []
    for _ in range(PAGES):
        with CaptureQueriesContext(connection) as queries, _timed(times):
            answer = client.get(path)
        assert answer.status_code == 200, answer.status_code
    say(f"the account's page with {account.hosts.count()} hosts: {len(queries)} queries")
    spread("the account's page", times, "ms")
    return times


@contextmanager
def _timed(times: list[float]) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    times.append(1000 * (time.perf_counter() - begun))
