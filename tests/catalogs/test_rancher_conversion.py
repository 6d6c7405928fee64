"""Stacks for Rancher written anew for a swarm: each rewrite, and each reason to refuse one."""

from collections.abc import Mapping
from textwrap import dedent
from typing import Any

import pytest
import yaml

from platform_manager.catalogs import rancher
from platform_manager.recipes import EnvironmentFacts, Severity, parse, preview


def render(compose: str, about: str = "", answers: Mapping[str, str] | None = None) -> rancher.Converted:
    template = rancher.Template(dedent(compose), dedent(about))
    return rancher.render(template, answers or {}, stack_name="shop")


def converted(compose: str, about: str = "", answers: Mapping[str, str] | None = None) -> tuple[dict[str, Any], str]:
    """The new file, which our own checks find deployable, and its notes."""
    result = render(compose, about, answers)
    assert not result.refusal
    problems = preview(parse(result.compose), answers or {}, EnvironmentFacts("shop")).problems
    assert [str(problem) for problem in problems if problem.severity is Severity.ERROR] == []
    made: dict[str, Any] = yaml.safe_load(result.compose)
    return made, "\n".join(result.notes)


def service(keys: str, about: str = "", answers: Mapping[str, str] | None = None) -> tuple[dict[str, Any], str]:
    """One service with these keys, converted, and the notes."""
    compose = "web:\n  image: nginx\n" + "".join(f"  {line}\n" for line in dedent(keys).strip().splitlines())
    made, notes = converted(compose, about, answers)
    return made["services"]["web"], notes


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


def test_a_host_label_can_be_an_answer() -> None:
    labels = "labels: {'io.rancher.scheduler.affinity:host_label': '${where}'}"

    made, _ = service(labels, answers={"where": "zone=a"})

    assert made["deploy"]["placement"]["constraints"] == ["node.labels.zone == a"]
    assert service(labels)[0] == {"image": "nginx"}


def test_a_data_sidekick_becomes_named_volumes() -> None:
    made, notes = converted("""
        db:
          image: postgres
          labels: {io.rancher.sidekicks: db-data}
          volumes: ['/etc/localtime:/etc/localtime:ro']
          volumes_from: [db-data]
        db-data:
          image: busybox
          net: none
          command: /bin/true
          labels: {io.rancher.container.start_once: true}
          volumes: [/var/lib/postgresql/data, /backup, 'logs:/logs']
    """)

    assert list(made["services"]) == ["db"]
    assert made["services"]["db"]["volumes"] == [
        "/etc/localtime:/etc/localtime:ro",
        "logs:/logs",
        "db-data-var-lib-postgresql-data:/var/lib/postgresql/data",
        "db-data-backup:/backup",
    ]
    assert set(made["volumes"]) == {"logs", "db-data-var-lib-postgresql-data", "db-data-backup"}
    assert "The data container 'db-data' became the volume 'db-data-backup'" in notes


def test_several_services_share_a_data_container_read_only_where_they_said() -> None:
    made, _ = converted("""
        a: {image: x, volumes_from: [data]}
        b: {image: x, volumes_from: ['data:ro']}
        data: {image: alpine, entrypoint: ['true'], volumes: [/data]}
    """)

    assert made["services"]["a"]["volumes"] == ["data:/data"]
    assert made["services"]["b"]["volumes"] == ["data:/data:ro"]


def test_link_names_become_further_names() -> None:
    made, notes = converted("""
        web: {image: x, links: ['db:mysql', 'cache']}
        db: {image: x}
        cache: {image: x}
    """)

    assert made["services"]["db"]["networks"] == {"default": {"aliases": ["mysql"]}}
    assert "networks" not in made["services"]["cache"]
    assert "The link name 'mysql' became a further name of 'db'" in notes


def test_the_network_of_the_host_becomes_the_external_network_host() -> None:
    made, notes = converted("web: {image: x, net: host, ports: ['80:80']}")

    assert made["networks"] == {"host": {"external": True, "name": "host"}}
    assert made["services"]["web"] == {"image": "x", "networks": ["host"]}
    assert "Dropped 'ports' for 'web'" in notes


def test_an_old_load_balancer_becomes_a_published_port() -> None:
    made, notes = converted("""
        lb: {image: 'rancher/load-balancer-service', ports: ['${port}:8000'], links: ['web:web']}
        web: {image: x}
    """)

    assert made["services"]["web"]["ports"] == ["${port}:8000"]
    assert list(made["services"]) == ["web"]
    assert "The load balancer 'lb' became the published port ${port}:8000 of 'web'" in notes


