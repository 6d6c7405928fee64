"""Deployments tell the truth, on real engines: one platform with two environments for all of it.

What fails by design takes its time, and does so in an environment of its own while the other tests go on.
"""

from __future__ import annotations

import json
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.management import call_command

from dashboard.flows import adoption, environments, hosts, operations, revisions, stacks
from dashboard.models import Environment, Host, Operation, OperationState, Origin, Revision, Snapshot, Stack, StackState
from dashboard.operations.context import StepContext
from dashboard.operations.hand_over import hand_over
from platform_manager import wiring
from platform_manager.errors import ProviderError, UserError
from tests import factories
from tests.support.lab import Lab, finished, running_lab, succeeded, transcript, until

pytestmark = pytest.mark.engine

# As a Java keystore begins: no text in any encoding that pages know.
KEYSTORE = b"\xfe\xed\xfe\xed\x00\x00\x00\x02" + bytes(range(256)) + b"\r\n"
FLAKY = """
services:
  web:
    image: 127.0.0.1:1/flaky:1
    environment: {SECONDS: "0", CODE: "3"}
    deploy: {restart_policy: {delay: 0s}}
"""
NOWHERE = """
services:
  web:
    image: 127.0.0.1:1/ticker:1
    deploy: {placement: {constraints: [node.labels.disk == ssd]}}
"""
ABSENT = """
services:
  web: {image: "127.0.0.1:1/absent:1", deploy: {restart_policy: {delay: 0s}}}
"""
HEALTHY = """
services:
  web:
    image: 127.0.0.1:1/ticker:1
    stop_grace_period: 1s
    healthcheck: {test: ["CMD-SHELL", "echo the check says $TOLD; exit $CODE"], interval: 1s, retries: 1}
    deploy: {update_config: {failure_action: rollback, monitor: 3s}}
"""
SHARED = """
services:
  web:
    image: 127.0.0.1:1/ticker:1
    stop_grace_period: 1s
    networks: [shared]
    volumes: ["data:/data"]
    configs: [settings]
    secrets: [password]
networks:
  shared: {external: true}
volumes:
  data: {external: true}
configs:
  settings: {external: true}
secrets:
  password: {external: true}
"""
HALF = """
services:
  first: {image: "127.0.0.1:1/ticker:1", stop_grace_period: 1s}
  second: {image: "127.0.0.1:1/ticker:1", stop_grace_period: 1s}
"""
ROTATED = """
version: "3.8"
services:
  web:
    image: 127.0.0.1:1/ticker:1
    stop_grace_period: 1s
    configs: [settings]
    secrets: [password]
configs:
  settings: {file: ./settings.txt}
secrets:
  password: {file: ./password.txt}
"""
NETWORKED = """
services:
  web: {image: "127.0.0.1:1/ticker:1", stop_grace_period: 1s}
networks:
  default: {driver_opts: {com.docker.network.driver.mtu: "MTU"}}
"""
ELSEWHERE = """
version: "3.8"
services:
  web:
    image: 127.0.0.1:1/ticker:1
    command: ["sh", "-c", "echo $$HOME; exec sh /app"]
    environment: {RATE: "1e0", DB_PASSWORD: "s3cr$$et: {x}", EMPTY: ""}
    stop_grace_period: 1500ms
    stop_signal: SIGTERM
    init: true
    ports: ["18099:8000", {target: 9000, published: 19000, protocol: udp, mode: host}]
    volumes: ["data:/data", {type: tmpfs, target: /cache, tmpfs: {size: 1048576}}]
    networks: {inner: {aliases: [site]}}
    configs: [{source: settings, target: /etc/settings, mode: 0440}]
    extra_hosts: ["db:10.0.0.9"]
    cap_add: [NET_ADMIN]
    sysctls: {net.core.somaxconn: "1024"}
    ulimits: {nofile: {soft: 1000, hard: 2000}}
    labels: {inside: "a $$ sign"}
    logging: {driver: json-file, options: {max-size: 1m}}
    healthcheck: {test: ["CMD", "true"], interval: 1500ms, retries: 3, start_period: 1s}
    deploy:
      replicas: 1
      labels: {team: shop}
      resources: {limits: {cpus: "0.25", memory: 64M}, reservations: {memory: 16M}}
      restart_policy: {condition: on-failure, delay: 2s, max_attempts: 5}
      update_config: {parallelism: 2, delay: 1s, order: start-first, failure_action: rollback}
      placement: {constraints: [node.role == manager], preferences: [{spread: node.labels.zone}]}
  every:
    image: 127.0.0.1:1/ticker:1
    stop_grace_period: 1s
    deploy: {mode: global}
networks: {inner: {}}
volumes: {data: {labels: {keep: "yes"}}}
configs: {settings: {file: ./settings.txt}}
"""


