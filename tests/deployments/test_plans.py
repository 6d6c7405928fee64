"""Plans on a real swarm: the same file changes nothing, each change is told at its field, and nothing is changed."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from dashboard.flows import environments, hosts
from dashboard.flows.plans import plan_now, plan_stack
from dashboard.flows.stacks import Wish
from dashboard.models import Environment, Revision, Stack, StackState
from platform_manager import recipes, wiring
from platform_manager.engines import cli
from platform_manager.engines.client import EngineClient
from platform_manager.errors import UserError
from platform_manager.swarm.plan import Plan
from platform_manager.swarm.plan_making import UNSEEN
from tests.support.lab import Lab, succeeded

pytestmark = [pytest.mark.engine, pytest.mark.django_db(transaction=True)]

# Without tasks: what counts are the specs that the swarm keeps.
COMPOSE = """
version: "3.9"
services:
  web:
    image: 127.0.0.1:1/whoami:1
    entrypoint: ["/bin/env"]
    command: ["sh", "/app", "a word"]
    environment: {A: "1", EMPTY: "", API_TOKEN: "${API_TOKEN}"}
    hostname: planet
    working_dir: /srv
    user: "1000"
    labels: {kind: shop}
    ports: ["8080:8000", {target: 53, published: 5353, protocol: udp, mode: host}, "9999"]
    volumes: ["data:/data", "/tmp:/host:ro", {type: tmpfs, target: /scratch, tmpfs: {size: 1048576}}]
    healthcheck: {test: ["CMD", "true"], interval: 10s, timeout: 5s, retries: 3, start_period: 1s}
    networks: {front: {aliases: [shop]}, back: {}}
    configs: [{source: conf, target: /etc/a.conf, mode: 0400}]
    secrets: [key]
    dns: 10.9.9.9
    extra_hosts: ["foo:10.0.0.1"]
    stop_grace_period: 1m30s
    stop_signal: SIGINT
    cap_add: [NET_ADMIN]
    cap_drop: [CHOWN]
    sysctls: {net.core.somaxconn: "1024"}
    ulimits: {nofile: {soft: 100, hard: 200}}
    init: true
    read_only: true
    logging: {driver: json-file, options: {max-size: 10m}}
    deploy:
      replicas: 0
      labels: {team: red}
      update_config: {parallelism: 2, delay: 10s, order: start-first, failure_action: rollback, max_failure_ratio: 0.2}
      rollback_config: {parallelism: 0}
      restart_policy: {condition: on-failure, delay: 0s, max_attempts: 3, window: 1m}
      resources: {limits: {cpus: "0.5", memory: 50M, pids: 100}, reservations: {cpus: "0.25", memory: 20M}}
      placement:
        constraints: [node.role == manager]
        preferences: [{spread: node.labels.dc}]
        max_replicas_per_node: 4
  everywhere:
    image: 127.0.0.1:1/whoami:1
    deploy: {mode: global, endpoint_mode: dnsrr, placement: {constraints: [node.labels.none == x]}}
  plain:
    image: 127.0.0.1:1/whoami:1
    deploy: {replicas: 0}
  bare:
    image: 127.0.0.1:1/whoami:1
    healthcheck: {disable: true}
    configs: [conf, {source: conf, target: second, uid: "5", mode: 0}]
    volumes: [/nameless, {type: bind, source: /tmp, target: /c, bind: {propagation: rshared}}]
    ports: ["91-93:91-93", {target: 95, mode: host}, "96:96/sctp"]
    deploy: {replicas: 0, restart_policy: {}, update_config: {}, rollback_config: {delay: 1s}, resources: {limits: {}}}
  onhost:
    image: 127.0.0.1:1/whoami:1
    networks: [outside]
    deploy: {mode: global, placement: {constraints: [node.labels.none == x]}}
  job:
    image: 127.0.0.1:1/whoami:1
    deploy: {mode: replicated-job, replicas: 0}
networks:
  outside: {external: true, name: host}
  front: {driver_opts: {com.docker.network.driver.mtu: "1400"}}
  back: {attachable: true}
