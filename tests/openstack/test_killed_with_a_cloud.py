"""kill -9 of the worker around every step, and around every request that changes something in the cloud.

However often it dies: no machine twice, nothing of any kind left behind.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from django.conf import settings
from django.contrib.auth.models import User
from fake_openstack import FakeOpenStack
from openstack_resources import EXTERNAL, INTERNAL

from dashboard.flows import clouds
from dashboard.flows.cleanups import look_into, request_cleanup
from dashboard.flows.cloud_hosts import Choices
from dashboard.flows.environments import create_environment, delete_environment
from dashboard.flows.hosts import add_hosts, remove_host
from dashboard.flows.ports import close_port, open_port
from dashboard.flows.recreate import recreate_host
from dashboard.models import CloudAccount, Environment, Host, LinkKind, Operation, OperationState
from dashboard.operations import catalogue, kinds
from platform_manager.clouds.openstack.marks import Mark
from tests import factories
from tests.support import lab
from tests.support.lab import ROOT, finished, until

pytestmark = pytest.mark.django_db(transaction=True)
CHANGES = {"POST", "PUT", "DELETE"}
DIALLED_FROM = "192.0.2.0/24"


class DeadlyCloud(FakeOpenStack):
    """Kills the worker once before and once after it has done what a request asks, for each kind of request."""

    pid_file: Path | None = None

    def __init__(self) -> None:
        super().__init__()
        self.moments: list[str] = []
        self.killed = 0

    @property
    def _pid(self) -> int:
        return int(self.pid_file.read_text() or 0) if self.pid_file else 0

    def _die_once(self, moment: str) -> bool:
        pid = self._pid
        # Who asked may have died meanwhile, around a request beside this one: what was done is not asked for again.
        died = self.killed and pid in (0, self.killed) and moment.startswith("after")
        if moment in self.moments or not (pid or died):
            return False
        self.moments.append(moment)
        if pid not in (0, self.killed):
            self.killed = pid
            os.kill(pid, signal.SIGKILL)
        return True

    async def _route(self, request: web.Request) -> web.StreamResponse:
        if request.method not in CHANGES or request.path.startswith("/identity") or request.path.endswith("/action"):
            return await super()._route(request)
        if self.killed and self._pid == self.killed:
            return web.Response(status=503)  # sent beside the one that killed: done now, nobody would die around it
        what = f"{request.method} {re.sub(r'/([0-9a-f-]{36}|platform-manager[^/]*)', '/ID', request.path)}"
        if self._die_once(f"before {what}"):
            return web.Response(status=503)
        answer = await super()._route(request)
        self._die_once(f"after {what}")
        return answer


@pytest.fixture(autouse=True)
def dialling(settings: Any) -> None:
    settings.PM_DIRECT_FROM = DIALLED_FROM


@pytest.fixture
def fake() -> Iterator[DeadlyCloud]:
    with DeadlyCloud() as running:
        yield running


class Workers:
    """Processes of workers on the test's database."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, **environ: str) -> Path:
        """Until the first one has written its process id, whose file it gives."""
        pid_file = self.var / "pid"
        own = {
            "PM_VAR": str(self.var),
            "PM_ENCRYPTION_KEYS": settings.PM_ENCRYPTION_KEYS[0],
            "PM_SECRET_KEY": settings.SECRET_KEY,
            "PM_DATABASE_URL": lab.test_database_url(),
            "PM_INSTALLATION": f"test{secrets.token_hex(3)}",
            "PM_URL": "https://platform.example.org",
            "PM_PRIVATE_CLOUDS": "yes",
            "PM_DIRECT_FROM": DIALLED_FROM,
            "PM_HOST_SECONDS": "0",
            "WORKER_PID": str(pid_file),
        }
        with (self.var / "worker.log").open("ab") as log:
            command = [sys.executable, "-m", "tests.openstack.restarting_worker"]
            process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **own, **environ}, stdout=log, stderr=log, start_new_session=True
            )
        self.processes.append(process)
        until(pid_file.exists, what="a worker runs", seconds=60)
        return pid_file

    def close(self) -> None:
        for process in self.processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    workers = Workers(tmp_path)
    yield workers
    workers.close()


def world(fake: DeadlyCloud) -> tuple[User, CloudAccount, Environment]:
    user = factories.user("ann")
    fake.resources.quota["floatingip"] = 5
    account = clouds.add_account(user, name="Lab", account=fake.account())
    fake.resources.add_server("theirs")
    fake.resources.add_group("theirs")
    fake.resources.add_ip("theirs")
    return user, account, create_environment(user, name="Shop", managers=1)


