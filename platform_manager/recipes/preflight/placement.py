"""Constraints and replicas against the hosts that take tasks."""

from collections.abc import Iterator, Mapping, Sequence

from platform_manager.recipes import constraints
from platform_manager.recipes.checks import Compose, dig
from platform_manager.recipes.facts import EnvironmentFacts, HostFacts
from platform_manager.recipes.problems import Path, dotted, listed

from .findings import Finding, error, warning
from .reading import service_ports, services

# Each is compared with each host.
MAX_CONSTRAINTS = 100
_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}


# The hosts that a service's constraints allow, by its name.
Fits = Mapping[str, Sequence[HostFacts]]


def inspect(value: Compose, facts: EnvironmentFacts, fits: Fits) -> Iterator[Finding]:
    if facts.hosts == []:
        message = "No host takes tasks now: all are down, paused or drained. Bring one back, or add a host."
        yield warning(("services",), message)
    for name, service in services(value).items():
        path: Path = ("services", name, "deploy")
        if dig(service, ("deploy", "replicas")) == 0:
            yield warning((*path, "replicas"), f"The service '{name}' has 0 replicas: it will not run.")
        yield from _constraints(service, path)
        if facts.hosts:
            yield from _fit(name, service, fits[name])


def fitting(value: Compose, facts: EnvironmentFacts) -> Fits:
    """Constraints that can't be read are told elsewhere; no hosts where none are known."""
    found = {}
    for name, service in services(value).items():
        wanted = _wanted(service)
        found[name] = [host for host in facts.hosts or () if all(_allows(one, host) for one in wanted)]
    return found


def _allows(constraint: constraints.Constraint, host: HostFacts) -> bool:
    # Not every source of facts knows the labels of engines; without them nothing is said.
    unknown = constraint.key.lower().startswith("engine.labels.") and not host.engine_labels
    return unknown or constraint.matches(host)


def tasks(service: Compose, hosts: int) -> int:
    """How many tasks it wants to run when ``hosts`` fit."""
    deploy = service.get("deploy") or {}
    if str(deploy.get("mode") or "").lower().startswith("global"):
        return hosts
    replicas = deploy.get("replicas")
    return replicas if isinstance(replicas, int) else 1


def most_on_a_host(service: Compose) -> int:
    """How many of its tasks may run on one host; 0 for any number."""
    most = dig(service, ("deploy", "placement", "max_replicas_per_node"))
    return most if isinstance(most, int) and most > 0 else 0


def host_ports(service: Compose) -> list[int]:
    """The ports that each of its tasks takes of its host."""
    return [port.published for _, port in service_ports(service) if port.mode == "host" and port.published]


def _texts(service: Compose) -> list[str]:
    return dig(service, ("deploy", "placement", "constraints")) or []


def _wanted(service: Compose) -> list[constraints.Constraint]:
    found = []
    for text in dict.fromkeys(_texts(service)[:MAX_CONSTRAINTS]):
        try:
            found.append(constraints.read_constraint(text))
        except ValueError:
            continue
    return found


def _constraints(service: Compose, path: Path) -> Iterator[Finding]:
    texts = _texts(service)
    if len(texts) > MAX_CONSTRAINTS:
        message = f"{dotted(path)}.placement has {len(texts)} constraints, at most {MAX_CONSTRAINTS} go. Use labels."
        yield error((*path, "placement", "constraints"), message)
    for index, text in enumerate(texts[:MAX_CONSTRAINTS]):
        place: Path = (*path, "placement", "constraints", index)
        try:
            wanted = constraints.read_constraint(text)
        except ValueError as problem:
            yield error(place, f"{dotted(place)}: {problem}.")
            continue
        if not constraints.known_key(wanted.key):
            label = wanted.key.removeprefix("node.")
            message = (
                f"{dotted(place)}: '{wanted.key}' matches no host ever. "
                f"Use node.labels.{label}, node.role or node.hostname."
            )
            yield warning(place, message)


def _fit(name: str, service: Compose, fits: Sequence[HostFacts]) -> Iterator[Finding]:
    path = ("services", name, "deploy", "placement")
    if not fits:
        yield warning((*path, "constraints"), _no_host(name, _wanted(service)))
        return
    count = tasks(service, len(fits))
    on_hosts = host_ports(service)
    if on_hosts and count > len(fits):
        message = (
            f"The service '{name}' takes port {on_hosts[0]} of its host, so {len(fits)} of its "
            f"{count} replicas can run: one on each fitting host. Add hosts, or lower the replicas."
        )
        yield warning(("services", name, "ports"), message)
    most = most_on_a_host(service)
    if most and count > most * len(fits):
        message = (
            f"The service '{name}' wants {count} replicas with at most {most} on a host, and {len(fits)} "
            f"host{'s fit' if len(fits) > 1 else ' fits'}: {count - most * len(fits)} would wait. "
            "Add hosts, or lower the replicas."
        )
        yield warning((*path, "max_replicas_per_node"), message)


def _no_host(name: str, wanted: Sequence[constraints.Constraint]) -> str:
    remedy = "Change the constraint, or give a host the label."
    for one in wanted:
        if one.key.lower() == "node.platform.arch" and one.value.lower() in _ARCHITECTURES:
            remedy = f"The swarm knows {one.value} as {_ARCHITECTURES[one.value.lower()]}: write that."
    return f"No host fits the service '{name}' ({listed(map(str, wanted))}): its tasks would wait. {remedy}"
