"""What machines tell of themselves: typed, bounded, and never trusted beyond their own row."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

TEXTS = ("hostname", "architecture", "kernel", "os", "engine_version")
NUMBERS = ("mtu", "cpus", "memory_bytes", "disk_bytes", "max_map_count")


def addresses_of(claimed: object) -> list[str]:
    """The plain IP addresses among what a machine calls its own."""
    found: list[str] = []
    for item in claimed[:16] if isinstance(claimed, list) else ():
        try:
            found.append(str(ipaddress.ip_address(item if isinstance(item, str) else "")))
        except ValueError:
            continue
    return [address for address in found if "%" not in address]


def facts_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The facts we know, by type and within bounds; a host can say nothing else."""
    facts: dict[str, Any] = {}
    for name in TEXTS:
        value = body.get(name)
        if isinstance(value, str):
            # No database stores NUL, no page shows half a surrogate pair.
            facts[name] = "".join(letter for letter in value[:200] if letter.isprintable())
    for name in NUMBERS:
        value = body.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53:
            facts[name] = value
    return facts
