"""A swarm's nodes, services, tasks, networks and volumes as flat records, from the Engine API's answers.

The answers come from hosts, which are not trusted: every field is read by type and cut to a sane length, and what
is missing becomes an empty value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

STACK_LABEL = "com.docker.stack.namespace"
MTU_OPTION = "com.docker.network.driver.mtu"
TEXT_CAP = 4_000
FAILED = ("failed", "rejected", "orphaned")
ENDED = (*FAILED, "complete", "shutdown", "remove")
# A new leader calls every node "unknown" until that has reported to it, some 15 seconds; a lost one is "down" then.
ANSWERING = ("ready", "unknown")

Json = Mapping[str, Any]
Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Node:
    """One swarm node. ``cpus`` is a number of cores, ``memory`` bytes."""

    id: str
    hostname: str
    role: str
    availability: str
    state: str
    leader: bool
    reachability: str
    address: str
    engine_version: str
    cpus: float
    memory: int
    message: str
    version: int
    labels: dict[str, str]
    arch: str

    @property
    def answers(self) -> bool:
        """False for a node that the swarm has given up."""
        return self.state in ANSWERING


@dataclass(frozen=True, slots=True)
class Service:
    """One service; ``desired`` and ``running`` count tasks, ``networks`` are ids, or names where it was made so.

    ``aliases`` are its other names there, beside the short one.
    """

    id: str
    name: str
    stack: str
    mode: str
    desired: int
    running: int
    image: str
    ports: list[str]
    update_state: str
    update_message: str
    created_at: str
    updated_at: str
    constraints: list[str]
    networks: list[str]
    aliases: list[str]


@dataclass(frozen=True, slots=True)
class Task:
    """One task; ``error`` is the engine's full text and ``exit_code`` None until the container ended.

    ``cpus`` (cores) and ``memory`` (bytes) are what it reserves on its host.
    """

    id: str
    name: str
    service_id: str
    service: str
    stack: str
    slot: int
    node_id: str
    container_id: str
    state: str
    desired_state: str
    error: str
    message: str
    exit_code: int | None
    at: str
    image: str
    tty: bool
    cpus: float = 0.0
    memory: int = 0


@dataclass(frozen=True, slots=True)
class Network:
    """One network of the swarm, or with the scope ``local`` one of the manager alone."""

    id: str
    name: str
    driver: str
    attachable: bool
    internal: bool
    ingress: bool
    mtu: int
    subnets: list[str]
    stack: str
    scope: str = "swarm"


@dataclass(frozen=True, slots=True)
class Volume:
    name: str
    driver: str
    node_id: str
    stack: str


def text(value: object, cap: int = TEXT_CAP) -> str:
    return value[:cap] if isinstance(value, str) else ""


def number(value: object) -> int:
    """A whole number within 64 bits; 0 for anything else, such as the Infinity that JSON parsers let pass."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 2**63:
        return 0
    return int(value)


def part(value: object, *path: str) -> Any:
    """The value under a path of keys, or None where one is missing or not an object."""
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def stack_of(labels: object) -> str:
    """The stack that these labels name; "" also for what the CLI names no stack, and no address can hold."""
    name = text(part(labels, STACK_LABEL), 255)
    return "" if "/" in name or name in (".", "..") else name


def ident(value: object) -> str:
    """An id that an address can hold, whatever a host says."""
    return text(value, 64).replace("/", "_") or "-"