def add(environment: Environment, user: User, account: CloudAccount, quantity: int) -> Operation:
    made_of = {"flavor": "f-m1.small", "image": "i-base_debian_12", "network": INTERNAL, "pool": EXTERNAL}
    choices = Choices(**made_of, link=LinkKind.DIRECT)  # which takes a key pair too
    values = {"driver": "openstack", "prefix": "fw", "account": account, "choices": choices}
    return add_hosts(environment, user, quantity=quantity, **values)


def names(fake: FakeOpenStack) -> list[str]:
    return sorted(server["name"] for server in fake.resources.servers.values())


def made(fake: FakeOpenStack) -> set[str]:
    """The ids of the platform's servers."""
    return set(fake.resources.servers) & set(Host.objects.values_list("provider_id", flat=True))


def check_made(fake: DeadlyCloud, quantity: int) -> None:
    """Each host has one server and one floating IP, which its row knows."""
    hosts = list(Host.objects.order_by("name"))
    assert len(hosts) == quantity
    assert names(fake) == [*(host.name for host in hosts), "theirs"]
    assert {host.provider_id for host in hosts} <= set(fake.resources.servers)
    assert len(fake.resources.ips) == quantity + 1
    assert len(fake.resources.groups) == 2


def open_to_everybody(environment: Environment, user: User) -> Operation:
    return open_port(environment, user, protocol="tcp", port=8080, source="0.0.0.0/0")


def let_in(fake: FakeOpenStack) -> list[int]:
    """The ports that rules let in from outside the groups, but for the platform's own SSH."""
    rules = [rule for group in fake.resources.groups.values() for rule in group["security_group_rules"]]
    outside = [one for one in rules if one["direction"] == "ingress" and not one["remote_group_id"]]
    return [one["port_range_min"] for one in outside if one["remote_ip_prefix"] != DIALLED_FROM]


def test_a_kill_around_every_request_that_changes_the_cloud(fake: DeadlyCloud, workers: Workers) -> None:
    user, account, environment = world(fake)
    before = fake.resources.holds()
    fake.pid_file = workers.start()

    assert "No host called in" in finished(add(environment, user, account, 2), seconds=120).error
    check_made(fake, 2)
    assert all(port["description"] for port in fake.resources.ports.values() if port["device_id"] in made(fake))
    assert finished(open_to_everybody(environment, user), seconds=120).state == "succeeded"
    assert let_in(fake) == [8080]
    assert finished(close_port(environment.open_ports.get(), user), seconds=120).state == "succeeded"
    assert (let_in(fake), environment.open_ports.count()) == ([], 0)
    first, last = Host.objects.order_by("name")
    assert "No host called in" in finished(recreate_host(first, user), seconds=120).error
    check_made(fake, 2)
    assert finished(remove_host(first, user), seconds=120).state == "succeeded"
    assert names(fake) == [last.name, "theirs"]
    assert finished(remove_host(last, user), seconds=120).state == "succeeded"
    assert fake.resources.holds() == before

    requests = {moment.partition(" ")[2] for moment in fake.moments}
    assert requests == {
        "POST /network/v2.0/security-groups",
        "POST /network/v2.0/security-group-rules",
        "DELETE /network/v2.0/security-group-rules/ID",
        "POST /compute/v2.1/servers",
        "PUT /network/v2.0/ports/ID",
        "POST /network/v2.0/floatingips",
        "PUT /network/v2.0/floatingips/ID",
        "DELETE /compute/v2.1/servers/ID",
        "DELETE /network/v2.0/floatingips/ID",
        "DELETE /network/v2.0/security-groups/ID",
        "POST /compute/v2.1/os-keypairs",
        "DELETE /compute/v2.1/os-keypairs/ID",
    }
    assert len(fake.moments) == 2 * len(requests)


def died(marks: Path, operation: Operation) -> list[str]:
    """The steps that began, around each of which the worker has died."""
    catalogue.load()
    begun = operation.steps.exclude(state__in=("pending", "skipped"))
    steps = [step for step in kinds.kind_of(operation.kind).steps if begun.filter(name=step.name).exists()]
    assert len(list(marks.glob(f"{operation.kind}-*"))) >= 2 * len(steps) - 1
    return [step.name for step in steps]


