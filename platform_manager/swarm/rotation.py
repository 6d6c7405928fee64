"""Secrets and configs whose content changed: a swarm can't change one, so the new content gets a name of its own.

The first deployment keeps the plain name, as the Docker CLI gives it. Other content later is deployed as
``<name>-<8 hexadecimal digits>``. What the swarm holds of a config can be read; what it holds of a secret can't, but
the swarm tells whether it is the same when it is asked to write it again.
"""

from __future__ import annotations

import binascii
import hmac
import posixpath
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

from platform_manager.engines.errors import EngineError
from platform_manager.errors import UserError

from .provisions import Kind, listed
from .snapshot import STACK_LABEL, Json, mapping, number, part, sequence, text

DIGITS = 8
HEXADECIMAL = frozenset("0123456789abcdef")
LONGEST_NAME = 64
# More objects of one name are not looked through: old ones are removed as nothing uses them.
MOST_CANDIDATES = 20


class Client(Protocol):
    async def get(self, path: str, **params: Any) -> Any: ...

    async def post(self, path: str, body: Any = None, **params: Any) -> Any: ...

    async def delete(self, path: str, **params: Any) -> Any: ...


@dataclass(frozen=True)
class Declared:
    """A secret or config that a compose file makes: ``key`` is its name there, ``name`` the one in the swarm."""

    kind: Kind
    key: str
    name: str
    content: bytes


def declared(compose: Mapping[str, Any], files: Mapping[str, bytes], stack: str) -> list[Declared]:
    """Those with a file of a compose file without variables; ``files`` by the paths that stand in it."""
    found = []
    kinds: tuple[Kind, ...] = ("secrets", "configs")
    for kind in kinds:
        for key, value in mapping(compose.get(kind)).items():
            entry = mapping(value)
            path = entry.get("file")
            content = files.get(_plain(path)) if isinstance(path, str) else None
            if content is not None and not entry.get("external"):
                found.append(Declared(kind, key, text(entry.get("name"), 255) or f"{stack}_{key}", content))
    return found


def _plain(path: str) -> str:
    return posixpath.normpath(path.replace("$$", "$"))


async def renames(client: Client, wanted: Iterable[Declared], stack: str, key: bytes) -> dict[tuple[str, str], str]:
    """By kind and key, the names that differ from the plain ones. ``key`` keeps names of secrets from telling them.

    Raises EngineError, and UserError where one of them is another stack's.
    """
    found: dict[tuple[str, str], str] = {}
    cached: dict[Kind, list[dict[str, Any]]] = {}
    for one in wanted:
        if one.kind not in cached:
            cached[one.kind] = await listed(client, one.kind)
        name = await _name(client, one, _family(cached[one.kind], one.name), stack, key)
        if name != one.name:
            found[(one.kind, one.key)] = name
    return found


async def _name(client: Client, one: Declared, family: Mapping[str, Json], stack: str, key: bytes) -> str:
    plain = family.get(one.name)
    if plain is not None and (owner := text(part(plain, "Spec", "Labels", STACK_LABEL), 255)) != stack:
        # The Docker CLI would make it this stack's, or stop half way where the contents differ.
        raise UserError(_taken(one, owner), "compose")
    own = [found for found in family.values() if part(found, "Spec", "Labels", STACK_LABEL) == stack]
    for found in own[:MOST_CANDIDATES]:
        if await _holds(client, one.kind, found, one.content):
            return text(part(found, "Spec", "Name"), 255)
    return one.name if plain is None else rotated(one, key)


def _taken(one: Declared, owner: str) -> str:
    kind, whose = one.kind[:-1], f"the stack {owner}'s" if owner else "no stack's"
    return (
        f"There is a {kind} '{one.name}' already, and it is {whose}. "
        "Give this one another name, or write 'external: true' to use what is there."
    )


def rotated(one: Declared, key: bytes) -> str:
    """The name for its content; of a secret it is keyed, for a digest would let others try what it may be."""
    digest = hmac.new(key, one.content, sha256) if one.kind == "secrets" else sha256(one.content)
    return f"{_stem(one.name)}-{digest.hexdigest()[:DIGITS]}"


def _stem(name: str) -> str:
    return name[: LONGEST_NAME - DIGITS - 1]


def is_rotated(name: str, plain: str) -> bool:
    """Whether it is the name of another content of the one with the plain name."""
    stem = f"{_stem(plain)}-"
    digits = name.removeprefix(stem)
    return name.startswith(stem) and len(digits) == DIGITS and set(digits) <= HEXADECIMAL


def _family(objects: Iterable[Json], name: str) -> dict[str, Json]:
    """The objects of this name and of its other contents, the plain one first."""
    named = {text(part(found, "Spec", "Name"), 255): found for found in objects}
    members = sorted((one for one in named if is_rotated(one, name)), reverse=True)
    return {one: named[one] for one in [name, *members] if one in named}


async def _holds(client: Client, kind: Kind, found: Json, content: bytes) -> bool:
    """Whether a secret or config of the swarm has this content."""
    if kind == "configs":
        try:
            return b64decode(text(part(found, "Spec", "Data"), 2_000_000), validate=True) == content
        except binascii.Error:
            return False
    spec = {**mapping(found.get("Spec")), "Data": b64encode(content).decode()}
    version = number(part(found, "Version", "Index"))
    try:
        # It refuses other content, and the same changes nothing.
        await client.post(f"/secrets/{text(found.get('ID'), 64)}/update", spec, version=version)
    except EngineError as error:
        if "only updates to Labels are allowed" in error.detail:
            return False
        raise
    return True


async def remove_unused(client: Client, wanted: Iterable[Declared], stack: str, names: Iterable[str]) -> list[str]:
    """Remove other contents of these secrets and configs that no service uses; what went, in words. EngineError.

    ``names`` are those deployed now. Only after the new ones run: going back needs the old ones.
    """
    keep, gone = set(names), []
    used = _used(sequence(await client.get("/services")))
    for one in wanted:
        for name, found in _family(await listed(client, one.kind), one.name).items():
            mine = part(found, "Spec", "Labels", STACK_LABEL) == stack
            found_id = text(found.get("ID"), 64)
            if name in keep or not mine or found_id in used:
                continue
            try:
                await client.delete(f"/{one.kind}/{found_id}")
            except EngineError as error:
                if error.status not in (400, 404):
                    raise
            else:
                gone.append(f"{one.kind[:-1]} {name}")
    return gone


def _used(services: Iterable[Any]) -> set[str]:
    """The ids of all secrets and configs that services use."""
    found = set()
    for service in services:
        spec = part(service, "Spec", "TaskTemplate", "ContainerSpec")
        found |= {text(part(item, "SecretID"), 64) for item in sequence(part(spec, "Secrets"))}
        found |= {text(part(item, "ConfigID"), 64) for item in sequence(part(spec, "Configs"))}
    return found