def mapping(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def sequence(value: object) -> list[Any]:
    return list(value) if isinstance(value, list) else []


def answers(node: Json) -> bool:
    """:attr:`Node.answers` of one element of ``GET /nodes``."""
    return part(node, "Status", "State") in ANSWERING


def node(answer: Json) -> Node:
    """From one element of ``GET /nodes``."""
    resources = mapping(part(answer, "Description", "Resources"))
    labels = mapping(part(answer, "Spec", "Labels"))
    return Node(
        id=text(answer.get("ID"), 64),
        hostname=text(part(answer, "Description", "Hostname"), 255),
        role=text(part(answer, "Spec", "Role"), 20),
        availability=text(part(answer, "Spec", "Availability"), 20),
        state=text(part(answer, "Status", "State"), 20),
        leader=part(answer, "ManagerStatus", "Leader") is True,
        reachability=text(part(answer, "ManagerStatus", "Reachability"), 20),
        address=text(part(answer, "Status", "Addr"), 64),
        engine_version=text(part(answer, "Description", "Engine", "EngineVersion"), 40),
        cpus=number(resources.get("NanoCPUs")) / 1e9,
        memory=number(resources.get("MemoryBytes")),
        message=text(part(answer, "Status", "Message")),
        version=number(part(answer, "Version", "Index")),
        labels={text(key, 200): text(value, 200) for key, value in labels.items()},
        arch=text(part(answer, "Description", "Platform", "Architecture"), 20),
    )


def image_of(spec: object) -> str:
    """The image of a container spec, without the digest the engine resolved."""
    return text(part(spec, "ContainerSpec", "Image"), 500).split("@sha256:")[0]


def _ports(answer: Json) -> list[str]:
    found = []
    for port in sequence(part(answer, "Endpoint", "Ports"))[:200]:
        published, target = number(part(port, "PublishedPort")), number(part(port, "TargetPort"))
        protocol, mode = text(part(port, "Protocol"), 8) or "tcp", text(part(port, "PublishMode"), 10)
        shown = f"{published}:{target}/{protocol}" if published else f"{target}/{protocol}"
        found.append(f"{shown} on the host" if mode == "host" else shown)
    return found


def service(answer: Json, tasks: Iterable[Task], node_ids: set[str]) -> Service:
    """From one element of ``GET /services`` and the tasks of it; ``node_ids`` are the nodes that answer."""
    mode = mapping(part(answer, "Spec", "Mode"))
    kind = next(iter(mode), "Replicated").lower()
    wanted = [task for task in tasks if task.desired_state == "running"]
    running = sum(task.state == "running" and task.node_id in node_ids for task in wanted)
    replicas = part(answer, "Spec", "Mode", "Replicated", "Replicas")
    attached = sequence(part(answer, "Spec", "TaskTemplate", "Networks"))[:100]
    return Service(
        id=ident(answer.get("ID")),
        name=text(part(answer, "Spec", "Name"), 255),
        stack=stack_of(part(answer, "Spec", "Labels")),
        mode=kind,
        desired=number(replicas) if kind == "replicated" else len(wanted),
        running=running,
        image=image_of(part(answer, "Spec", "TaskTemplate")),
        ports=_ports(answer),
        update_state=text(part(answer, "UpdateStatus", "State"), 40),
        update_message=text(part(answer, "UpdateStatus", "Message")),
        created_at=text(answer.get("CreatedAt"), 40),
        updated_at=text(answer.get("UpdatedAt"), 40),
        constraints=[text(c, 300) for c in sequence(part(answer, "Spec", "TaskTemplate", "Placement", "Constraints"))],
        networks=[name for one in attached if (name := text(part(one, "Target"), 255))],
        aliases=sorted({text(name, 255) for one in attached for name in sequence(part(one, "Aliases"))[:50]} - {""}),
    )


def task(answer: Json, service_name: str, stack: str) -> Task:
    """From one element of ``GET /tasks``."""
    slot = number(answer.get("Slot"))
    node_id = text(answer.get("NodeID"), 64)
    state = text(part(answer, "Status", "State"), 20)
    # Engines give 0 or -1 for a container that still runs.
    exit_code = part(answer, "Status", "ContainerStatus", "ExitCode") if state in ENDED else None
    return Task(
        id=ident(answer.get("ID")),
        name=f"{service_name}.{slot or node_id[:8]}",
        service_id=ident(answer.get("ServiceID")),
        service=service_name,
        stack=stack,
        slot=slot,
        node_id=node_id,
        container_id=text(part(answer, "Status", "ContainerStatus", "ContainerID"), 64),
        state=state,
        desired_state=text(answer.get("DesiredState"), 20),
        error=text(part(answer, "Status", "Err")),
        message=text(part(answer, "Status", "Message"), 500),
        exit_code=exit_code if isinstance(exit_code, int) else None,
        at=text(part(answer, "Status", "Timestamp"), 40),
        image=image_of(answer.get("Spec")),
        tty=part(answer, "Spec", "ContainerSpec", "TTY") is True,
        cpus=number(part(answer, "Spec", "Resources", "Reservations", "NanoCPUs")) / 1e9,
        memory=number(part(answer, "Spec", "Resources", "Reservations", "MemoryBytes")),
    )


def network(answer: Json) -> Network:
    """From one element of ``GET /networks``."""
    options = mapping(answer.get("Options"))
    mtu = text(options.get(MTU_OPTION), 8)
    return Network(
        id=text(answer.get("Id"), 64),
        name=text(answer.get("Name"), 255),
        driver=text(answer.get("Driver"), 40),
        attachable=answer.get("Attachable") is True,
        internal=answer.get("Internal") is True,
        ingress=answer.get("Ingress") is True,
        mtu=int(mtu) if mtu.isascii() and mtu.isdecimal() else 0,
        subnets=[text(part(c, "Subnet"), 50) for c in sequence(part(answer, "IPAM", "Config"))],
        stack=stack_of(answer.get("Labels")),
        scope=text(answer.get("Scope"), 20),
    )


def volume(answer: Json, node_id: str) -> Volume:
    """From one element of the ``Volumes`` of ``GET /volumes`` of one node."""
    return Volume(
        name=text(answer.get("Name"), 255),
        driver=text(answer.get("Driver"), 60),
        node_id=node_id,
        stack=stack_of(answer.get("Labels")),
    )


def dump(records: Iterable[Any]) -> str:
    """Flat records of one kind as a JSON list."""
    return json.dumps([_flat(record) for record in records], separators=(",", ":"))


@cache
def _reader(kind: type[Any]) -> tuple[tuple[str, ...], attrgetter[Any]]:
    names = tuple(field.name for field in fields(kind))
    return names, attrgetter(*names)


def _flat(record: Any) -> dict[str, Any]:
    """What ``asdict`` gives for a flat record, four times as fast: there may be thousands a second."""
    names, read = _reader(type(record))  # type: ignore[arg-type]  # a class is hashable
    return dict(zip(names, read(record), strict=True))


def owners(answers: Iterable[object]) -> str:
    """Secrets or configs of the swarm by name, each with its stack ("" for none), as a JSON object."""
    specs = [part(one, "Spec") for one in answers]
    found = {text(part(one, "Name"), 255): stack_of(part(one, "Labels")) for one in specs}
    found.pop("", None)
    return json.dumps(dict(sorted(found.items())), separators=(",", ":"))


def load_owners(body: str) -> dict[str, str | None]:
    """What :func:`owners` wrote; an older release kept names alone, whose stacks are not known."""
    found = json.loads(body or "[]")
    return found if isinstance(found, dict) else dict.fromkeys(found)


def load(kind: Callable[..., Record], body: str) -> list[Record]:
    """The records that :func:`dump` wrote; fields a newer or older release does not know are left out or empty."""
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    loaded = []
    for row in json.loads(body or "[]"):
        try:
            loaded.append(kind(**row))
        except TypeError:
            loaded.append(kind(**{name: row.get(name, "") for name in known}))
    return loaded
