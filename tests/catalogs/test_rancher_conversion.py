"""Services for Rancher written anew for a swarm, key by key."""

from typing import Any

import pytest
import yaml
from rancher_stacks import converted, render, service

from platform_manager.catalogs import rancher
from platform_manager.recipes import parse


def test_version_1_and_version_2_say_the_same() -> None:
    old, _ = converted("web:\n  image: nginx\n  ports:\n  - '80:80'\n")
    new, _ = converted("version: '2'\nservices:\n  web:\n    image: nginx\n    ports:\n    - '80:80'\n")

    assert old == new == {"version": "3.8", "services": {"web": {"image": "nginx", "ports": ["80:80"]}}}


def test_version_3_is_left_alone() -> None:
    compose = "version: '3.3'\nservices:\n  web: {image: nginx, privileged: true}\n"

    assert render(compose) == rancher.Converted(compose)


def test_variables_stay_variables() -> None:
    made, _ = service("ports: ['${port}:80']\nenvironment: {A: '${a}', B: $$b}", answers={"port": "8080"})

    assert made["ports"] == ["${port}:80"]
    assert made["environment"] == {"A": "${a}", "B": "$$b"}


KEPT: dict[str, tuple[str, dict[str, Any]]] = {
    "command as text": ("command: sh -c 'a b'", {"command": "sh -c 'a b'"}),
    "command as list": ("command: [a, 1, true]", {"command": ["a", "1", "true"]}),
    "entrypoint": ("entrypoint: /run.sh", {"entrypoint": "/run.sh"}),
    "environment as list": ("environment: ['A=b=c', 'B=']", {"environment": {"A": "b=c", "B": ""}}),
    "environment as list of mappings": ("environment: [{A: 1}]", {"environment": {"A": "1"}}),
    "environment keeps spelling": (
        "environment: {A: 1.10, B: true, C: 0777, D: yes}",
        {"environment": {"A": "1.10", "B": "true", "C": "0777", "D": "yes"}},
    ),
    "labels as list": ("labels: ['a=b', 'io.rancher.container.pull_image=always']", {"labels": {"a": "b"}}),
    "ports that repeat": ("ports: ['80:80', '80:80', 81]", {"ports": ["80:80", "81"]}),
    "terminal": ("stdin_open: true\ntty: true", {"stdin_open": True, "tty": True}),
    "terminal switched off": ("stdin_open: false\ntty: false", {}),
    "expose": ("expose: [80, '81']", {"expose": ["80", "81"]}),
    "dns and hosts": ("dns: 8.8.8.8\nextra_hosts: ['a:1.2.3.4']", {"dns": ["8.8.8.8"], "extra_hosts": ["a:1.2.3.4"]}),
    "capabilities": ("cap_add: [NET_ADMIN]", {"cap_add": ["NET_ADMIN"]}),
    "ulimits": (
        "ulimits: {nofile: 1024, nproc: {soft: 1, hard: 2}}",
        {"ulimits": {"nofile": 1024, "nproc": {"soft": 1, "hard": 2}}},
    ),
    "sysctls": ("sysctls: {net.core.somaxconn: 1024}", {"sysctls": {"net.core.somaxconn": "1024"}}),
    "memory": ("mem_limit: 512m", {"deploy": {"resources": {"limits": {"memory": "512m"}}}}),
    "memory without limit": ("mem_limit: 0", {}),
    "memory in bytes": ("mem_limit: 536870912", {"deploy": {"resources": {"limits": {"memory": "536870912"}}}}),
    "memory reserved": ("mem_reservation: 1g", {"deploy": {"resources": {"reservations": {"memory": "1g"}}}}),
    "restart always": ("restart: always", {"deploy": {"restart_policy": {"condition": "any"}}}),
    "restart on failure": (
        "restart: on-failure:5",
        {"deploy": {"restart_policy": {"condition": "on-failure", "max_attempts": 5}}},
    ),
    "restart no": ("restart: 'no'", {"deploy": {"restart_policy": {"condition": "none"}}}),
    "runs once": (
        "labels: {io.rancher.container.start_once: 'true'}",
        {"deploy": {"restart_policy": {"condition": "none"}}},
    ),
    "logs": (
        "log_driver: json-file\nlog_opt: {max-size: 10m}",
        {"logging": {"driver": "json-file", "options": {"max-size": "10m"}}},
    ),
    "no logs": ("log_driver: ''\nlog_opt: {}", {}),
    "tmpfs": (
        "tmpfs: '/run:rw,size=64m'",
        {"volumes": [{"type": "tmpfs", "target": "/run", "tmpfs": {"size": 67108864}}]},
    ),
    "shared memory": (
        "shm_size: 1g",
        {"volumes": [{"type": "tmpfs", "target": "/dev/shm", "tmpfs": {"size": 1073741824}}]},
    ),
    "healthcheck of its own": (
        "healthcheck: {test: [CMD, true], interval: 5s, retries: 3}",
        {"healthcheck": {"interval": "5s", "retries": 3, "test": ["CMD", "true"]}},
    ),
    "everywhere": ("labels: {io.rancher.scheduler.global: 'true'}", {"deploy": {"mode": "global"}}),
    "host label": (
        "labels: {'io.rancher.scheduler.affinity:host_label': 'zone=a,disk=ssd'}",
        {"deploy": {"placement": {"constraints": ["node.labels.zone == a", "node.labels.disk == ssd"]}}},
    ),
    "not that host label": (
        "labels: ['io.rancher.scheduler.affinity:host_label_ne=zone=a']",
        {"deploy": {"placement": {"constraints": ["node.labels.zone != a"]}}},
    ),
    "each on a host of its own": (
        "labels: {'io.rancher.scheduler.affinity:container_label_ne': "
        "'io.rancher.stack_service.name=$${stack_name}/$${service_name}'}",
        {"deploy": {"placement": {"max_replicas_per_node": 1}}},
    ),
    "rather each on a host of its own": (
        "labels: {'io.rancher.scheduler.affinity:container_label_soft_ne': "
        "'io.rancher.stack_service.name=$${stack_name}/$${service_name}'}",
        {},
    ),
    "an empty privileged": ("privileged: false\nexternal_links: []\ndevices: []\nnet: bridge", {}),
}