class World:
    """One environment with one host, and who deploys there."""

    def __init__(self, lab: Lab, user: User, environment: Environment) -> None:
        self.lab, self.user, self.environment = lab, user, environment

    def deploy(self, name: str, compose: str, *, updating: bool = False, **more: Any) -> Operation:
        wish = stacks.Wish(name, compose, **more)
        return stacks.deploy_stack(self.environment, self.user, wish, updating=updating)

    def stack(self, name: str) -> Stack:
        return Stack.objects.get(environment=self.environment, name=name)

    def revision(self, name: str) -> Revision:
        found = self.stack(name).revisions.first()
        assert found is not None
        return found

    @property
    def host(self) -> Host:
        return self.environment.hosts.get()

    def docker(self, *words: str) -> str:
        """The Docker CLI on the host's engine, past the platform."""
        socket = f"unix://{self.lab.var}/links/{self.host.pk}.sock"
        return subprocess.run(["docker", "-H", socket, *words], check=True, capture_output=True, text=True).stdout

    def content(self, config: str) -> bytes:
        return b64decode(json.loads(self.docker("config", "inspect", config, "--format", "{{json .Spec.Data}}")))

    def secret_in_task(self, service: str, secret: str) -> bytes | None:
        """What the newest task of the service can read; None while there is none."""
        tasks = self.docker("ps", "-q", "--filter", f"label=com.docker.swarm.service.name={service}").split()
        return b64decode(self.docker("exec", tasks[0], "base64", f"/run/secrets/{secret}")) if tasks else None

    def specs(self, name: str) -> dict[str, Any]:
        """Of the stack's services, by name, without the labels that the CLI writes."""
        found = json.loads(self.docker("service", "inspect", *self.listed("service", name)))
        for one in found:
            one["Spec"]["Labels"].pop("com.docker.stack.image", None)
        return {one["Spec"]["Name"]: one["Spec"] for one in found}

    def knows(self, config: str) -> bool:
        """Whether the watcher has seen this config."""
        return config in json.loads(Snapshot.objects.get(environment=self.environment).configs)

    def listed(self, kind: str, name: str) -> list[str]:
        """The names of what carries the stack's label."""
        wanted = f"label=com.docker.stack.namespace={name}"
        return self.docker(kind, "ls", "--format", "{{.Name}}", "--filter", wanted).split()


@pytest.fixture(scope="module")
def worlds(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[World, World]]:
    """The one where deployments fail, and the other. The database is emptied once, at the end."""
    with django_db_blocker.unblock():
        try:
            with running_lab(PM_CONVERGE_SECONDS="60") as lab:
                yield begun(lab)
        finally:
            call_command("flush", verbosity=0, interactive=False)
            import_module("dashboard.migrations.0002_templates").make(apps, None)
            call_command("migrate", verbosity=0)


def begun(lab: Lab) -> tuple[World, World]:
    lab.start_web()
    lab.start_hub()
    lab.start_worker()
    user: User = get_user_model().objects.create_user("ann")
    made = [environments.create_environment(user, name=name, managers=1) for name in ("failing", "shop")]
    adding = [hosts.add_hosts(one, user, driver="local", prefix="fw", quantity=1) for one in made]
    for operation in adding:
        succeeded(operation)
    failing, shop = (World(lab, user, environment) for environment in made)
    for name, compose in (("crash", FLAKY), ("absent", ABSENT), ("nowhere", NOWHERE)):
        failing.deploy(name, compose)
    failing.deploy("sick", HEALTHY, answers={"TOLD": "well", "CODE": "0"})
    return failing, shop


@pytest.fixture
def failing(worlds: tuple[World, World]) -> World:
    return worlds[0]


@pytest.fixture
def shop(worlds: tuple[World, World]) -> World:
    return worlds[1]


def failed(operation: Operation | None) -> Operation:
    assert operation is not None
    assert finished(operation).state == OperationState.FAILED, transcript(operation)
    return operation


