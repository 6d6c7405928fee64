"""How everything the platform makes in a project says whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PREFIX = "platform-manager"
_ORDER = ("installation", "environment", "host", "operation")


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
