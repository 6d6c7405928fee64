"""What a stack expects to find and nobody made yet: external networks, volumes, secrets and configs.

Each function looks before it makes, so it may be repeated, and leaves alone what is there.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Protocol

from platform_manager.engines.errors import EngineError

from .cluster import ensure_overlay
from .snapshot import mapping, part, sequence, text

__all__ = ["MADE_LABEL", "Kind", "ensure_network", "ensure_objects", "ensure_volumes", "listed"]

# What the platform made for stacks, but does not belong to one: it stays when they go.
MADE_LABEL = "platform-manager.made"
Kind = Literal["secrets", "configs"]

ensure_network = ensure_overlay


class Client(Protocol):
    async def get(self, path: str, **params: Any) -> Any: ...

    async def post(self, path: str, body: Any = None, **params: Any) -> Any: ...


async def ensure_volumes(client: Client, names: Iterable[str]) -> list[str]:
    """Make on this host the volumes that it lacks; the names of those made. Raises EngineError."""
    wanted = list(names)
    if not wanted:
        return []
    found = sequence(part(await client.get("/volumes"), "Volumes"))
    there = {text(mapping(volume).get("Name"), 255) for volume in found}
    missing = [name for name in wanted if name not in there]
    for name in missing:
        await client.post("/volumes/create", {"Name": name, "Labels": {MADE_LABEL: "yes"}})
    return missing


async def ensure_objects(client: Client, kind: Kind, contents: Mapping[str, bytes]) -> list[str]:
    """Make the secrets or configs that the swarm lacks; the names of those made. Raises EngineError."""
    if not contents:
        return []
    there = {text(part(found, "Spec", "Name"), 255) for found in await listed(client, kind)}
    missing = [name for name in contents if name not in there]
    for name in missing:
        body = {"Name": name, "Data": b64encode(contents[name]).decode(), "Labels": {MADE_LABEL: "yes"}}
        try:
            await client.post(f"/{kind}/create", body)
        except EngineError as error:
            if error.status != 409:
                raise
    return missing


async def listed(client: Client, kind: Kind) -> list[dict[str, Any]]:
    """All secrets, or all configs, of the swarm."""
    return [found for found in sequence(await client.get(f"/{kind}")) if isinstance(found, dict)]