RULES = """
    services:
      lb:
        scale: 1
        lb_config:
          certs: []
          port_rules:
          - {source_port: "${http}", target_port: 3000, service: web, protocol: http}
          - {source_port: 22, target_port: 2222, service: git, protocol: tcp}
"""


def test_rules_of_a_load_balancer_become_published_ports() -> None:
    made, _ = converted(
        """
        version: '2'
        services:
          lb: {image: 'rancher/lb-service-haproxy:v0.7', ports: ['${http}:${http}/tcp', '10022:22']}
          web: {image: x}
          git: {image: x}
        """,
        RULES,
        {"http": "8080"},
    )

    assert made["services"]["web"]["ports"] == ["${http}:3000"]
    assert made["services"]["git"]["ports"] == ["10022:2222"]


def test_links_to_a_load_balancer_lead_to_its_target() -> None:
    made, _ = converted("""
        lb: {image: rancher/load-balancer-service, expose: ['80:80'], links: [web]}
        web: {image: x}
        job: {image: x, links: ['lb:front']}
    """)

    assert made["services"]["web"]["networks"] == {"default": {"aliases": ["lb", "front"]}}


def test_volumes_are_declared_with_the_drivers_that_a_swarm_has() -> None:
    made, notes = converted("""
        version: '2'
        services:
          a: {image: x, volumes: ['one:/1', 'two:/2', '/host:/3', '${path}:/4', 'five:/5']}
        volumes:
          one: {driver: local, driver_opts: {type: tmpfs}}
          two: {driver: rancher-nfs, per_container: true}
          five: {external: true, driver: local}
          unused: {}
    """)

    assert made["volumes"] == {
        "one": {"driver": "local", "driver_opts": {"type": "tmpfs"}},
        "two": {},
        "five": {"external": True},
    }
    assert "The volume 'two' lies on the local disk of each host: its driver 'rancher-nfs' exists on Rancher" in notes
    assert "The volume 'two' is not one per container any more" in notes


def test_the_volume_driver_of_a_service_is_that_of_its_volumes() -> None:
    compose = "a: {image: x, volume_driver: '${driver}', volumes: ['${where}:/data']}"

    made, _ = converted(compose, answers={"driver": "local", "where": "data"})
    bound, notes = converted(compose, answers={"driver": "rancher-nfs", "where": "/data"})

    assert made["volumes"] == {"data": {"driver": "${driver}"}}
    assert "volumes" not in bound
    assert notes == ""


def test_secrets_exist_already() -> None:
    made, _ = converted("""
        version: '2'
        services:
          a: {image: x, secrets: [one, {source: two, target: t, uid: '1', mode: '0400'}]}
        secrets: {one: {external: true}}
    """)

    assert made["services"]["a"]["secrets"] == ["one", {"source": "two", "target": "t", "uid": "1", "mode": 0o400}]
    assert made["secrets"] == {"one": {"external": True}, "two": {"external": True}}


REFUSED = {
    "privileged: true": "The service 'web' is privileged",
    "devices: ['/dev/kvm:/dev/kvm']": "needs the device '/dev/kvm:/dev/kvm' (devices)",
    "pid: host": "shares the processes of its host (pid: host)",
    "ipc: host": "shares the memory of its host (ipc: host)",
    "net: 'container:db'": "shares the network of 'db' (net: container:db)",
    "network_mode: 'service:db'": "shares the network of 'db' (network_mode: service:db)",
    "labels: {io.rancher.container.create_agent: true}": "uses the API of Rancher",
    "labels: ['io.rancher.container.agent.role=environment']": "uses the API of Rancher",
    "external_links: ['other/db:db']": "links to 'other/db:db' of another stack (external_links)",
    "environment: {URL: 'http://rancher-metadata/latest'}": "reads its settings from the metadata service",
    "command: giddyup leader": "reads its settings from the metadata service of Rancher (command)",
    "volumes_from: [web2]": "uses the folders of the container 'web2' (volumes_from)",
    "env_file: .env": "reads another file (env_file)",
    "extends: {service: x}": "reads another file (extends)",
    "links: [nobody]": "links to 'nobody' (links), which is no service of the recipe",
}


@pytest.mark.parametrize("keys", REFUSED)
def test_what_no_swarm_gives_is_refused_with_the_service_the_key_and_a_way_out(keys: str) -> None:
    result = render(f"web:\n  image: nginx\n  {keys}\nweb2: {{image: nginx, command: serve}}\n")

    assert result.compose == ""
    assert "'web'" in result.refusal
    assert REFUSED[keys] in result.refusal
    assert result.refusal.count(". ") >= 1
    assert result.refusal.endswith(".")


