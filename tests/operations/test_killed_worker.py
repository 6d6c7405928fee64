"""kill -9 of the worker before and after the work of every step: each operation ends right, once, with no orphan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model

from dashboard.flows import environments, hosts, recreate, stacks
from dashboard.models import Environment, Host, HostRole, HostState, Operation, Stack, StackState
from dashboard.operations import catalogue, kinds
from platform_manager import wiring
from platform_manager.swarm import cluster
from tests.support.lab import Lab, docker, succeeded, until

pytestmark = [pytest.mark.engine, pytest.mark.django_db(transaction=True)]

COMPOSE = """
version: "3.8"
services:
  web:
    image: 127.0.0.1:1/ticker:1
    stop_grace_period: 1s
    deploy:
      replicas: 2
    configs: [settings]
networks:
  default:
    driver: overlay
configs:
  settings: {file: ./settings.txt}
"""
# It expects what the platform makes first.
MORE = """
version: "3.8"
services:
  web:
    networks: [default, shared]
    secrets: [password]
networks:
  shared: {external: true}
secrets:
  password: {external: true}
"""


class Killer:
    """A worker that dies at every moment it can, and is started again each time."""

    def __init__(self, lab: Lab) -> None:
        self.marks = Path(lab.var) / "marks"
        self.marks.mkdir()
        lab.start("-m", "tests.support.crashing_worker", CRASH_MARKS=str(self.marks))

    @contextmanager
    def spared(self, kind: str) -> Iterator[None]:
        """Operations of this kind meanwhile are run without a death."""
        catalogue.load()
        steps = enumerate(kinds.kind_of(kind).steps, 1)
        marks = [self.marks / f"{kind}-{n}-{step.name}-{when}" for n, step in steps for when in ("before", "after")]
        for mark in marks:
            mark.touch()
        yield
        for mark in marks:
            mark.unlink()

    def run(self, operation: Operation) -> None:
        """The operation to its end, over as many deaths as it has steps, twice."""
        succeeded(operation, seconds=300)
        catalogue.load()
        steps = kinds.kind_of(operation.kind).steps
        assert len(list(self.marks.glob(f"{operation.kind}-*"))) == 2 * len(steps)


def listed(sockets: Path, environment: Environment, kind: str) -> list[str]:
    """What the stack has of a kind, by name."""
    manager = environment.hosts.filter(role="manager").exclude(node_id="").first()
    assert manager is not None
    words = ("ls", "--format", "{{.Name}}", "--filter", "label=com.docker.stack.namespace=demo")
    return docker("-H", f"unix://{sockets}/{manager.pk}.sock", kind, *words).split()


def nodes(settings_sockets: Path, environment: Environment) -> list[str]:
    """The swarm's own list of nodes."""
    manager = environment.hosts.filter(role="manager").exclude(node_id="").first()
    assert manager is not None

    async def ask() -> list[str]:
        from platform_manager.engines.client import EngineClient

        async with EngineClient(settings_sockets / f"{manager.pk}.sock") as client:
            return [node["ID"] for node in await cluster.nodes(client)]

    return wiring.run(ask(), 30)


def test_every_operation_survives_a_kill_at_every_step(lab: Lab) -> None:
    user = get_user_model().objects.create_user("ann")
    lab.start_hub()
    lab.start_web()
    killer = Killer(lab)
    environment = environments.create_environment(user, name="lab", managers=3, mtu=1400)

    killer.run(hosts.add_hosts(environment, user, driver="local", prefix="fw", quantity=3))
    rows = list(Host.objects.filter(environment=environment))
    assert [row.state for row in rows] == [HostState.ACTIVE] * 3
    assert len(lab.containers()) == 3
    assert sorted(nodes(lab.var / "links", environment)) == sorted(row.node_id for row in rows)

    first = stacks.Wish("demo", COMPOSE, files={"settings.txt": b"a: 1"})
    with killer.spared("deploy_stack"):
        succeeded(stacks.deploy_stack(environment, user, first))
    second = replace(
        first,
        files={"settings.txt": b"a: 2"},
        overlays=(("more.yml", MORE),),
        networks=frozenset({"shared"}),
        secrets={"password": b"hunter2-hunter2"},
    )
    killer.run(stacks.deploy_stack(environment, user, second, updating=True))
    stack = Stack.objects.get(name="demo")
    revision = stack.revisions.first()
    assert revision is not None
    assert (stack.state, revision.made) == (StackState.RUNNING, [])
    assert revision.digests == {"web": "127.0.0.1:1/ticker:1"}
    # The new content alone is left, under a name of its own.
    (config,) = listed(lab.var / "links", environment, "config")
    assert config.startswith("demo_settings-")

    killer.run(stacks.remove_stack(environment, user, "demo"))
    assert not Stack.objects.filter(name="demo").exists()
    assert listed(lab.var / "links", environment, "config") == []

    lost = rows[2]
    docker("rm", "-f", lost.provider_id)
    until(lambda: Host.objects.get(pk=lost.pk).state == HostState.DISCONNECTED, what="the host is lost")
    killer.run(recreate.recreate_host(lost, user))
    rows = list(Host.objects.filter(environment=environment))
    assert [(row.name, row.role, row.state) for row in rows] == [
        (f"fw-0{n}", HostRole.MANAGER, HostState.ACTIVE) for n in (1, 2, 3)
    ]
    assert len(lab.containers()) == 3
    assert sorted(nodes(lab.var / "links", environment)) == sorted(row.node_id for row in rows)

    docker("stop", "-t", "0", rows[2].provider_id)
    until(lambda: Host.objects.get(pk=lost.pk).state == HostState.DISCONNECTED, what="the host is stopped")
    killer.run(recreate.start_host(rows[2], user))
    until(lambda: Host.objects.get(pk=lost.pk).state == HostState.ACTIVE, what="the host is back")

    killer.run(hosts.remove_host(rows[0], user))
    left = list(Host.objects.filter(environment=environment))
    assert [row.name for row in left] == ["fw-02", "fw-03"]
    assert len(lab.containers()) == 2
    assert sorted(nodes(lab.var / "links", environment)) == sorted(row.node_id for row in left)

    killer.run(environments.delete_environment(environment, user, "lab"))
    assert lab.leftovers() == []
    assert not Environment.objects.alive().exists()
