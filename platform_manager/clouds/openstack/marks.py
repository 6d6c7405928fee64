"""How everything the platform makes in a project says whose it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

PREFIX = "platform-manager"
_ORDER = ("installation", "environment", "host", "operation")
_NAME = re.compile(rf"{PREFIX}_([A-Za-z0-9-]{{1,64}})_([A-Za-z0-9-]{{1,64}})(?:_([A-Za-z0-9-]{{1,64}}))?")


@dataclass(frozen=True)
class Mark:
    """The installation that made a thing, and for which environment, host and operation; "" where there is none."""

    installation: str
    environment: str = ""
    host: str = ""
    operation: str = ""

    def metadata(self) -> dict[str, str]:
        """For servers and volumes."""
        return {f"{PREFIX}-{key}": value for key in _ORDER if (value := getattr(self, key))}

    def description(self) -> str:
        """For what has a description only: floating IPs, ports, security groups."""
        return " ".join([PREFIX, *(f"{key}={value}" for key in _ORDER if (value := getattr(self, key)))])

    def name(self) -> str:
        """For what has a name only: key pairs, of which an environment has one."""
        return "_".join(word for word in (PREFIX, self.installation, self.environment, self.operation) if word)

    def group_name(self) -> str:
        """Of the environment's security group, for people: it is found by its description."""
        return f"{PREFIX}-{self.environment}"

    def same_place(self, other: Mark | None) -> bool:
        """Whether both belong to the same installation, environment and host, whichever operation made them."""
        return other is not None and self._place() == other._place()

    def _place(self) -> tuple[str, str, str]:
        return self.installation, self.environment, self.host

    @classmethod
    def of_metadata(cls, metadata: Mapping[str, object] | None) -> Mark | None:
        """None for what this platform did not make."""
        found = {key: str((metadata or {}).get(f"{PREFIX}-{key}") or "") for key in _ORDER}
        return cls(**found) if found["installation"] else None

    @classmethod
    def of_description(cls, description: str | None) -> Mark | None:
        """None for what this platform did not make."""
        head, *words = (description or "").split()[:10] or [""]
        found = dict(word.split("=", 1) for word in words if "=" in word)
        if head != PREFIX or not found.get("installation"):
            return None
        return cls(**{key: found.get(key, "") for key in _ORDER})

    @classmethod
    def of_name(cls, name: str) -> Mark | None:
        """None for what this platform did not make."""
        found = _NAME.fullmatch(name)
        return cls(found[1], found[2], operation=found[3] or "") if found else None


def marked(found: Iterable[Any], mark: Mark) -> list[Any]:
    """Those with a description of the mark's installation, environment and host, the oldest first."""
    ours = [one for one in found if mark.same_place(Mark.of_description(one.description))]
    return sorted(ours, key=lambda one: (str(one.created_at), str(one.id)))
