"""Reservations and limits: what the engine refuses, and what the hosts can't hold beside what runs there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from platform_manager.recipes.checks import Compose
from platform_manager.recipes.facts import EnvironmentFacts, HostFacts
from platform_manager.recipes.problems import Path, dotted, listed

from .capacity import RESOURCES, Resource, Space, frees, holders, most_free, sizes, space
from .findings import Finding, error, warning
from .placement import Fits, most_on_a_host, tasks
from .reading import services

# So many different choices of hosts are compared with each other.
MOST_GROUPS = 50
REMEDY = "Reserve less, stop something there, or add"


@dataclass(frozen=True)
class _Wanted:
    """What all tasks of a service reserve on the hosts that fit, which are numbers in the list of all."""

    service: str
    amount: int
    hosts: frozenset[int]


def inspect(value: Compose, facts: EnvironmentFacts, fits: Fits) -> Iterator[Finding]:
    """The stack's own tasks count as gone: they are stopped for those that are compared here."""
    stack, hosts = facts.stack_name, facts.hosts or []
    others = {id(host): [one for one in host.held if not stack or one.stack != stack] for host in hosts}
    for resource in RESOURCES:
        known = all(resource.on(host) for host in hosts)
        spaces = {id(host): space(resource, host, others[id(host)]) for host in hosts}
        for name, service in services(value).items():
            yield from _sizes(name, service, resource)
            if fits[name] and known:
                yield from _room(name, service, resource, [spaces[id(host)] for host in fits[name]])
        if hosts and known:
            yield from _sum(resource, _wanted(value, resource, fits, hosts), [spaces[id(host)] for host in hosts])


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


def _room(name: str, service: Compose, resource: Resource, spaces: Sequence[Space]) -> Iterator[Finding]:
    reserved = resource.of(service, "reservations")
    if not reserved:
        return
    count, most = tasks(service, len(spaces)), most_on_a_host(service)
    rooms = [one.free // reserved for one in spaces]
    room = sum(min(one, most) if most else one for one in rooms)
    path: Path = ("services", name, "deploy", "resources", "reservations", resource.key)
    if count and not any(rooms):
        yield warning(path, _too_large(name, resource, reserved, spaces))
    elif room < count:
        limit = f" (at most {most} on a host)" if most else ""
        message = (
            f"The service '{name}' reserves {resource.words(reserved)} for each of its {count} tasks; free are "
            f"{frees(resource, spaces)}, room for {room}{limit}: the others would wait. {REMEDY} hosts."
        )
        yield warning(path, message)


def _too_large(name: str, resource: Resource, reserved: int, spaces: Sequence[Space]) -> str:
    largest, best = max(spaces, key=lambda one: one.total), most_free(spaces)
    if reserved > largest.total:
        wanted, there = sizes(resource, reserved, largest.total)
        return (
            f"A task of '{name}' reserves {wanted}; {largest.host.name}, the largest fitting host, has {there}: "
            "it would wait. Reserve less, or add a larger host."
        )
    wanted, free, total = sizes(resource, reserved, best.free, best.total)
    return (
        f"A task of '{name}' reserves {wanted}; {best.host.name}, the fitting host with most left, has {free} free "
        f"of {total}{holders(resource, best)}: it would wait. {REMEDY} a host."
    )


def _wanted(value: Compose, resource: Resource, fits: Fits, hosts: Sequence[HostFacts]) -> list[_Wanted]:
    numbers = {id(host): number for number, host in enumerate(hosts)}
    found = []
    for name, service in services(value).items():
        amount = resource.of(service, "reservations") * tasks(service, len(fits[name]))
        if amount and fits[name]:
            found.append(_Wanted(name, amount, frozenset(numbers[id(host)] for host in fits[name])))
    return found


def _sum(resource: Resource, wanted: Sequence[_Wanted], spaces: Sequence[Space]) -> Iterator[Finding]:
    """Services that share hosts; the smallest choice of hosts that is too small for those bound to it is told."""
    groups: Mapping[frozenset[int], None] = dict.fromkeys(
        [*(one.hosts for one in wanted), frozenset(range(len(spaces)))]
    )
    for hosts in sorted(groups, key=len)[:MOST_GROUPS]:
        bound = [one for one in wanted if one.hosts <= hosts]
        total, free = sum(one.amount for one in bound), sum(spaces[number].free for number in hosts)
        if len(bound) > 1 and total > free:
            together, there = sizes(resource, total, free)
            where = frees(resource, [spaces[number] for number in hosts])
            message = (
                f"The services {listed(one.service for one in bound)} together reserve {together}, and their hosts "
                f"have {there} free ({where}): some tasks would wait. {REMEDY} hosts."
            )
            yield warning(("services",), message)
            return