volumes: {data: {}}
configs: {conf: {file: ./a.conf}}
secrets: {key: {file: ./a.conf}}
"""
FILES = {"a.conf": b"hello"}
ANSWERS = {"API_TOKEN": "correct horse"}

# What is written instead of what, and the field with both values that has to be told, alone.
Told = tuple[str, str | None, str | None]
CHANGES: list[tuple[str, str, str, str | None, str | None]] = [
    ("whoami:1\n    entrypoint", "whoami:2\n    entrypoint", "image", "127.0.0.1:1/whoami:1", "127.0.0.1:1/whoami:2"),
    ('["/bin/env"]', '["/bin/sh"]', "entrypoint", "/bin/env", "/bin/sh"),
    ('"a word"', '"two words"', "command", "sh /app 'a word'", "sh /app 'two words'"),
    ('A: "1"', 'A: "2"', "environment.A", "1", "2"),
    ('A: "1", ', "", "environment.A", "1", None),
    ('EMPTY: ""', 'EMPTY: "no"', "environment.EMPTY", "", "no"),
    ("hostname: planet", "hostname: comet", "hostname", "planet", "comet"),
    ("working_dir: /srv", "working_dir: /tmp", "working_dir", "/srv", "/tmp"),
    ('user: "1000"', 'user: "0"', "user", "1000", "0"),
    ("kind: shop", "kind: bar", "labels.kind", "shop", "bar"),
    ("8080:8000", "8081:8000", "ports 8000/tcp", "8080:8000/tcp", "8081:8000/tcp"),
    ("udp, mode: host}", "udp, mode: ingress}", "ports 53/udp", "5353:53/udp on the host", "5353:53/udp"),
    ('"data:/data"', '"data:/data:ro"', "volumes /data", "shop_data", "shop_data, read-only"),
    ("/tmp:/host:ro", "/var:/host:ro", "volumes /host", "/tmp, read-only", "/var, read-only"),
    ("size: 1048576", "size: 2097152", "volumes /scratch", "tmpfs, 1M", "tmpfs, 2M"),
    ("interval: 10s", "interval: 90s", "healthcheck.interval", "10s", "1m30s"),
    ('test: ["CMD", "true"]', 'test: ["CMD", "false"]', "healthcheck.test", "CMD true", "CMD false"),
    ("retries: 3", "retries: 4", "healthcheck.retries", "3", "4"),
    ("aliases: [shop]", "aliases: [bar]", "networks shop_front", "joined, as shop", "joined, as bar"),
    ("mode: 0400", "mode: 0440", "configs /etc/a.conf", "shop_conf, mode 0400", "shop_conf, mode 0440"),
    ("    secrets: [key]", "", "secrets key", "shop_key", None),
    ("dns: 10.9.9.9", "dns: 10.9.9.8", "dns", "10.9.9.9", "10.9.9.8"),
    ("foo:10.0.0.1", "foo:10.0.0.2", "extra_hosts", "10.0.0.1 foo", "10.0.0.2 foo"),
    ("1m30s", "1h", "stop_grace_period", "1m30s", "1h"),
    ("SIGINT", "SIGQUIT", "stop_signal", "SIGINT", "SIGQUIT"),
    ("NET_ADMIN", "SYS_TIME", "cap_add", "CAP_NET_ADMIN", "CAP_SYS_TIME"),
    ("CHOWN", "KILL", "cap_drop", "CAP_CHOWN", "CAP_KILL"),
    ('"1024"', '"2048"', "sysctls.net.core.somaxconn", "1024", "2048"),
    ("hard: 200", "hard: 300", "ulimits.nofile", "100:200", "100:300"),
    ("init: true", "init: false", "init", "true", "false"),
    ("read_only: true", "read_only: false", "read_only", "true", None),
    ("max-size: 10m", "max-size: 20m", "logging.options.max-size", "10m", "20m"),
    ("{replicas: 0}", "{replicas: 3}", "replicas", "0", "3"),
    ("team: red", "team: blue", "deploy.labels.team", "red", "blue"),
    ("parallelism: 2", "parallelism: 3", "update_config.parallelism", "2", "3"),
    ("delay: 10s", "delay: 20s", "update_config.delay", "10s", "20s"),
    ("order: start-first, ", "", "update_config.order", "start-first", "stop-first"),
    ("action: rollback", "action: continue", "update_config.failure_action", "rollback", "continue"),
    ("ratio: 0.2", "ratio: 0.3", "update_config.max_failure_ratio", "0.2", "0.3"),
    ("parallelism: 0", "parallelism: 1", "rollback_config.parallelism", "0", "1"),
    ("condition: on-failure", "condition: any", "restart_policy.condition", "on-failure", "any"),
    ("delay: 0s, ", "", "restart_policy.delay", "0s", None),
    ("max_attempts: 3", "max_attempts: 4", "restart_policy.max_attempts", "3", "4"),
    ('cpus: "0.5"', 'cpus: "1.25"', "resources.limits.cpus", "0.5", "1.25"),
    ("memory: 50M", "memory: 1G", "resources.limits.memory", "50M", "1G"),
    ("pids: 100", "pids: 200", "resources.limits.pids", "100", "200"),
    ("memory: 20M", "memory: 30M", "resources.reservations.memory", "20M", "30M"),
    ("node.role == manager", "node.role == worker", "constraints", "node.role == manager", "node.role == worker"),
    (
        "spread: node.labels.dc",
        "spread: node.labels.zone",
        "preferences",
        "spread node.labels.dc",
        "spread node.labels.zone",
    ),
    ("per_node: 4", "per_node: 5", "max_replicas_per_node", "4", "5"),
    ("endpoint_mode: dnsrr, ", "", "endpoint_mode", "dnsrr", "vip"),
]


@pytest.fixture
def environment(lab: Lab, settings: Any) -> Iterator[Environment]:
    """A swarm of one host, which this process speaks to as the lab's do."""
    settings.PM_SOCKETS = lab.var / "links"
    lab.start_platform()
    user = get_user_model().objects.create_user("ann")
    environment = environments.create_environment(user, name="lab", managers=1)
    succeeded(hosts.add_hosts(environment, user, driver="local", prefix="fw", quantity=1))
    yield environment
    wiring.run(wiring.core().pool.close(), 10)


