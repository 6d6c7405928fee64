"""What a project may hold, as people and the platform look at it; without the clouds' library, which loads slowly."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from .marks import Mark

# Of a kind that are read: a cloud may have no end.
MOST = 1_000


class Kind(StrEnum):
    """In the order in which they have to be removed: none is used by one that comes after it."""

    SERVER = "server"
    PORT = "port"
    FLOATING_IP = "floating IP"
    VOLUME = "volume"
    SECURITY_GROUP = "security group"
    KEY_PAIR = "key pair"


ORDER = {kind: place for place, kind in enumerate(Kind)}


@dataclass(frozen=True)
class Thing:
    """``mark`` is None for what this platform did not make; ``name`` of a floating IP is its address.

    ``servers`` are the ids of those that a floating IP leads to or a volume is attached to.
    For people: ``about`` it what the cloud tells, ``used_by`` names of what uses it, ``created_at`` the cloud's text.
    """

    kind: Kind
    id: str
    name: str
    mark: Mark | None = None
    about: str = ""
    used_by: tuple[str, ...] = ()
    created_at: str = ""
    servers: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Names it in its project."""
        return f"{self.kind}/{self.id}"

    def made_by(self, installation: str) -> bool:
        """Whether this installation made it, rather than another one or a person."""
        return self.mark is not None and self.mark.installation == installation

    def left_over(self, installation: str, hosts: Collection[str], environments: Collection[str]) -> bool:
        """Whether this installation made it for none of these hosts or, where for no host, environments."""
        if self.mark is None or not self.made_by(installation):
            return False
        return self.mark.host not in hosts if self.mark.host else self.mark.environment not in environments


def in_order(thing: Thing) -> tuple[int, str, str]:
    """Sorts by order of removal, then by name."""
    return ORDER[thing.kind], thing.name.lower(), thing.id