@pytest.mark.django_db
def test_nobody_goes_back_to_a_revision_that_is_not_there() -> None:
    """Its mark also asks for the database that the fixture of the others uses without one."""
    stack = factories.stack(factories.environment(), "shop")
    with pytest.raises(UserError, match="shop has no revision 7"):
        revisions.roll_back(stack.environment, stack.environment.owner, stack, 7)
    with pytest.raises(UserError, match="Revision 1 of shop is the newest"):
        revisions.roll_back(stack.environment, stack.environment.owner, stack, 1)


def test_what_a_stack_expects_is_made_before_it_is_handed_over(shop: World) -> None:
    wished: dict[str, Any] = {"networks": frozenset({"shared"}), "volumes": frozenset({"data"})}
    contents: dict[str, Any] = {"secrets": {"password": b"hunter2-hunter2"}, "configs": {"settings": KEYSTORE}}

    operation = succeeded(shop.deploy("shared", SHARED, **wished, **contents))

    network = json.loads(shop.docker("network", "inspect", "shared"))[0]
    assert (network["Driver"], network["Attachable"]) == ("overlay", True)
    assert network["Options"]["com.docker.network.driver.mtu"] == str(shop.environment.swarm_mtu or 1500)
    made = "label=platform-manager.made"
    for kind, name in (("secret", "password"), ("config", "settings"), ("volume", "data")):
        assert shop.docker(kind, "ls", "--format", "{{.Name}}", "--filter", made).split() == [name]
    assert shop.content("settings") == KEYSTORE
    assert "hunter2" not in transcript(operation)
    revision = shop.revision("shared")
    assert revision.digests == {"web": "127.0.0.1:1/ticker:1"}
    assert (revision.state, revision.finished_at is not None, revision.made) == (StackState.RUNNING, True, [])


def test_a_deployment_that_stops_half_way_lists_what_was_made_and_is_finished_later(shop: World, settings: Any) -> None:
    shop.docker("service", "create", "-d", "--name", "half_second", "127.0.0.1:1/ticker:1")

    stopped = failed(shop.deploy("half", HALF))

    made = shop.revision("half").made
    assert "network half_default (created)" in made, transcript(stopped)
    assert not any("half_second" in line for line in made)
    assert "It stopped half way. The swarm holds of it now: network half_default (created)" in transcript(stopped)
    assert "half_second already exists" in stopped.error

    # A worker that died after the CLI left no list; who begins the step again still knows what was there before.
    Revision.objects.filter(pk=shop.revision("half").pk).update(made=[])
    settings.PM_SOCKETS = shop.lab.var / "links"
    try:
        with pytest.raises(ProviderError, match="half_second already exists"):
            hand_over(StepContext(stopped, 1))
    finally:
        wiring.run(wiring.core().pool.forget(shop.host.pk), 5)
    assert "network half_default (created)" in shop.revision("half").made

    shop.docker("service", "rm", "half_second")
    succeeded(operations.retry_operation(stopped, shop.user))
    assert (shop.stack("half").state, shop.revision("half").made) == (StackState.RUNNING, [])

    # What a removal leaves behind for some seconds is waited for.
    shop.docker("stack", "rm", "half")
    again = succeeded(shop.deploy("half", HALF, updating=True))
    assert sorted(shop.listed("service", "half")) == ["half_first", "half_second"], transcript(again)


def test_changed_contents_get_names_of_their_own_and_an_earlier_revision_comes_back(shop: World) -> None:
    first: dict[str, Any] = {"files": {"settings.txt": KEYSTORE, "password.txt": KEYSTORE[::-1]}}
    second: dict[str, Any] = {"files": {"settings.txt": b"a: 2", "password.txt": b"hunter3"}}
    succeeded(shop.deploy("rotated", ROTATED, **first))
    assert shop.listed("config", "rotated") + shop.listed("secret", "rotated") == [
        "rotated_settings",
        "rotated_password",
    ]

    succeeded(shop.deploy("rotated", ROTATED, updating=True, **second))

    (config,), (secret,) = shop.listed("config", "rotated"), shop.listed("secret", "rotated")
    assert config.startswith("rotated_settings-")
    assert secret.startswith("rotated_password-")
    assert shop.content(config) == b"a: 2"

    succeeded(revisions.roll_back(shop.environment, shop.user, shop.stack("rotated"), 1))
    newest = shop.revision("rotated")
    assert (newest.n, newest.origin, newest.came_from) == (3, Origin.ROLLBACK, 1)
    (config,) = shop.listed("config", "rotated")
    assert shop.content(config) == KEYSTORE
    # The task reads the secret as it was given, and nothing else can.
    until(lambda: shop.secret_in_task("rotated_web", "password") == KEYSTORE[::-1], what="a task has the secret")