def link(environment: Environment) -> Path:
    return wiring.engine(environment.hosts.get().pk).socket


def deploys(environment: Environment, wish: Wish) -> None:
    """As an operation does, without a look at the tasks."""
    mtu = environment.swarm_mtu or 1500
    prepared = recipes.prepare(wish.parsed(), wish.answers, mtu=mtu, stack_name=wish.name)
    deploying = cli.stack_deploy(
        link(environment), wish.name, prepared.compose, files=prepared.files, overlays=prepared.overlays
    )
    result = wiring.run(deploying, 60)
    assert result.exit_code == 0, result.output


def state_of(environment: Environment) -> str:
    """All the swarm has, with the numbers it counts changes with."""

    socket = link(environment)

    async def read() -> str:
        async with EngineClient(socket) as client:
            kinds = [await client.get(f"/{kind}") for kind in ("services", "networks", "secrets", "configs")]
            # The engine lists networks in any order.
            return json.dumps([sorted(json.dumps(one, sort_keys=True) for one in kind) for kind in kinds])

    return wiring.run(read(), 30)


def planned(environment: Environment, compose: str, **more: Any) -> Plan:
    wish = Wish("shop", compose, **{"answers": ANSWERS, "files": FILES, **more})
    return plan_stack(environment, wish, updating=True)


def changed() -> list[tuple[str, list[Told]]]:
    """The file with as many of the changes as go together, each with all that has to be told, until none is left."""
    batches, left = [], CHANGES
    while left:
        compose, changes, later = COMPOSE, [], []
        for change in left:
            old, new, *expected = change
            assert COMPOSE.count(old) == 1, old
            if compose.count(old) == 1 and expected[0] not in [field for field, _, _ in changes]:
                compose = compose.replace(old, new)
                changes.append((expected[0], expected[1], expected[2]))
            else:
                later.append(change)
        batches.append((compose, changes))
        left = later
    return batches


