"""Reservations and limits: what the engine refuses, and what the hosts can't hold."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from platform_manager.recipes import amounts
from platform_manager.recipes.checks import Compose, dig
from platform_manager.recipes.facts import EnvironmentFacts, HostFacts
from platform_manager.recipes.problems import Path, dotted

from .findings import Finding, error, warning
from .placement import Fits, tasks
from .reading import services

# The least that the engine takes, for a limit and for a reservation.
LEAST_CPUS = 0.001
LEAST_MEMORY = 4 * 1024**2


@dataclass(frozen=True)
class Resource:
    """How one of the two is read, counted and said."""

    key: str
    least: float
    read: Callable[[object], float]
    words: Callable[[float], str]

    def of(self, service: Compose, kind: str) -> float:
        return self.read(dig(service, ("deploy", "resources", kind, self.key)))

    def on(self, host: HostFacts) -> float:
        return host.cpus if self.key == "cpus" else host.memory


RESOURCES = (
    Resource("cpus", LEAST_CPUS, amounts.cpus_of, amounts.cpu_words),
    Resource("memory", LEAST_MEMORY, amounts.bytes_of, amounts.byte_words),
)


def inspect(value: Compose, facts: EnvironmentFacts, fits: Fits) -> Iterator[Finding]:
    for resource in RESOURCES:
        hosts = [host for host in facts.hosts or () if resource.on(host)]
        known = len(hosts) == len(facts.hosts or ())
        total = 0.0
        for name, service in services(value).items():
            yield from _sizes(name, service, resource)
            if fits[name] and known:
                yield from _room(name, service, resource, fits[name])
                total += resource.of(service, "reservations") * tasks(service, len(fits[name]))
        if hosts and known:
            yield from _sum(resource, total, hosts)


def _sizes(name: str, service: Compose, resource: Resource) -> Iterator[Finding]:
    path: Path = ("services", name, "deploy", "resources")
    for kind in ("limits", "reservations"):
        size, place = resource.of(service, kind), (*path, kind, resource.key)
        if 0 < size < resource.least:
            message = f"{dotted(place)} is {resource.words(size)}; the engine takes {resource.words(resource.least)}"
            yield error(place, f"{message} or more. Raise it.")
    limit, reserved = resource.of(service, "limits"), resource.of(service, "reservations")
    if 0 < limit < reserved:
        message = (
            f"The service '{name}' reserves {resource.words(reserved)} and may use {resource.words(limit)} only: "
            "the rest lies idle. Raise the limit, or reserve less."
        )
        yield warning((*path, "limits", resource.key), message)


def _room(name: str, service: Compose, resource: Resource, fits: Sequence[HostFacts]) -> Iterator[Finding]:
    reserved = resource.of(service, "reservations")
    if not reserved:
        return
    path: Path = ("services", name, "deploy", "resources", "reservations", resource.key)
    largest = max(fits, key=resource.on)
    count, room = tasks(service, len(fits)), sum(int(resource.on(host) // reserved) for host in fits)
    if reserved > resource.on(largest):
        message = (
            f"A task of '{name}' reserves {resource.words(reserved)}; {largest.name}, the largest fitting host, has "
            f"{resource.words(resource.on(largest))}: it would wait. Reserve less, or add a larger host."
        )
        yield warning(path, message)
    elif room < count:
        message = (
            f"The service '{name}' reserves {resource.words(reserved)} for each of its {count} tasks; the fitting "
            f"hosts have room for {room}: the others would wait. Reserve less, or add hosts."
        )
        yield warning(path, message)


def _sum(resource: Resource, total: float, hosts: Sequence[HostFacts]) -> Iterator[Finding]:
    there = sum(resource.on(host) for host in hosts)
    if total > there:
        message = (
            f"All services together reserve {resource.words(total)}, and all hosts together have "
            f"{resource.words(there)}: some tasks would wait. Reserve less, or add hosts."
        )
        yield warning(("services",), message)
