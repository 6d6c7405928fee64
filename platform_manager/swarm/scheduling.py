"""Why the swarm finds no host for a task: its words, made into a sentence that names what stands in the way."""

from __future__ import annotations

import re
from typing import Any

from .snapshot import mapping, number, part, sequence, text

NANO = 1_000_000_000
MIB = 2**20
# "scheduling constraints not satisfied on 3 nodes", "host-mode port already in use on 1 node", "2 nodes not available"
_ON_NODES = re.compile(r"^(?P<why>.*?) on (?P<count>\d+) nodes?$")
_NOT_AVAILABLE = re.compile(r"^(?P<count>\d+) nodes? not available for new tasks$")
CLAUSES = 10


def no_host(error: str, spec: object) -> str:
    """The sentence for a pending task's error; ``spec`` is its service's."""
    reason = error.partition("(")[2].removesuffix(")") or error
    clauses = [_clause(clause.strip(), spec) for clause in reason.split(";")[:CLAUSES]]
    return f"{', '.join(clause for clause in clauses if clause).rstrip('.')}."


def _clause(clause: str, spec: object) -> str:
    if found := _NOT_AVAILABLE.match(clause):
        return f"{_hosts(found['count'])} not available for new tasks (down, drained or paused)"
    found = _ON_NODES.match(clause)
    if found is None:
        return clause
    count = int(found["count"])
    words = _words(found["why"], spec, one=count == 1)
    return f"{count} host{'' if count == 1 else 's'} {words}" if words else clause


def _hosts(count: str) -> str:
    return "1 host is" if int(count) == 1 else f"{int(count)} hosts are"


def _words(why: str, spec: object, *, one: bool) -> str:
    """What follows after the number of hosts; "" for words of the swarm that are not known."""
    has, does = ("has", "does") if one else ("have", "do")
    template = part(spec, "TaskTemplate")
    if "constraint" in why:
        wanted = " and ".join(constraints(template))
        return f"{does} not meet the constraint {wanted}" if wanted else f"{does} not meet its constraints"
    if "insufficient resources" in why:
        wanted = reserved(template)
        return f"{has} not enough free for what it reserves{f' ({wanted})' if wanted else ''}"
    if "port already" in why:
        wanted = ", ".join(host_ports(spec))
        return f"{has} the port {wanted} in use already" if wanted else f"{has} its port in use already"
    if "unsupported platform" in why:
        return f"{has} another processor or system than the image is for"
    if "max replicas" in why:
        most = number(part(template, "Placement", "MaxReplicas"))
        return f"{has} as many of its tasks as it allows on one host{f' ({most})' if most else ''}"
    if "plugin" in why:
        return f"{'lacks' if one else 'lack'} a volume or network driver that it needs"
    return ""


def host_ports(spec: object) -> list[str]:
    """The ports that its tasks take on their own hosts."""
    ports = [mapping(port) for port in sequence(part(spec, "EndpointSpec", "Ports"))[:CLAUSES]]
    return [str(number(port.get("PublishedPort"))) for port in ports if port.get("PublishMode") == "host"]


def constraints(template: object) -> list[str]:
    return [text(item, 200) for item in sequence(part(template, "Placement", "Constraints"))[:CLAUSES]]


def reserved(template: object) -> str:
    """What a service reserves on a host, in words; "" for nothing."""
    wanted: dict[str, Any] = mapping(part(template, "Resources", "Reservations"))
    words = []
    if cpus := number(wanted.get("NanoCPUs")):
        words.append(f"{cpus / NANO:g} CPU{'' if cpus == NANO else 's'}")
    if memory := number(wanted.get("MemoryBytes")):
        words.append(f"{memory / MIB:.6g} MiB of memory")
    for item in sequence(wanted.get("GenericResources"))[:CLAUSES]:
        found = mapping(mapping(item).get("DiscreteResourceSpec") or mapping(item).get("NamedResourceSpec"))
        words.append(f"{text(str(found.get('Value', '')), 40)} {text(found.get('Kind'), 60)}".strip())
    return " and ".join(words)
