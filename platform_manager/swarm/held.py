"""What the swarm holds of a stack, told before and after: a deployment that stops half way leaves a list."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Protocol

from .snapshot import STACK_LABEL, Json, image_of, number, part, sequence, text

KINDS = ("networks", "secrets", "configs", "services")
MOST = 500
CREATED, CHANGED, UNCHANGED = "created", "changed", "unchanged"

Held = Mapping[str, Sequence[Json]]
"""By kind, what the engine tells of each thing."""

Marks = Mapping[str, str]
"""By kind and name ("service shop_web"), what changes when the thing does."""


class Client(Protocol):
    async def get(self, path: str, **params: Any) -> Any: ...


async def read(client: Client, stack: str) -> Held:
    """The stack's networks, secrets, configs and services, as the engine tells them. Raises EngineError."""
    filters = {"label": [f"{STACK_LABEL}={stack}"]}
    answers = await asyncio.gather(*(client.get(f"/{kind}", filters=filters) for kind in KINDS))
    return {
        kind: [item for item in sequence(answer)[:MOST] if isinstance(item, dict)]
        for kind, answer in zip(KINDS, answers, strict=True)
    }


def marks(found: Held) -> dict[str, str]:
    """Of what :func:`read` gives."""
    return {f"{kind[:-1]} {_name(item)}": _mark(item) for kind in KINDS for item in found[kind][:MOST]}


async def held(client: Client, stack: str) -> dict[str, str]:
    """The marks of what the swarm holds of the stack now. Raises EngineError."""
    return marks(await read(client, stack))


def state(found: Marks) -> str:
    """A digest: it is the same as long as nobody changed the stack."""
    return sha256(json.dumps(dict(found), sort_keys=True).encode()).hexdigest()


def made(before: Marks, now: Marks, earlier: Sequence[str] = ()) -> list[str]:
    """What there is now, in words: "network shop_default (created)", "service shop_web (changed)".

    ``earlier`` is such a list of an earlier try, whose doings count too. [] where neither did anything.
    """
    told = dict(_told(line) for line in earlier)
    fates = {name: _fate(name, before, now, told.get(name, UNCHANGED)) for name in now}
    if not told and set(before) == set(now) and set(fates.values()) <= {UNCHANGED}:
        return []
    return [f"{name} ({fate})" for name, fate in fates.items()]


def _fate(name: str, before: Marks, now: Marks, earlier: str) -> str:
    if name not in before:
        return CREATED
    return earlier if before[name] == now[name] or earlier == CREATED else CHANGED


def _told(line: str) -> tuple[str, str]:
    name, _, fate = line.rpartition(" (")
    return name, fate.removesuffix(")")


def _name(item: Json) -> str:
    return text(part(item, "Spec", "Name") or item.get("Name"), 255)


def _mark(item: Json) -> str:
    # Secrets and configs are written again without a change by each deployment; they can't be changed, only replaced.
    mark = text(item.get("ID") or item.get("Id"), 128)
    service = "TaskTemplate" in (item.get("Spec") or {})
    return f"{mark} {number(part(item, 'Version', 'Index'))}" if service else mark


def images(services: Iterable[Json], stack: str) -> dict[str, str]:
    """By service as the compose file names it, the image as the engine resolved it, with its digest if it has one."""
    found = {}
    for service in services:
        spec = part(service, "Spec", "TaskTemplate")
        image = text(part(spec, "ContainerSpec", "Image"), 500) or image_of(spec)
        found[text(part(service, "Spec", "Name"), 255).removeprefix(f"{stack}_")] = image
    return found