def test_a_network_gets_another_mtu_when_its_stack_is_made_anew(shop: World) -> None:
    succeeded(shop.deploy("wide", NETWORKED.replace("MTU", "1300")))
    succeeded(shop.deploy("wide", NETWORKED.replace("MTU", "1200"), updating=True, anew=True))

    options = shop.docker("network", "inspect", "wide_default", "--format", "{{json .Options}}")
    assert json.loads(options)["com.docker.network.driver.mtu"] == "1200"
    assert shop.revision("wide").wishes["anew"] is False
    succeeded(stacks.remove_stack(shop.environment, shop.user, "wide"))


def test_a_stack_made_elsewhere_is_adopted_and_deployed_again_without_a_change(
    shop: World, settings: Any, tmp_path: Path
) -> None:
    settings.PM_SOCKETS = shop.lab.var / "links"
    (tmp_path / "settings.txt").write_bytes(KEYSTORE)
    (tmp_path / "compose.yml").write_text(ELSEWHERE)
    shop.docker("stack", "deploy", "--detach=true", "-c", str(tmp_path / "compose.yml"), "elsewhere")
    before = shop.specs("elsewhere")

    try:
        adopted = adoption.adopt(shop.environment, shop.user, "elsewhere")
    finally:
        wiring.run(wiring.core().pool.forget(shop.host.pk), 5)
    revision = shop.revision("elsewhere")
    assert (revision.origin, revision.answers) == (Origin.ADOPTED, {"DB_PASSWORD": "s3cr$et: {x}"})
    assert "s3cr" not in revision.compose
    assert adopted.settled_at is not None

    until(lambda: shop.knows("elsewhere_settings"), what="the watcher sees what the stack uses")
    again = succeeded(revisions.redeploy(shop.environment, shop.user, adopted))
    assert shop.specs("elsewhere") == before, f"{revision.compose}\n{transcript(again)}"
    assert shop.content("elsewhere_settings") == KEYSTORE

    adoption.release(shop.environment, shop.user, "elsewhere")
    assert not shop.environment.stacks.filter(name="elsewhere").exists()
    assert shop.specs("elsewhere") == before


def test_a_crash_loop_shows_the_last_lines_of_what_ended(failing: World) -> None:
    operation = failed(failing.revision("crash").operation)

    assert failing.stack("crash").state == StackState.FAILED
    (failure,) = failing.revision("crash").failures
    assert (failure["service"], failure["node"]) == ("crash_web", "fw-01")
    assert "non-zero exit (3)" in failure["error"]
    assert failure["lines"][-1] == "giving up"
    assert "giving up" in transcript(operation)
    assert failing.revision("crash").finished_at is not None


def test_an_image_that_can_not_be_pulled_is_named_with_the_reason(failing: World) -> None:
    operation = failed(failing.revision("absent").operation)

    assert "the image 127.0.0.1:1/absent:1 can't be pulled" in operation.error
    (failure,) = failing.revision("absent").failures
    assert failure["lines"] == []
    assert "connection refused" in failure["error"]


def test_a_service_that_fits_no_host_names_the_constraint(failing: World) -> None:
    operation = failed(failing.revision("nowhere").operation)

    assert "no host can take it: 1 host does not meet the constraint node.labels.disk == ssd." in operation.error
    assert failing.stack("nowhere").state == StackState.FAILED


def test_an_unhealthy_update_is_rolled_back_and_tells_what_the_new_version_said(failing: World) -> None:
    operation = failing.revision("sick").operation
    assert operation is not None
    succeeded(operation)

    ill = {"TOLD": "ill", "CODE": "1"}
    operation = failed(failing.deploy("sick", HEALTHY.replace("ticker:1", "ticker:2"), updating=True, answers=ill))

    assert failing.stack("sick").state == StackState.ROLLED_BACK, transcript(operation)
    assert failing.revision("sick").failures, transcript(operation)
    (failure,) = failing.revision("sick").failures
    assert "the check says ill" in failure["error"], failure
    assert any(line.startswith("ticker 2 on") for line in failure["lines"]), failure
