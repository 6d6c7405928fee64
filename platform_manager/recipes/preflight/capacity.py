"""What hosts have of a resource, what of it other tasks hold, and how that is said.

Amounts are whole numbers, as the swarm counts: of bytes, and of billionths of a core.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from platform_manager.recipes import amounts
from platform_manager.recipes.checks import Compose, dig
from platform_manager.recipes.facts import Held, HostFacts
from platform_manager.recipes.problems import listed

NANO = 1_000_000_000
# So many hosts and services are named in one sentence.
NAMED = 3


class Words(Protocol):
    def __call__(self, amount: float, /, *, exact: bool = False) -> str: ...


@dataclass(frozen=True)
class Resource:
    """How one of the two is read, counted and said; ``least`` is the smallest amount that the engine takes."""

    key: str
    least: int
    unit: int
    read: Callable[[object], float]
    say: Words

    def of(self, service: Compose, kind: str) -> int:
        return round(self.read(dig(service, ("deploy", "resources", kind, self.key))) * self.unit)

    def on(self, of: HostFacts | Held) -> int:
        return round((of.cpus if self.key == "cpus" else of.memory) * self.unit)

    def words(self, amount: int, *, exact: bool = False) -> str:
        return self.say(amount / self.unit, exact=exact)


RESOURCES = (
    Resource("cpus", NANO // 1_000, NANO, amounts.cpus_of, amounts.cpu_words),
    Resource("memory", 4 * 1024**2, 1, amounts.bytes_of, amounts.byte_words),
)


@dataclass(frozen=True)
class Space:
    """What is free of a resource on a host, and the ``others`` who hold some of it."""

    host: HostFacts
    free: int
    total: int
    others: tuple[Held, ...]


def space(resource: Resource, host: HostFacts, others: Iterable[Held]) -> Space:
    holding = sorted((one for one in others if resource.on(one)), key=resource.on, reverse=True)
    total = resource.on(host)
    return Space(host, max(total - sum(map(resource.on, holding)), 0), total, tuple(holding))


def most_free(spaces: Sequence[Space]) -> Space:
    """Of those with as much the larger host."""
    return max(spaces, key=lambda one: (one.free, one.total))


def sizes(resource: Resource, wanted: int, *there: int) -> list[str]:
    """The amounts in words; exact where ``wanted`` would read like another of them."""
    plain = [resource.words(amount) for amount in (wanted, *there)]
    if all(amount == wanted or word != plain[0] for amount, word in zip(there, plain[1:], strict=True)):
        return plain
    return [resource.words(amount, exact=True) for amount in (wanted, *there)]


def holders(resource: Resource, space: Space) -> str:
    """`` (other_mongo holds 6 GiB of memory)``; "" where nobody does."""
    if not space.others:
        return ""
    found = (f"{one.service} holds {resource.words(resource.on(one))}" for one in space.others)
    return f" ({listed(found, NAMED)})"


def frees(resource: Resource, spaces: Iterable[Space]) -> str:
    """``8 GiB of memory on fw-02 and 4 GiB of memory on fw-01``."""
    ordered = sorted(spaces, key=lambda one: one.free, reverse=True)
    return listed((f"{resource.words(one.free)} on {one.host.name}" for one in ordered), NAMED)
