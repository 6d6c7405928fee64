"""Each rule and oddity of merging, one pair of services at a time, against the CLI."""

from pathlib import Path

import pytest
import yaml
from oracle import stack_config

from platform_manager.recipes import merged, parse
from platform_manager.recipes.rewriting import rewritten

PAIRS = [
    ("environment: {C: foo, D: , E: '', F: f}", "environment: {C: '', D: '', E: v, F: }"),
    ("environment: [A=1, B]", "environment: {A: 2, C: 1.50}"),
    ("ports: ['53:53/udp', '53:53/tcp', 90, 80]", "tty: true"),
    ("ports: ['53:53/udp', '53:53/tcp', 90, 80]", "ports: []"),
    ("tty: true", "ports: ['53:53/udp', '53:53/tcp', 90, 80]"),
    ("ports: ['53:53/udp']", "ports: [{target: 5, published: 53, mode: host}, '60:53']"),
    ("volumes: ['vv:/a:ro', '/a', '/b']", "volumes: [{type: tmpfs, target: /b}]"),
    ("configs: [{source: q, target: /b}, {source: p}]", "configs: [q]"),
    ("secrets: [a]", "secrets: [a, {source: a, target: b}]"),
    ("networks: [a]", "networks: {a: {aliases: [q]}}"),
    ("networks: {a: {aliases: [q], ipv4_address: 1.1.1.1}}", "networks: {a: {ipv6_address: '::1', ipv4_address: ''}}"),
    ("networks: {a: {aliases: [q], driver_opts: {a: 1}}}", "networks: {a: {driver_opts: {b: 2}}, b: }"),
    ("logging: {driver: a, options: {q: 1}}", "logging: {driver: b}"),
    ("logging: {driver: a}", "logging: {options: {q: 1}}"),
    ("logging: {options: {q: 1, r: 2}}", "logging: {driver: b, options: {q: ''}}"),
    ("ulimits: {q: 1, z: {soft: 3, hard: 4}}", "ulimits: {z: 0, q: {soft: 5, hard: 6}}"),
    ("deploy: {update_config: {parallelism: 3, delay: 5s}}", "deploy: {update_config: {parallelism: 0, delay: 0s}}"),
    ("deploy: {replicas: 3, labels: {a: b}}", "deploy: {replicas: 0, labels: ['a=', c=d], endpoint_mode: vip}"),
    (
        "deploy: {resources: {limits: {cpus: '1', memory: 5m}}}",
        "deploy: {resources: {limits: {cpus: '0', memory: '0'}}}",
    ),
    ("deploy: {placement: {constraints: [a == b]}}", "deploy: {placement: {constraints: [a == b, c == d]}}"),
    ("build: {args: {b: 1, c: 2}}", "build: {context: x, args: [a=1, b]}"),
    ("init: true", "init: false"),
    (
        "healthcheck: {test: foo, retries: 5, disable: true}",
        "healthcheck: {test: [CMD, a], retries: 0, disable: false}",
    ),
    ("extra_hosts: {b: '1', a: '2'}", "extra_hosts: ['a:5']"),
    ("command: a 'b c'", "command: ''"),
    ("command: []", "command: b 'c d'"),
    ("stop_grace_period: 5s", "stop_grace_period: 0s"),
    ("labels: {b: x, d: 2001-01-01}", "labels: {b: '', c: 1e3}"),
    ("hostname: a", "hostname: ''"),
    ("credential_spec: {file: a}", "credential_spec: {registry: b}"),
]


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_a_pair_is_merged_as_the_cli_does(pair: tuple[str, str], tmp_path: Path) -> None:
    texts = [f"version: '3.13'\nservices: {{web: {{image: x, {part}}}}}" for part in pair]
    value, problems = merged(parse(texts[0], overlays=[("more.yml", texts[1])]), {})
    ours = rewritten(value, yaml.MappingNode("tag:yaml.org,2002:map", []))

    wanted, said = stack_config(tmp_path, texts, {})

    assert wanted is not None and problems == [], said
    assert stack_config(tmp_path, ours, {})[0] == wanted
