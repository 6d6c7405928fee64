"""The compose 3.x structure the Docker CLI accepts, version by version.

A field that came later than 3.0 is wrapped in :class:`Since`. The vocabulary is the little that compose
needs: scalars, lists, mappings and a choice between shapes of different JSON types.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

OLDEST, NEWEST = 0, 13


@dataclass(frozen=True)
class Scalar:
    types: tuple[str, ...]
    format: str = ""
    choices: tuple[str, ...] = ()
    minimum: int | None = None


@dataclass(frozen=True)
class ListOf:
    item: "Shape"
    unique: bool = False


@dataclass(frozen=True)
class Fields:
    """Known keys; ``open`` lets any other through, ``x_since`` the ``x-`` ones from that version on."""

    known: "Mapping[str, Shape | Since]"
    required: tuple[str, ...] = ()
    open: bool = False
    x_since: int | None = None


@dataclass(frozen=True)
class MapOf:
    """Keys of the user's choice; ``names`` is a pattern they must fit, unless ``lenient``."""

    value: "Shape"
    names: str = ".+"
    lenient: bool = False


@dataclass(frozen=True)
class AnyOf:
    """Shapes told apart by their JSON type."""

    shapes: tuple["Shape", ...]


@dataclass(frozen=True)
class Since:
    minor: int
    shape: "Shape"
    before: "Shape | None" = field(default=None)


Shape: TypeAlias = Scalar | ListOf | Fields | MapOf | AnyOf

NAMES = r"[a-zA-Z0-9._-]+"
TEXT = Scalar(("string",))
INTEGER = Scalar(("integer",))
NUMBER = Scalar(("number",))
BOOLEAN = Scalar(("boolean",))
NOTHING = Scalar(("null",))
DURATION = Scalar(("string",), format="duration")
TEXT_OR_NUMBER = Scalar(("string", "number"))
TEXTS = ListOf(TEXT)
SET = ListOf(TEXT, unique=True)
TEXT_OR_LIST = AnyOf((TEXT, TEXTS))
TEXT_OR_SET = AnyOf((TEXT, SET))
LIST_OR_MAP = AnyOf((MapOf(Scalar(("string", "number", "null"))), SET))
OPTIONS = MapOf(TEXT_OR_NUMBER, lenient=True)
EXTERNAL = AnyOf((BOOLEAN, Fields({"name": TEXT})))
LOOSE_EXTERNAL = AnyOf((BOOLEAN, Fields({"name": TEXT}, open=True)))

_BUILD: Mapping[str, "Shape | Since"] = {
    "context": TEXT,
    "dockerfile": TEXT,
    "args": LIST_OR_MAP,
    "cache_from": Since(2, SET),
    "labels": Since(3, LIST_OR_MAP),
    "network": Since(4, TEXT),
    "target": Since(4, TEXT),
    "shm_size": Since(5, Scalar(("integer", "string"))),
    "extra_hosts": Since(9, LIST_OR_MAP),
}
BUILD = AnyOf((TEXT, Fields(_BUILD)))
BUILD_OPEN = AnyOf((TEXT, Fields(_BUILD, open=True)))

FILE_REFERENCES = ListOf(
    AnyOf(
        (
            TEXT,
            Fields({"source": TEXT, "target": TEXT, "uid": TEXT, "gid": TEXT, "mode": NUMBER}, open=True),
        )
    )
)

HEALTHCHECK = Fields(
    {
        "disable": BOOLEAN,
        "interval": Since(4, DURATION, before=TEXT),
        "retries": NUMBER,
        "test": TEXT_OR_LIST,
        "timeout": Since(4, DURATION, before=TEXT),
        "start_period": Since(4, DURATION),
        "start_interval": Since(12, DURATION),
    }
)

ROLLING: Mapping[str, "Shape | Since"] = {
    "parallelism": INTEGER,
    "delay": DURATION,
    "failure_action": TEXT,
    "monitor": DURATION,
    "max_failure_ratio": NUMBER,
    "order": Since(4, Scalar(("string",), choices=("start-first", "stop-first"))),
}
GENERIC_RESOURCES = ListOf(Fields({"discrete_resource_spec": Fields({"kind": TEXT, "value": NUMBER})}))
DEPLOY = Fields(
    {
        "mode": TEXT,
        "endpoint_mode": Since(2, TEXT),
        "replicas": INTEGER,
        "labels": LIST_OR_MAP,
        "update_config": Fields(ROLLING),
        "rollback_config": Since(7, Fields(ROLLING)),
        "resources": Fields(
            {
                "limits": Fields({"cpus": TEXT, "memory": TEXT, "pids": Since(9, INTEGER)}),
                "reservations": Fields(
                    {"cpus": TEXT, "memory": TEXT, "generic_resources": Since(5, GENERIC_RESOURCES)}
                ),
            }
        ),
        "restart_policy": Fields({"condition": TEXT, "delay": DURATION, "max_attempts": INTEGER, "window": DURATION}),
        "placement": Fields(
            {
                "constraints": TEXTS,
                "preferences": Since(3, ListOf(Fields({"spread": TEXT}))),
                "max_replicas_per_node": Since(8, INTEGER),
            }
        ),
    }
)