REFUSED_STACKS = {
    "side by side": (
        "a: {image: x, labels: {io.rancher.sidekicks: b}}\nb: {image: y}",
        "",
        "The service 'b' must run beside 'a' on the same host (io.rancher.sidekicks)",
    ),
    "one before the other": (
        "a: {image: x, labels: {io.rancher.sidekicks: b}}\n"
        "b: {image: busybox, command: chown -R 1 /x, labels: {io.rancher.container.start_once: true}}",
        "",
        "The service 'b' prepares 'a' on the same host before it starts",
    ),
    "data that only the image knows": (
        "a: {image: x, volumes_from: [b]}\nb: {image: busybox, command: 'true'}",
        "",
        "The data container 'b' does not say which folders it holds",
    ),
    "metadata": ("a: {image: x}", "a: {metadata: {x: y}}", "(metadata in rancher-compose.yml)"),
    "a metadata image": (
        "a: {image: 'rancher/elasticsearch-conf:v0.5'}",
        "",
        "(image rancher/elasticsearch-conf:v0.5)",
    ),
    "an outside service": ("a: {image: rancher/external-service}", "", "only gives a name to something outside"),
    "no image": ("a: {command: x}\nb: {image: x}", "", "The service 'a' names no image"),
    "only a build": ("a: {build: .}", "", "push one to a registry"),
    "nothing": ("version: '2'", "", "has no services"),
    "one name, two meanings": (
        "a: {image: x, links: ['b:db']}\nb: {image: x}\nc: {image: x}\nd: {image: x, links: ['c:db']}",
        "",
        "The name 'db' means the service 'c' in one link and 'b' elsewhere",
    ),
    "a name that another service has": (
        "a: {image: x, links: ['b:c']}\nb: {image: x}\nc: {image: x}",
        "",
        "The name 'c' means the service 'b' in one link and 'c' elsewhere",
    ),
    "requests shared out": (
        "lb: {image: rancher/load-balancer-service, ports: ['80'], links: [a, b]}\na: {image: x}\nb: {image: x}",
        "",
        "shares its ports out among 'a' and 'b'",
    ),
    "names and paths": (
        "lb: {image: rancher/load-balancer-service, links: [a], labels: {io.rancher.loadbalancer.target.a: x.org}}\n"
        "a: {image: x}",
        "",
        "chooses services by host name or path",
    ),
    "a rule with a host name": (
        "lb: {image: 'rancher/lb-service-haproxy:v1', ports: [80]}\na: {image: x}",
        "lb: {lb_config: {port_rules: [{source_port: 80, service: a, hostname: x.org}]}}",
        "chooses services by hostname (x.org)",
    ),
    "one port, two services": (
        "lb: {image: 'rancher/lb-service-haproxy:v1', ports: [80]}\na: {image: x}\nb: {image: x}",
        "lb: {lb_config: {port_rules: [{source_port: 80, service: a}, {source_port: 80, service: b}]}}",
        "leads port 80 to 'a' and to 'b'",
    ),
    "a rule with TLS": (
        "lb: {image: 'rancher/lb-service-haproxy:v1', ports: [443]}\na: {image: x}",
        "lb: {lb_config: {default_cert: c, port_rules: [{source_port: 443, service: a, protocol: https}]}}",
        "ends TLS (certs)",
    ),
    "a rule to another stack": (
        "lb: {image: 'rancher/lb-service-haproxy:v1', ports: [80]}",
        "lb: {lb_config: {port_rules: [{source_port: 80, service: other/a}]}}",
        "leads to 'other/a', which is no service of the recipe",
    ),
    "a load balancer without rules": ("lb: {image: 'rancher/lb-service-haproxy:v1', ports: [80]}", "", "leads nowhere"),
    "no YAML": ("a: [", "", "The compose file can't be read."),
    "no YAML beside it": ("a: {image: x}", "a: [", "rancher-compose.yml can't be read."),
}


@pytest.mark.parametrize("what", REFUSED_STACKS)
def test_stacks_that_are_refused(what: str) -> None:
    compose, about, reason = REFUSED_STACKS[what]

    result = render(compose, about)

    assert reason in result.refusal
    assert result.compose == ""
    assert result.notes == ()


def test_text_that_other_yaml_readers_take_for_numbers_stays_text() -> None:
    texts = {"A": "1e3", "B": "0o7", "C": "yes", "D": "22:22", "E": "2001-01-01", "F": "~", "G": " x\ny ", "H": "null"}
    compose = yaml.safe_dump({"web": {"image": "x", "environment": texts}})

    made = parse(render(compose).compose)

    assert made.value["services"]["web"]["environment"] == texts