def told(plan: Plan) -> list[Told]:
    return [(one.field, one.before, one.after) for item in plan.items for one in item.changes]


def recorded(environment: Environment) -> None:
    """The platform knows of the deployment, and so what the secret holds."""
    stack = Stack.objects.create(environment=environment, name="shop", state=StackState.RUNNING)
    files = {path: b64encode(content).decode() for path, content in FILES.items()}
    fields = {"compose": COMPOSE, "answers": ANSWERS, "files": files}
    Revision.objects.create(stack=stack, n=1, state=StackState.RUNNING, **fields)


def replaced(plan: Plan) -> list[str]:
    return [item.name for item in plan.items if item.action == "replace"]


def test_a_plan_tells_exactly_what_a_deployment_would_do(environment: Environment) -> None:
    first = planned(environment, COMPOSE)
    assert {item.action for item in first.items} == {"create"}
    assert len(first.items) == 12
    deploys(environment, Wish("shop", COMPOSE, ANSWERS, files=FILES))
    before = state_of(environment)

    again = planned(environment, COMPOSE)
    assert told(again) == []
    assert {item.action for item in again.items} == {"keep"}
    assert again.summary == "0 to create, 0 to change, 0 to replace, 0 to remove, 12 unchanged"

    for compose, changes in changed():
        found = planned(environment, compose)
        assert sorted(told(found), key=str) == sorted(changes, key=str)
        assert found.counts["update"] + found.counts["keep"] == 12

    other = planned(environment, COMPOSE, answers={"API_TOKEN": "battery staple"})
    assert told(other) == [("environment.API_TOKEN", "***", "*** (changed)")]
    other = planned(environment, COMPOSE, files={"a.conf": b"other"})
    assert replaced(other) == ["shop_conf"]
    assert UNSEEN in other.notes
    recorded(environment)
    other = planned(environment, COMPOSE, files={"a.conf": b"other"})
    assert replaced(other) == ["shop_key", "shop_conf"]
    assert UNSEEN not in other.notes
    after = {field: value or "" for field, _, value in told(other)}
    config = f"shop_conf-{sha256(b'other').hexdigest()[:8]}"
    assert after.pop("secrets key").startswith("shop_key-")
    assert after == {
        "configs conf": config,
        "configs second": f"{config}, mode 0000, owner 5:0",
        "configs /etc/a.conf": f"{config}, mode 0400",
    }
    again = planned(environment, COMPOSE)
    assert again.changes_nothing and UNSEEN not in again.notes
    other = planned(environment, COMPOSE.replace('mtu: "1400"', 'mtu: "1300"'))
    assert told(other) == [("driver_opts.com.docker.network.driver.mtu", "1400", "1300")]
    other = planned(environment, COMPOSE.replace("  plain:", "  fresh:"))
    assert [(item.action, item.name) for item in other.told] == [("create", "shop_fresh"), ("remove", "shop_plain")]
    with pytest.raises(UserError, match='network "front" is declared as external, but could not be found'):
        planned(environment, COMPOSE.replace("front: {driver_opts", "front: {external: {name: front}, x-o"))

    wished = COMPOSE.replace('front: {driver_opts: {com.docker.network.driver.mtu: "1400"}}', "front: {external: true}")
    other = planned(environment, wished, networks=frozenset({"front"}))
    assert [item.name for item in other.items if item.action == "create"] == ["front"]
    assert state_of(environment) == before

    with pytest.raises(UserError):
        planned(environment, COMPOSE + "  broken: {file: ./missing}\n")
    environment.hosts.update(link_up=False)
    plan, problem = plan_now(environment, Wish("shop", COMPOSE, ANSWERS, files=FILES), updating=True)
    assert plan is None
    assert problem.startswith("The plan can't be made now: No manager of this environment answers.")