@pytest.mark.parametrize("what", KEPT)
def test_kept_or_written_anew(what: str) -> None:
    keys, expected = KEPT[what]

    made, _ = service(keys)

    assert made == {"image": "nginx", **expected}


NOTED = {
    "container_name: web1": "Dropped 'container_name' for 'web': swarm names containers itself",
    "cpu_shares: 5": "Dropped 'cpu_shares' for 'web': a swarm knows limits",
    "depends_on: [web]": "Dropped 'depends_on' for 'web': a swarm starts services in any order",
    "build: .": "Dropped 'build' for 'web'",
    "blkio_weight: 1": "Dropped 'blkio_weight' for 'web': it has no counterpart on a swarm",
    "ports: ['127.0.0.1:80:80']": "Ports bound to one address for 'web': a swarm publishes them on all addresses",
    "labels: {'io.rancher.scheduler.affinity:host_label_soft': a=b}": "Dropped the wish for hosts with the label a=b",
    "labels: {'io.rancher.scheduler.affinity:container_label': a=b}": "Dropped the wish to run where a=b runs",
    "labels: {'io.rancher.scheduler.affinity:container_label_ne': a=b}": "Dropped the wish to run where a=b does not",
    "labels: {'io.rancher.scheduler.affinity:not_host_label': a=b}": "Dropped the label io.rancher.scheduler.affinity",
    "labels: {'io.rancher.scheduler.affinity:container_label_ne': 'io.rancher.stack_service.name=a/b'}": "where b does",
    "labels: {'io.rancher.scheduler.affinity:host_label': a=b}": "became the constraint node.labels.a == b",
}


@pytest.mark.parametrize("keys", NOTED)
def test_what_is_dropped_is_told(keys: str) -> None:
    _, notes = service(keys)

    assert NOTED[keys] in notes


def test_the_same_note_of_two_services_is_one_sentence() -> None:
    _, notes = converted("a: {image: x, container_name: a}\nb: {image: x, container_name: b}\n")

    assert notes.startswith("Dropped 'container_name' for 'a' and 'b': ")


def test_labels_of_rancher_that_mean_nothing_here_go_silently() -> None:
    made, notes = service("labels: {io.rancher.container.hostname_override: container_name}")

    assert (made, notes) == ({"image": "nginx"}, "")


def test_scale_becomes_replicas() -> None:
    assert service("tty: false", "web: {scale: 3}")[0]["deploy"] == {"replicas": 3}
    assert service("tty: false", "services: {web: {scale: '${n}'}}", {"n": "2"})[0]["deploy"] == {"replicas": "${n}"}
    assert "deploy" not in service("tty: false", "web: {scale: '${n}'}")[0]


def test_a_global_service_has_no_replicas() -> None:
    made, _ = service("labels: {io.rancher.scheduler.global: true}", "web: {scale: 3}")

    assert made["deploy"] == {"mode": "global"}


def test_a_health_check_from_outside_is_dropped_and_told() -> None:
    made, notes = service("tty: false", "web: {health_check: {port: 80, request_line: 'GET / HTTP/1.0'}}")

    assert made == {"image": "nginx"}
    assert "Dropped the health check (GET / HTTP/1.0 on port 80) for 'web'" in notes


def test_a_number_of_restarts_that_is_none_is_left_out() -> None:
    made, _ = service(f"restart: 'on-failure:{'9' * 5_000}'")
    assert made["deploy"] == {"restart_policy": {"condition": "on-failure"}}


def test_a_host_label_can_be_an_answer() -> None:
    labels = "labels: {'io.rancher.scheduler.affinity:host_label': '${where}'}"

    made, _ = service(labels, answers={"where": "zone=a"})

    assert made["deploy"]["placement"]["constraints"] == ["node.labels.zone == a"]
    assert service(labels)[0] == {"image": "nginx"}


def test_text_that_other_yaml_readers_take_for_numbers_stays_text() -> None:
    texts = {"A": "1e3", "B": "0o7", "C": "yes", "D": "22:22", "E": "2001-01-01", "F": "~", "G": " x\ny ", "H": "null"}
    compose = yaml.safe_dump({"web": {"image": "x", "environment": texts}})

    made = parse(render(compose).compose)

    assert made.value["services"]["web"]["environment"] == texts
