"""Published ports: of this stack, of what runs, and of the swarm itself."""

from collections.abc import Iterator

from platform_manager.recipes.checks import Compose, dig
from platform_manager.recipes.facts import EnvironmentFacts
from platform_manager.recipes.problems import Path
from platform_manager.recipes.shorthand import Port

from .findings import Finding, error, warning
from .reading import MAX_PORTS, service_ports, services

SWARM_PORTS = {(2377, "tcp"), (7946, "tcp"), (7946, "udp"), (4789, "udp")}
SSH = (22, "tcp")

Holder = tuple[str, str]


def inspect(value: Compose, facts: EnvironmentFacts) -> Iterator[Finding]:
    taken: dict[tuple[int, str], Holder] = {}
    for name, service in services(value).items():
        listed = service_ports(service)
        path: Path = ("services", name, "ports")
        if len(listed) > MAX_PORTS:
            message = f"The service '{name}' publishes more than {MAX_PORTS} ports. Publish only those that are called."
            yield error(path, message)
            continue
        for index, port in listed:
            if port.published:
                yield from _clash(name, (*path, index), port, facts, taken)
        if dig(service, ("deploy", "endpoint_mode")) == "dnsrr" and any(p.mode == "ingress" for _, p in listed):
            yield error(path, f"The service '{name}' has endpoint_mode dnsrr, so its ports need 'mode: host'.")


def _clash(
    name: str, path: Path, port: Port, facts: EnvironmentFacts, taken: dict[tuple[int, str], Holder]
) -> Iterator[Finding]:
    mark = (port.published, port.protocol)
    shown = f"{port.published}/{port.protocol}"
    if mark in SWARM_PORTS:
        message = f"Port {shown} is the swarm's own on every host: it would lose its hosts. Publish another port."
        yield error(path, message)
    elif mark == SSH:
        message = f"Port {shown} leads to a host's SSH server, which can't be reached any more. Publish another port."
        yield warning(path, message)
    if mark in facts.published_ports:
        yield error(path, f"Port {shown} is in use by '{facts.published_ports[mark]}'. Publish another port.")
    elif mark in facts.host_ports:
        yield _held_by_hosts(path, port, facts.host_ports[mark], shown)
    if mark in taken:
        yield _twice(name, path, port, taken[mark], shown)
    taken.setdefault(mark, (name, port.mode))


def _held_by_hosts(path: Path, port: Port, holder: str, shown: str) -> Finding:
    if port.mode == "host":
        message = (
            f"'{holder}' takes port {shown} of the hosts it runs on: tasks need other hosts, or wait. "
            "Publish another port if there are too few."
        )
        return warning(path, message)
    message = f"Port {shown} is in use by '{holder}' on its hosts, so the swarm can't publish it everywhere. "
    return error(path, f"{message}Publish another port.")


def _twice(name: str, path: Path, port: Port, holder: Holder, shown: str) -> Finding:
    if (holder[1], port.mode) == ("host", "host") and holder[0] != name:
        message = (
            f"'{holder[0]}' and '{name}' both take port {shown} of a host: no host can run both. "
            "Publish another port if there are too few hosts."
        )
        return warning(path, message)
    both = f"'{holder[0]}' and '{name}'" if holder[0] != name else f"'{name}' twice"
    return error(path, f"Port {shown} is published by {both}. Give one of them another port.")
