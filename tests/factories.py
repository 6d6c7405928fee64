"""Makers of records for tests; each gives a saved, plausible row and takes what matters as arguments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from dashboard.models import (
    Catalog,
    CatalogRecipe,
    CloudAccount,
    CloudCleanup,
    Environment,
    EnvironmentTemplate,
    Host,
    HostRole,
    HostState,
    MemberRole,
    Membership,
    Operation,
    OperationLog,
    OperationState,
    OperationStep,
    Revision,
    Snapshot,
    Stack,
    StackState,
    StepState,
)
from platform_manager.swarm import snapshot as swarm

PASSWORD = "correct horse battery"
COMPOSE = """\
version: "3.3"
services:
  web:
    image: demo/whoami:${VERSION:-1.0}
    ports: ["8080:80"]
    environment:
      GREETING: ${GREETING:-Hello}
      ADMIN_PASSWORD: ${ADMIN_PASSWORD}
    deploy:
      replicas: 3
"""

FACTS = {
    "hostname": "fw",
    "architecture": "x86_64",
    "kernel": "6.1.0-28-amd64",
    "os": "Debian GNU/Linux 12 (bookworm)",
    "engine_version": "28.2.2",
    "mtu": 1500,
    "cpus": 2,
    "memory_bytes": 4_136_000_000,
    "disk_bytes": 20_957_000_000,
}

_numbers = count(1)


def user(username: str = "", **fields: Any) -> User:
    username = username or f"user{next(_numbers)}"
    return User.objects.create_user(username, f"{username}@example.org", PASSWORD, **fields)


def template(**fields: Any) -> EnvironmentTemplate:
    n = next(_numbers)
    values = {"slug": f"template-{n}", "name": f"Template {n}", "description": "For tests.", "managers": 3}
    return EnvironmentTemplate.objects.create(**(values | fields))


def environment(owner: User | None = None, name: str = "", **fields: Any) -> Environment:
    """An environment with its owner as its first member and an empty snapshot."""
    owner = owner or user()
    made = Environment.objects.create(owner=owner, name=name or f"Environment {next(_numbers)}", **fields)
    Snapshot.objects.create(environment=made)
    member(made, owner, MemberRole.OWNER)
    return made


def member(of: Environment, who: User | None = None, role: MemberRole = MemberRole.MEMBER) -> User:
    who = who or user()
    Membership.objects.create(environment=of, user=who, role=role)
    return who


def host(of: Environment, name: str = "", **fields: Any) -> Host:
    """An active host whose node id is made of its name."""
    name = name or f"fw-{next(_numbers):02d}"
    values = {
        "state": HostState.ACTIVE,
        "node_id": f"node-{name}",
        "provider_id": f"container-{name}",
        "addresses": ["172.17.0.5"],
        "facts": FACTS,
        "link_up": True,
        "engine_up": True,
        "link_changed_at": timezone.now() - timedelta(minutes=7),
    }
    return Host.objects.create(environment=of, name=name, **(values | fields))


def operation(
    of: Environment,
    title: str = "Add 3 hosts: fw-01 to fw-03",
    state: OperationState = OperationState.RUNNING,
    *,
    kind: str = "add_hosts",
    steps: Sequence[tuple[str, StepState]] = (),
    logs: Sequence[tuple[int, str]] = (),
    **fields: Any,
) -> Operation:
    """An operation; ``steps`` are titles with states, ``logs`` step numbers with lines."""
    started = None if state == OperationState.QUEUED else timezone.now() - timedelta(seconds=12)
    finished = timezone.now() if state.finished else None
    values = {"kind": kind, "requested_by": of.owner, "started_at": started, "finished_at": finished}
    made = Operation.objects.create(environment=of, title=title, state=state, **(values | fields))
    for n, (step, step_state) in enumerate(steps, start=1):
        begun = None if step_state == StepState.PENDING else started
        OperationStep.objects.create(
            operation=made, n=n, name=f"step_{n}", title=step, state=step_state, started_at=begun
        )
    OperationLog.objects.bulk_create(OperationLog(operation=made, step=n, text=text) for n, text in logs)
    return made


def stack(of: Environment, name: str = "", *, compose: str = COMPOSE, **fields: Any) -> Stack:
    """A running stack with one revision."""
    answers = fields.pop("answers", {"GREETING": "Hi", "ADMIN_PASSWORD": "s3cret-answer"})
    values = {"state": StackState.RUNNING, "sentence": "All 3 tasks run."}
    made = Stack.objects.create(environment=of, name=name or f"stack{next(_numbers)}", **(values | fields))
    revision(made, 1, compose=compose, answers=answers, state=made.state)
    return made


def revision(of: Stack, n: int, **fields: Any) -> Revision:
    values = {"compose": COMPOSE, "answers": {}, "author": of.environment.owner, "state": StackState.RUNNING}
    return Revision.objects.create(stack=of, n=n, **(values | fields))


def cloud_account(owner: User, name: str = "", **fields: Any) -> CloudAccount:
    """An account that worked when it was last asked."""
    values = {
        "auth_url": "https://cloud.example.org:5000/v3",
        "region": "Spain2",
        "regions": ["Spain2"],
        "project": "demo",
        "user": "ann",
        "secret": {"auth_url": "https://cloud.example.org:5000/v3", "user": "ann", "password": "s3cret-of-the-cloud"},
        "verified_at": timezone.now(),
    }
    name = name or f"Account {next(_numbers)}"
    return CloudAccount.objects.create(owner=owner, name=name, **(values | fields))


def cleanup(
    of: CloudAccount,
    *things: tuple[str, str],
    state: OperationState = OperationState.SUCCEEDED,
    each: OperationState | None = None,
    **fields: Any,
) -> CloudCleanup:
    """A clean-up of ``things``, kinds with ids that are their names too, ``each`` in its state; ended if it has."""
    rows = [
        {"kind": kind, "id": id, "name": id, "ours": True, "state": (each or state).value, "error": ""}
        for kind, id in things
    ]
    values = {"requested_by": of.owner, "finished_at": timezone.now() if state.finished else None}
    return CloudCleanup.objects.create(account=of, things=rows, state=state, **(values | fields))


def node(n: int, **fields: Any) -> swarm.Node:
    name = f"fw-{n:02d}"
    values: dict[str, Any] = {
        "id": f"node-{name}",
        "hostname": name,
        "role": "manager" if n <= 3 else "worker",
        "availability": "active",
        "state": "ready",
        "leader": n == 1,
        "reachability": "reachable" if n <= 3 else "",
        "address": f"172.17.{n // 250}.{n % 250 + 2}",
        "engine_version": "28.2.2",
        "cpus": 2.0,
        "memory": 4_136_000_000,
        "message": "",
        "version": 12,
        "labels": {},
        "arch": "x86_64",
    }
    return swarm.Node(**(values | fields))


def service(name: str, stack: str = "", **fields: Any) -> swarm.Service:
    """A service whose id is made of its name; ``name`` comes without the stack."""
    full = f"{stack}_{name}" if stack else name
    values: dict[str, Any] = {
        "id": f"service-{full}",
        "name": full,
        "stack": stack,
        "mode": "replicated",
        "desired": 1,
        "running": 1,
        "image": "demo/whoami:1.0",
        "ports": [],
        "update_state": "",
        "update_message": "",
        "created_at": "2026-11-22T18:00:00.000000000Z",
        "updated_at": "2026-11-22T18:00:00.000000000Z",
        "constraints": [],
        "networks": [],
        "aliases": [],
    }
    return swarm.Service(**(values | fields))


def task(of: swarm.Service, slot: int = 1, **fields: Any) -> swarm.Task:
    values: dict[str, Any] = {
        "id": f"task-{of.name}-{slot}",
        "name": f"{of.name}.{slot}",
        "service_id": of.id,
        "service": of.name,
        "stack": of.stack,
        "slot": slot,
        "node_id": "node-fw-01",
        "container_id": f"{slot:064x}",
        "state": "running",
        "desired_state": "running",
        "error": "",
        "message": "started",
        "exit_code": None,
        "at": "2026-11-22T18:00:05.123456789Z",
        "image": of.image,
        "tty": False,
    }
    return swarm.Task(**(values | fields))


def network(name: str, **fields: Any) -> swarm.Network:
    values: dict[str, Any] = {
        "id": f"network-{name}",
        "name": name,
        "driver": "overlay",
        "attachable": True,
        "internal": False,
        "ingress": False,
        "mtu": 1400,
        "subnets": ["10.0.1.0/24"],
        "stack": "",
    }
    return swarm.Network(**(values | fields))


def volume(name: str, **fields: Any) -> swarm.Volume:
    values = {"driver": "local", "node_id": "node-fw-01", "stack": ""}
    return swarm.Volume(name=name, **(values | fields))


def snapshot(
    of: Environment,
    *,
    nodes: Sequence[swarm.Node] = (),
    services: Sequence[swarm.Service] = (),
    tasks: Sequence[swarm.Task] = (),
    networks: Sequence[swarm.Network] = (),
    volumes: Sequence[swarm.Volume] = (),
    problem: str = "",
) -> Snapshot:
    """Sets what the engines last said; every call is a new version."""
    row, _ = Snapshot.objects.get_or_create(environment=of)
    row.version += 1
    row.problem, row.read_at = problem, timezone.now()
    row.nodes, row.services, row.tasks = swarm.dump(nodes), swarm.dump(services), swarm.dump(tasks)
    row.networks, row.volumes = swarm.dump(networks), swarm.dump(volumes)
    row.save()
    return row


def filled(of: Environment, *, hosts: int = 3, stacks: int = 2, services: int = 4, tasks: int = 8) -> None:
    """Hosts, stacks and a snapshot of any size; tasks are spread over services and hosts."""
    nodes = [node(n) for n in range(1, hosts + 1)]
    for made in nodes:
        host(of, made.hostname, node_id=made.id, role=HostRole(made.role), addresses=[made.address])
    names = [f"app{n:03d}" for n in range(1, stacks + 1)]
    for name in names:
        stack(of, name)
    each = [tasks // services + (n < tasks % services) for n in range(services)]
    made_services = [
        service(f"svc{n:03d}", names[n % stacks] if names else "", desired=size, running=size)
        for n, size in enumerate(each)
    ]
    made_tasks = [
        task(one, slot, node_id=nodes[(n + slot) % hosts].id if nodes else "")
        for n, one in enumerate(made_services)
        for slot in range(1, each[n] + 1)
    ]
    snapshot(
        of,
        nodes=nodes,
        services=made_services,
        tasks=made_tasks,
        networks=[
            network("backend"),
            network("frontend"),
            network("ingress", ingress=True, attachable=False),
        ],
        volumes=[volume(f"{name}_data", stack=name) for name in names],
    )


def catalog(of: Environment | None = None, name: str = "", **fields: Any) -> Catalog:
    """A catalog that was read a minute ago and is due in an hour; without an environment it is everybody's."""
    now = timezone.now()
    values = {
        "address": "https://git.example.org/recipes",
        "read_at": now - timedelta(minutes=1),
        "due_at": now + timedelta(hours=1),
    }
    return Catalog.objects.create(environment=of, name=name or f"Catalog {next(_numbers)}", **(values | fields))


def recipe(of: Catalog, title: str = "", *, versions: Sequence[str] = ("1.0",), **fields: Any) -> CatalogRecipe:
    """A recipe whose versions, newest first, can be deployed; the digest of each is made of its label."""
    title = title or f"Recipe {next(_numbers)}"
    values = {"key": title.lower(), "search": title.lower(), "versions_told": len(versions)}
    made = CatalogRecipe.objects.create(catalog=of, title=title, **(values | fields))
    for n, label in enumerate(versions):
        made.versions.create(label=label, position=n, compose=COMPOSE, digest=f"digest of {label}")
    return made
