"""What a rehearsal pretends: networks, secrets, configs and services that were made or removed in it alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

KINDS = ("networks", "secrets", "configs", "services")
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Given:
    """Names of what the swarm lacks and will have by the time of the deployment."""

    networks: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    configs: frozenset[str] = frozenset()


class Pretence:
    """The objects, and how they change what the engine says of its own."""

    def __init__(self, given: Given) -> None:
        self._made: dict[str, dict[str, Json]] = {kind: {} for kind in KINDS}
        self._removed: dict[str, set[str]] = {kind: set() for kind in KINDS}
        self._count = 0
        for name in sorted(given.networks):
            self.make("networks", {"Name": name, "Driver": "overlay", "Attachable": True})
        for kind, names in (("secrets", given.secrets), ("configs", given.configs)):
            for name in sorted(names):
                self.make(kind, {"Name": name})

    def make(self, kind: str, body: Json) -> str:
        """The id of a new object, or "" when one of its name was made already."""
        if self.find(kind, str(body.get("Name", ""))) is not None:
            return ""
        self._count += 1
        identifier = f"rehearsed{self._count:016d}"
        if kind == "networks":
            self._made[kind][identifier] = {"Scope": "swarm", **body, "Id": identifier}
        else:
            self._made[kind][identifier] = {"ID": identifier, "Version": {"Index": 1}, "Spec": body}
        return identifier

    def remove(self, kind: str, identifier: str) -> None:
        if self._made[kind].pop(identifier, None) is None:
            self._removed[kind].add(identifier)

    def find(self, kind: str, wanted: str) -> Json | None:
        """What was made under this id or name."""
        found = self._made[kind].get(wanted)
        if found is None:
            found = next((one for one in self._made[kind].values() if _name(one) == wanted), None)
        return found

    def is_removed(self, kind: str, wanted: str) -> bool:
        return wanted in self._removed[kind]

    def listed(self, kind: str, filters: str, answer: bytes) -> bytes:
        """The engine's list, as it would be now; the very same bytes where nothing of it changed."""
        more = [one for one in self._made[kind].values() if _matches(one, filters)]
        gone = self._removed[kind]
        if not more and not gone:
            return answer
        found = json.loads(answer) or []
        kept = [one for one in found if one.get("ID", one.get("Id")) not in gone]
        return json.dumps([*kept, *more]).encode()


def _name(found: Json) -> str:
    return str((found.get("Spec") or found).get("Name", ""))


def _matches(found: Json, filters: str) -> bool:
    """As the engine filters: any value of a filter, all filters; what is no filter here leaves the object out."""
    try:
        wanted = json.loads(filters) if filters else {}
    except ValueError:
        return False
    labels = (found.get("Spec") or found).get("Labels") or {}
    told = {
        "name": lambda value: value in _name(found),
        "id": lambda value: str(found.get("ID", found.get("Id"))).startswith(value),
        "driver": lambda value: found.get("Driver") == value,
        "scope": lambda value: found.get("Scope") == value,
    }
    for key, values in wanted.items():
        if key == "label":
            if not all(_has_label(labels, str(value)) for value in values):
                return False
        elif key not in told or not _any(told[key], values):
            return False
    return True


def _any(test: Any, values: Iterable[Any]) -> bool:
    return any(test(str(value)) for value in values)


def _has_label(labels: Json, wanted: str) -> bool:
    name, equals, value = wanted.partition("=")
    return name in labels and (not equals or labels[name] == value)
