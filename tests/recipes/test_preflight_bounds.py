"""A hostile file can't hide a danger behind a heap of problems, nor keep a process busy."""

from copy import deepcopy
from random import Random
from typing import Any

import pytest
import yaml
from looking import only, problems, seen, service

from platform_manager.recipes import ComposeInvalid, Severity

ODD = [None, True, 0, -1, 1.5, 9**30, "", "x", "{{x}}", "${X}", "80:80", "1e999g", "/etc", [], {}, [None], {"a": None}]
WHOLE = """\
version: "3.8"
services:
  a:
    image: x
    networks: {n: {aliases: [q]}}
    volumes: ["/a:/b", {type: bind, source: /x, target: /y}, "data:/x"]
    ports: ["80:80", {target: 1, published: 2, mode: host, protocol: udp}]
    cap_add: [SYS_ADMIN]
    configs: [c, {source: c, target: /x}]
    secrets: [s]
    env_file: [a, b]
    deploy:
      replicas: 2
      placement: {constraints: [node.role==manager], max_replicas_per_node: 1}
      resources: {limits: {cpus: "1", memory: 1g}, reservations: {cpus: "1", memory: 1g}}
  b: {image: elasticsearch, networks: [n, m], deploy: {mode: global}}
networks: {n: {external: {name: backend}}, m: {driver_opts: {com.docker.network.driver.mtu: 5}, name: k}}
volumes: {data: {driver_opts: {type: none, o: bind, device: /x}}}
configs: {c: {file: ./x}}
secrets: {s: {external: true, name: q}}
"""
TREE = yaml.safe_load(WHOLE)


def test_of_many_problems_the_first_are_shown_and_the_others_counted() -> None:
    services = "".join(f"  s{n}: {{image: x, devices: [a], build: ., tty: ture}}\n" for n in range(300))

    found = problems(f"services:\n{services}")

    assert len(found) < 450
    assert "100 more of this kind are not shown" in " ".join(problem.message for problem in found)


def test_warnings_do_not_hide_a_danger() -> None:
    services = "".join(f"  s{n}: {{image: x, devices: [a], build: .}}\n" for n in range(400))
    last = "  last: {image: x, volumes: ['/etc:/etc']}\n"

    assert [p.path for p in problems(f"services:\n{services}{last}") if p.severity is Severity.DANGER] == [
        "services.last.volumes[0]"
    ]


def test_a_stack_of_more_services_than_a_swarm_bears_is_refused() -> None:
    shown = seen("services:\n" + "".join(f"  s{n}: {{image: x}}\n" for n in range(501)))

    assert (shown.deployable, len(shown.services)) == (False, 500)
    assert "501 services" in shown.problems[0].message


def test_ports_of_many_services_are_counted_together() -> None:
    ports = "".join(f"  s{n}: {{image: x, ports: ['{n * 900 + 1}-{n * 900 + 900}:1-900']}}\n" for n in range(70))

    shown = seen(f"services:\n{ports}")

    assert not shown.deployable
    assert sum(len(service.ports) for service in shown.services) <= 5_000


def test_more_constraints_than_anybody_needs_are_refused() -> None:
    many = ", ".join(f"node.labels.a{n} != b" for n in range(101))

    assert "101 constraints" in only(service(f"deploy: {{placement: {{constraints: [{many}]}}}}")).message


@pytest.mark.parametrize("seed", range(5))
def test_nothing_that_stands_in_a_file_makes_the_preview_fail(seed: int) -> None:
    random = Random(seed)  # noqa: S311
    looked = 0
    for _ in range(40):
        changed = yaml.safe_dump(mutated(TREE, random))
        try:
            looked += bool(seen(changed, neighbours={"backend": {"a": "other_a"}}).problems)
        except ComposeInvalid:
            continue
    assert looked


def mutated(value: Any, random: Random) -> Any:
    if random.random() < 0.05:
        return deepcopy(random.choice(ODD))
    if isinstance(value, dict):
        return {key: mutated(item, random) for key, item in value.items()}
    return [mutated(item, random) for item in value] if isinstance(value, list) else value
