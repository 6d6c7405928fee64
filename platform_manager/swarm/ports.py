"""The ports that services publish, read out of a snapshot's words for them."""

from __future__ import annotations

import re
from typing import NamedTuple

from .snapshot import Service

WORDS = re.compile(r"(\d{1,5}):(\d{1,5})/(\w{1,8})( on the host)?")


class Published(NamedTuple):
    """``port`` on the hosts leads to ``target`` in the tasks. ``host``: on the hosts of the tasks only."""

    port: int
    target: int
    protocol: str
    host: bool


def published(service: Service) -> list[Published]:
    """What is published under a number; a port for which the swarm has yet to choose one is left out."""
    return [found for port in service.ports if (found := read(port))]


def read(words: str) -> Published | None:
    """One of a service's ports; None where it has no number yet."""
    found = WORDS.fullmatch(words)
    return Published(int(found[1]), int(found[2]), found[3], bool(found[4])) if found else None
