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
    found = (WORDS.fullmatch(port) for port in service.ports)
    return [Published(int(one[1]), int(one[2]), one[3], bool(one[4])) for one in found if one]