SHORT_PORT = Scalar(("number", "string"), format="ports")
PORTS = ListOf(
    AnyOf((SHORT_PORT, Fields({"mode": TEXT, "target": INTEGER, "published": INTEGER, "protocol": TEXT}))),
    unique=True,
)
VOLUMES = ListOf(
    AnyOf(
        (
            TEXT,
            Fields(
                {
                    "type": TEXT,
                    "source": TEXT,
                    "target": TEXT,
                    "read_only": BOOLEAN,
                    "consistency": TEXT,
                    "bind": Fields({"propagation": TEXT}, open=True),
                    "volume": Fields({"nocopy": BOOLEAN}, open=True),
                    "tmpfs": Since(6, Fields({"size": Scalar(("integer",), minimum=0)}, open=True)),
                },
                required=("type",),
            ),
        )
    )
)
ATTACHMENT = AnyOf(
    (
        NOTHING,
        Fields({"aliases": SET, "driver_opts": Since(13, OPTIONS), "ipv4_address": TEXT, "ipv6_address": TEXT}),
    )
)
ULIMIT = AnyOf((INTEGER, Fields({"hard": INTEGER, "soft": INTEGER}, required=("soft", "hard"))))

SERVICE = Fields(
    {
        "deploy": AnyOf((NOTHING, DEPLOY)),
        "build": Since(11, BUILD_OPEN, before=BUILD),
        "cap_add": SET,
        "cap_drop": SET,
        "cgroupns_mode": Since(9, TEXT),
        "cgroup_parent": TEXT,
        "command": TEXT_OR_LIST,
        "configs": Since(3, FILE_REFERENCES),
        "container_name": TEXT,
        "credential_spec": Since(3, Fields({"config": Since(8, TEXT), "file": TEXT, "registry": TEXT})),
        "depends_on": SET,
        "devices": SET,
        "dns": TEXT_OR_SET,
        "dns_search": TEXT_OR_SET,
        "domainname": TEXT,
        "entrypoint": TEXT_OR_LIST,
        "env_file": TEXT_OR_SET,
        "environment": LIST_OR_MAP,
        "expose": ListOf(TEXT_OR_NUMBER, unique=True),
        "external_links": SET,
        "extra_hosts": LIST_OR_MAP,
        "healthcheck": HEALTHCHECK,
        "hostname": TEXT,
        "image": TEXT,
        "init": Since(7, BOOLEAN),
        "ipc": TEXT,
        "isolation": Since(5, TEXT),
        "labels": LIST_OR_MAP,
        "links": SET,
        "logging": Fields({"driver": TEXT, "options": MapOf(Scalar(("string", "number", "null")), lenient=True)}),
        "mac_address": TEXT,
        "network_mode": TEXT,
        "networks": AnyOf((SET, MapOf(ATTACHMENT, names=NAMES))),
        "oom_score_adj": Since(13, INTEGER),
        "pid": Scalar(("string", "null")),
        "ports": Since(2, PORTS, before=ListOf(SHORT_PORT, unique=True)),
        "privileged": BOOLEAN,
        "read_only": BOOLEAN,
        "restart": TEXT,
        "security_opt": SET,
        "secrets": Since(1, FILE_REFERENCES),
        "shm_size": TEXT_OR_NUMBER,
        "stdin_open": BOOLEAN,
        "stop_grace_period": DURATION,
        "stop_signal": TEXT,
        "sysctls": LIST_OR_MAP,
        "tmpfs": TEXT_OR_SET,
        "tty": BOOLEAN,
        "ulimits": MapOf(ULIMIT, names="[a-z]+", lenient=True),
        "user": TEXT,
        "userns_mode": TEXT,
        "volumes": Since(2, VOLUMES, before=SET),
        "working_dir": TEXT,
    },
    x_since=7,
)

NETWORK = Fields(
    {
        "name": Since(5, TEXT),
        "driver": TEXT,
        "driver_opts": OPTIONS,
        "ipam": Fields({"driver": TEXT, "config": ListOf(Fields({"subnet": TEXT}))}),
        "external": EXTERNAL,
        "internal": BOOLEAN,
        "attachable": Since(2, BOOLEAN),
        "labels": LIST_OR_MAP,
    },
    x_since=7,
)
VOLUME = Fields(
    {
        "name": Since(4, TEXT),
        "driver": TEXT,
        "driver_opts": OPTIONS,
        "external": EXTERNAL,
        "labels": LIST_OR_MAP,
    },
    x_since=7,
)
CONFIG = Fields(
    {
        "name": Since(5, TEXT),
        "file": TEXT,
        "external": LOOSE_EXTERNAL,
        "labels": LIST_OR_MAP,
        "template_driver": Since(8, TEXT),
    },
    x_since=7,
)
SECRET = Fields(
    {**CONFIG.known, "driver": Since(8, TEXT), "driver_opts": Since(8, OPTIONS)},
    x_since=7,
)

COMPOSE = Fields(
    {
        "version": TEXT,
        "services": MapOf(SERVICE, names=NAMES),
        "networks": MapOf(AnyOf((NOTHING, NETWORK)), names=NAMES, lenient=True),
        "volumes": MapOf(AnyOf((NOTHING, VOLUME)), names=NAMES),
        "secrets": Since(1, MapOf(SECRET, names=NAMES)),
        "configs": Since(3, MapOf(CONFIG, names=NAMES)),
    },
    x_since=4,
)
