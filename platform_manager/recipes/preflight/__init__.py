"""What stands against a deployment in this environment, what has no effect there, and what is dangerous.

Each module looks at one concern of an interpolated file whose structure is valid, and yields findings.
"""

from collections.abc import Iterable, Iterator, Mapping

from platform_manager.recipes.checks import Compose
from platform_manager.recipes.facts import EnvironmentFacts
from platform_manager.recipes.preflight import (
    asking,
    dangers,
    externals,
    files,
    hosts,
    ignored,
    naming,
    networks,
    placement,
    publishing,
    resources,
    starting,
)
from platform_manager.recipes.preflight.findings import Finding
from platform_manager.recipes.preflight.reading import (
    file_references,
    is_external,
    service_ports,
    services,
    swarm_name,
    used,
    used_networks,
)


def inspect(
    value: Compose, facts: EnvironmentFacts, own: Mapping[str, bytes], wants: Iterable[asking.Want]
) -> Iterator[Finding]:
    """All findings; ``own`` are the recipe's files, by clean path, and ``wants`` what :mod:`asking` found to lack."""
    fits = placement.fitting(value, facts)
    yield from naming.inspect(value, facts)
    yield from ignored.inspect(value)
    yield from files.inspect(value)
    yield from files.sizes(value, own)
    yield from asking.inspect(value, own.keys(), wants)
    yield from externals.inspect(value, facts)
    yield from networks.inspect(value, facts)
    yield from publishing.inspect(value, facts)
    yield from placement.inspect(value, facts, fits)
    yield from resources.inspect(value, facts, fits)
    yield from starting.inspect(value, facts, fits)
    yield from hosts.inspect(value, facts, fits)
    yield from dangers.inspect(value, facts)


__all__ = [
    "Finding",
    "asking",
    "file_references",
    "inspect",
    "is_external",
    "service_ports",
    "services",
    "swarm_name",
    "used",
    "used_networks",
]