def test_a_kill_around_every_step(fake: DeadlyCloud, workers: Workers, tmp_path: Path) -> None:
    user, account, environment = world(fake)
    before = fake.resources.holds()
    marks = tmp_path / "marks"
    marks.mkdir()
    workers.start(CRASH_MARKS=str(marks))

    added = finished(add(environment, user, account, 3), seconds=120)
    assert died(marks, added) == ["machines", "links"]
    check_made(fake, 3)
    opening = finished(open_to_everybody(environment, user), seconds=120)
    assert (opening.state, died(marks, opening), let_in(fake)) == ("succeeded", ["groups"], [8080])
    recreated = finished(recreate_host(Host.objects.order_by("name")[0], user), seconds=120)
    assert died(marks, recreated) == ["quorum", "drain", "leave", "destroy", "machine", "link"]
    check_made(fake, 3)
    removed = finished(remove_host(Host.objects.order_by("name")[0], user), seconds=120)
    assert removed.state == "succeeded"
    assert len(died(marks, removed)) == 6
    assert names(fake) == ["fw-02", "fw-03", "theirs"]
    deleted = finished(delete_environment(environment, user, "Shop"), seconds=120)
    assert deleted.state == "succeeded"
    assert len(died(marks, deleted)) == 3
    assert fake.resources.holds() == before


def test_a_kill_around_every_step_that_leaves_machines_in_the_cloud(
    fake: DeadlyCloud, workers: Workers, tmp_path: Path
) -> None:
    """Nothing of the cloud is touched, and nothing of the environment is left."""
    user, account, environment = world(fake)
    hosts = [factories.host(environment, driver="openstack", account=account, node_id="") for _ in range(3)]
    account.secret, account.problem = {**account.secret, "password": "unknown"}, "The cloud refused to sign in."
    account.save()
    there, leave = fake.resources.holds(), [str(account.pk)]
    marks = tmp_path / "marks"
    marks.mkdir()
    workers.start(CRASH_MARKS=str(marks))

    removed = finished(remove_host(hosts[0], user, leave=leave), seconds=120)
    assert (removed.state, len(died(marks, removed))) == ("succeeded", 6)
    deleted = finished(delete_environment(environment, user, "Shop", leave=leave), seconds=120)
    assert (deleted.state, died(marks, deleted)) == ("succeeded", ["hosts", "shared", "forget"])

    assert not Host.objects.exists()
    assert not Environment.objects.alive().exists()
    account.refresh_from_db()
    assert sorted(row["id"] for row in account.leftovers) == sorted(host.provider_id for host in hosts)
    assert fake.resources.holds() == there


def test_a_kill_around_every_deletion_of_a_clean_up(fake: DeadlyCloud, workers: Workers) -> None:
    """Each thing chosen is deleted, and nothing else, however often the worker dies."""
    fake.services += ("volumev3",)
    user, account, _ = world(fake)
    fake.resources.add_volume("theirs")
    fake.resources.keys["theirs"] = {"name": "theirs"}
    before = {one.thing.key for one in look_into(account)}
    chosen = filled(fake, account, before)
    fake.pid_file = workers.start(PM_INSTALLATION=settings.PM_INSTALLATION)

    row = request_cleanup(account, chosen, typed_name="demo", by=user)

    def ended() -> bool:
        row.refresh_from_db()
        return OperationState(row.state).finished

    until(ended, what="the clean-up ends", seconds=120)
    assert {thing["state"] for thing in row.things} == {OperationState.SUCCEEDED}
    assert row.state == OperationState.SUCCEEDED
    assert {one.thing.key for one in look_into(account)} == before
    requests = {moment.partition(" ")[2].removesuffix("/ID").rpartition("/")[2] for moment in fake.moments}
    assert requests == {"servers", "ports", "floatingips", "volumes", "security-groups", "os-keypairs"}
    assert len(fake.moments) == 2 * len(requests)


def filled(fake: DeadlyCloud, account: CloudAccount, before: set[str]) -> set[str]:
    """Two of each kind that are to go; their keys."""
    for n in range(2):
        group = fake.resources.add_group(f"old-{n}")
        fake.resources.add_server(f"old-{n}", groups=[group["id"]])
        fake.resources.add_ip()
        fake.resources.add_volume(f"old-{n}")
        fake.resources.add_port(Mark("another", "env-1", "host-1").description())
        name = Mark("another", f"env-{n}").name()
        fake.resources.keys[name] = {"name": name}
    return {one.thing.key for one in look_into(account)} - before
