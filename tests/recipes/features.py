"""A small recipe for each feature that recipes in the wild use, with what the platform says to it.

All services run one image, so that each accepted recipe can be deployed to a real swarm that has it, the
network ``frontend``, the secret ``token.txt`` and the config ``other``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

IMAGE = "127.0.0.1:1/whoami:1"
NETWORKS = {"frontend"}
SECRETS = {"token.txt"}
CONFIGS = {"other"}
FILES = {"conf/app.json": b'{"a": 1}\n', "web.env": b"FROM_FILE=1\nEMPTY=\n"}


@dataclass(frozen=True)
class Feature:
    """``says`` is the worst that the preview finds: "", "warning", "danger" or "error"; ``words`` are in it.

    ``early``: we refuse what the CLI would find out half way, or on the swarm only.
    """

    text: str
    says: str = ""
    words: str = ""
    early: bool = False
    answers: Mapping[str, str] = field(default_factory=dict)
    stack: str = "shop"


def service(*lines: str, head: str = "", tail: str = "", version: str = "3.8") -> str:
    """A file with one service, ``lines`` being its keys beside the image."""
    body = "".join(f"    {line}\n" for line in lines)
    return f"version: '{version}'\n{head}services:\n  web:\n    image: {IMAGE}\n{body}{tail}"


def deploy(*lines: str) -> str:
    return service("deploy:", *(f"  {line}" for line in lines))


SUBSTITUTION = {
    "default when unset or empty": Feature(service("labels: ['a=${A:-x}']")),
    "plain": Feature(service("labels: ['a=${A}', 'b=$A']"), answers={"A": "x"}),
    "plain without an answer": Feature(service("labels: ['a=${A}']"), "warning", "A has no value"),
    "default when unset": Feature(service("labels: ['a=${A-x}']")),
    "required when unset": Feature(service("labels: ['a=${A?say who}']"), "error", "A must be given: say who"),
    "required when empty": Feature(service("labels: ['a=${A:?say who}']"), "error", "A must be given: say who"),
    "required and given": Feature(service("labels: ['a=${A:?say who}']"), answers={"A": "x"}),
    "escaped dollar": Feature(service("command: ['sh', '-c', 'echo $$HOME $${A}']")),
    "stray dollar": Feature(service("labels: ['a=$(pwd)']"), "error", "Write '$$'"),
    "default with quotes": Feature(service("""labels: ['a=${A:-"x"}']""")),
    "default with a space": Feature(service("labels: ['a=${A:-two words}']")),
    "default with a colon": Feature(service("labels: ['a=${A:-http://h:80/p}']")),
    "answer with everything": Feature(service("labels: ['a=${A}']"), answers={"A": "é\n\t\"'$B #: {{.X}}"}),
    "cast to a number": Feature(deploy("replicas: ${N:-2}")),
    "cast of a word": Feature(deploy("replicas: ${N:-many}"), "error", "a whole number"),
    "cast to a boolean": Feature(service("tty: ${TTY:-yes}")),
    "interpolated port": Feature(service("ports: ['${PORT:-18099}:80']")),
    "interpolated port without an answer": Feature(service("ports: ['${PORT}:80']"), "warning", "PORT has no value"),
    "interpolated volume source": Feature(service("volumes: ['${V:-data}:/data']", tail="volumes: {data: }\n")),
    "interpolated external network": Feature(
        service("networks: [n]", tail="networks: {n: {external: {name: '${NET:-frontend}'}}}\n")
    ),
    "variable as version": Feature(service(version="${V:-3.8}"), "error", "can't come from a variable"),
}

TEXT = {
    "swarm template": Feature(service("hostname: '{{.Node.Hostname}}-{{.Task.Slot}}'")),
    "extension, anchor and merge": Feature(
        service(
            "<<: *common",
            "labels: {<<: *labels, b: c}",
            head="x-labels: &labels {a: b}\nx-common: &common {tty: true}\n",
        )
    ),
    "extension of an old version": Feature(service(head="x-a: 1\n", version="3.3"), "error", "3.4"),
    "environment list": Feature(service("environment: ['A=1', 'B=', BARE]")),
    "environment map": Feature(service("environment: {A: 1, B: x, C: }")),
    "environment boolean": Feature(service("environment: {A: true}"), "error", "Put it in quotes: 'true'"),
    "quotes in an environment list": Feature(service("""environment: ['A="x"']""")),
    "second equals sign": Feature(service("environment: ['A=b=c']")),
    "env_file": Feature(service("env_file: [./web.env]"), answers={"EMPTY": "filled"}),
    "env_file that is missing": Feature(service("env_file: [none.env]"), "error", "no file 'none.env'", early=False),
    "command as text": Feature(service("""command: --name "two words" -v""")),
    "command as list": Feature(service("command: ['--port', '80']")),
    "words that look like others": Feature(service("labels: {a: yes, b: 22:22, c: '0x1', d: 1e3, e: 0777}")),
    "date without quotes": Feature(service("labels: {a: 2001-01-01}"), "warning", "Put it in quotes"),
}

OBJECTS = {
    "external network": Feature(service("networks: [frontend]", tail="networks: {frontend: {external: true}}\n")),
    "external network by name": Feature(service("networks: [n]", tail="networks: {n: {external: {name: frontend}}}\n")),
    "external network that is missing": Feature(
        service("networks: [n]", tail="networks: {n: {external: true, name: gone}}\n"), "error", "'gone'", early=True
    ),
    "network with a name": Feature(service("networks: [n]", tail="networks: {n: {name: shop-net}}\n")),
    "attachable network": Feature(service("networks: [n]", tail="networks: {n: {attachable: true}}\n")),
    "network with an MTU": Feature(
        service(tail="networks: {default: {driver_opts: {com.docker.network.driver.mtu: '${DOCKER_MTU:-1400}'}}}\n")
    ),
    "network without options": Feature(service(tail="networks: {default: {driver_opts: }}\n"), "error", "driver_opts"),
    "network aliases": Feature(service("networks: {n: {aliases: [www]}}", tail="networks: {n: }\n")),
    "socket of the engine": Feature(
        service("volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro']"), "danger", "the Docker socket"
    ),
    "image mount without a source": Feature(
        service("volumes: [{type: image, target: /data}]"), "error", "an image needs a source", early=True
    ),
    "undeclared cluster volume": Feature(
        service("volumes: [{type: cluster, source: data, target: /data}]"), "error", "does not declare", early=True
    ),
    "relative bind": Feature(service("volumes: ['./data:/data']"), "error", "hosts do not have", early=True),
    "long volumes": Feature(
        service(
            "volumes:",
            "  - {type: volume, source: data, target: /data, read_only: true, volume: {nocopy: true}}",
            "  - {type: tmpfs, target: /run, tmpfs: {size: 1000000}}",
            tail="volumes: {data: {labels: {a: b}}}\n",
        )
    ),
    "external volume": Feature(
        service("volumes: ['data:/data']", tail="volumes: {data: {external: true}}\n"), "warning", "does not exist yet"
    ),
    "external volume with a driver": Feature(
        service("volumes: ['data:/data']", tail="volumes: {data: {external: true, driver: local}}\n"),
        "error",
        "'driver'",
    ),
    "config of a file": Feature(service("configs: [app]", tail="configs: {app: {file: ./conf/app.json}}\n")),
    "config in the long form": Feature(
        service(
            "configs: [{source: app, target: /etc/app.json, uid: '1', gid: '1', mode: 0440}]",
            tail="configs: {app: {file: conf/app.json}}\n",
        )
    ),
    "external config": Feature(service("configs: [other]", tail="configs: {other: {external: true}}\n")),
    "config with its content": Feature(
        service("configs: [app]", tail="configs: {app: {content: hello}}\n"), "error", "put the text in a file"
    ),
    "config outside": Feature(
        service("configs: [app]", tail="configs: {app: {file: /etc/hostname}}\n"), "error", "outside", early=True
    ),
    "secret of a file": Feature(service("secrets: [s]", tail="secrets: {s: {file: ./conf/app.json}}\n")),
    "external secret with a dot": Feature(
        service("secrets: [token.txt]", tail="secrets: {token.txt: {external: true}}\n")
    ),
    "secret in the long form": Feature(
        service(
            "secrets: [{source: s, target: pass, mode: 0400}]",
            tail="secrets: {s: {external: true, name: token.txt}}\n",
        )
    ),
}

PORTS = {
    "short port": Feature(service("ports: ['18098:80', 8000]")),
    "udp": Feature(service("ports: ['18097:53/udp']")),
    "range": Feature(service("ports: ['18090-18092:90-92']")),
    "long port": Feature(service("ports: [{target: 80, published: 18096, protocol: tcp}]")),
    "host mode": Feature(service("ports: [{target: 80, published: 18095, mode: host}]")),
    "published as text": Feature(service("ports: [{target: 80, published: '8082'}]"), "error", "Remove the quotes"),
    "dnsrr with a port": Feature(
        service("ports: ['18094:80']", "deploy: {endpoint_mode: dnsrr}"), "error", "mode: host", early=True
    ),
}

DEPLOY = {
    "deploy labels": Feature(deploy("labels: ['traefik.enable=true', 'rule=Host(`a`)']")),
    "resources": Feature(
        deploy("resources: {limits: {cpus: '0.50', memory: 50M}, reservations: {cpus: '0.01', memory: 4m}}")
    ),
    "cpus as a number": Feature(deploy("resources: {limits: {cpus: 0.5}}"), "error", "'0.5'"),
    "restart policy": Feature(
        deploy("restart_policy: {condition: on-failure, delay: 5s, max_attempts: 3, window: 60s}")
    ),
    "global": Feature(deploy("mode: global")),
    "mode in capitals": Feature(deploy("mode: Global"), "error", "can't be 'Global'", early=True),
    "number by its tag": Feature(deploy("replicas: !!int '2'")),
    "global with replicas": Feature(deploy("mode: global", "replicas: 2"), "error", "every host", early=True),
    "placement": Feature(
        deploy("placement: {constraints: ['node.role == manager'], preferences: [{spread: node.labels.zone}]}")
    ),
    "placement that fits nowhere": Feature(
        deploy("placement: {constraints: ['node.labels.a == b']}"), "warning", "No host"
    ),
    "replicas": Feature(deploy("replicas: 2")),
    "no replicas": Feature(deploy("replicas: 0"), "warning", "will not run"),
    "update config": Feature(
        deploy(
            "update_config: {parallelism: 1, delay: 1s, failure_action: rollback, max_failure_ratio: 0.5}",
            "rollback_config: {parallelism: 0, order: stop-first}",
        )
    ),
    "endpoint mode": Feature(deploy("endpoint_mode: dnsrr")),
}

SERVICE = {
    "healthcheck": Feature(
        service("healthcheck: {test: ['CMD', 'true'], interval: 30s, timeout: 5s, retries: 3, start_period: 10s}")
    ),
    "healthcheck disabled": Feature(service("healthcheck: {disable: true}")),
    "capabilities": Feature(service("cap_add: [NET_ADMIN]"), "danger", "NET_ADMIN"),
    "ulimits": Feature(service("ulimits: {nofile: {soft: 1024, hard: 2048}, nproc: 512}")),
    "init": Feature(service("init: true")),
    "init in an old version": Feature(service("init: true", version="3.3"), "error", "3.7"),
    "logging": Feature(service("logging: {driver: json-file, options: {max-size: 10m, max-file: '3'}}")),
    "sysctls": Feature(service("sysctls: [net.core.somaxconn=1024]")),
    "extra hosts": Feature(service("extra_hosts: ['db:10.0.0.1']")),
    "user and folder": Feature(service("user: '1000:1000'", "working_dir: /tmp", "stop_signal: SIGTERM")),
    "depends_on": Feature(service("depends_on: [elsewhere]"), "warning", "depends_on has no effect"),
    "depends_on as a map": Feature(service("depends_on: {db: {condition: service_healthy}}"), "error", "a list"),
    "restart": Feature(service("restart: always"), "warning", "restart"),
    "container_name": Feature(service("container_name: web"), "warning", "container_name has no effect"),
    "network_mode": Feature(service("network_mode: host"), "warning", "network_mode has no effect"),
    "build": Feature(service("build: ."), "warning", "build has no effect"),
    "devices": Feature(service("devices: ['/dev/null:/dev/null']"), "warning", "devices has no effect"),
    "tmpfs": Feature(service("tmpfs: /run"), "warning", "tmpfs has no effect"),
    "privileged": Feature(service("privileged: true"), "danger", "privileged"),
    "mem_limit": Feature(service("mem_limit: 5m"), "error", "deploy.resources"),
    "extends": Feature(service("extends: {service: b}"), "error", "anchor"),
    "volumes_from": Feature(service("volumes_from: [b]"), "error", "named volume"),
    "profiles": Feature(service("profiles: [a]"), "error", "all services"),
    "platform": Feature(service("platform: linux/amd64"), "error", "node.platform.arch"),
}

FILE = {
    "no version": Feature(service().partition("\n")[2]),
    "version 3": Feature(service(version="3")),
    "version 2": Feature(service(version="2.1"), "error", "version 2.1"),
    "version 1": Feature(f"web:\n  image: {IMAGE}\n", "error", "version 1"),
    "name of the project": Feature(service(head="name: shop\n"), "error", "'name'"),
    "include": Feature(service(head="include: [b.yml]\n"), "error", "'include'"),
    "stack name of capitals": Feature(service(), "error", "lower", early=True, stack="Shop_1"),
    "long service name": Feature(service().replace("web:", f"{'w' * 60}:"), "error", "63", early=True),
}

FEATURES = {
    f"{group}: {name}": feature
    for group, features in {
        "substitution": SUBSTITUTION,
        "text": TEXT,
        "objects": OBJECTS,
        "ports": PORTS,
        "deploy": DEPLOY,
        "service": SERVICE,
        "file": FILE,
    }.items()
    for name, feature in features.items()
}
