"""What a stack expects to find and nobody made yet: external networks, volumes, secrets and configs.

Each function looks before it makes, so it may be repeated, and leaves alone what is there.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Protocol

from platform_manager.engines.errors import EngineError
from platform_manager.errors import UserError

from .cluster import ensure_overlay
from .snapshot import STACK_LABEL, mapping, part, sequence, text

__all__ = ["MADE_LABEL", "Kind", "Shared", "ensure_network", "ensure_objects", "ensure_volumes", "listed", "remove"]

# What the platform made for stacks, but does not belong to one: it stays when they go.
MADE_LABEL = "platform-manager.made"
Kind = Literal["secrets", "configs"]
Shared = Literal["networks", "secrets", "configs"]

ensure_network = ensure_overlay


class Client(Protocol):
    async def get(self, path: str, **params: Any) -> Any: ...

    async def post(self, path: str, body: Any = None, **params: Any) -> Any: ...


class RemovingClient(Client, Protocol):
    async def delete(self, path: str, **params: Any) -> Any: ...


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


async def remove(client: RemovingClient, kind: Shared, name: str) -> None:
    """Take away what belongs to no stack and nothing uses; UserError says what does. Raises EngineError.

    Nothing happens where it is gone already.
    """
    found = next((one for one in await listed(client, kind) if _name(one) == name), None)
    if found is None:
        return
    labels = part(found, "Labels") if kind == "networks" else part(found, "Spec", "Labels")
    if stack := text(part(labels, STACK_LABEL), 255):
        raise UserError(f"{name} belongs to the stack {stack}, and goes with it.")
    try:
        await client.delete(f"/{kind}/{text(found.get('ID') or found.get('Id'), 128)}")
    except EngineError as error:
        if error.status == 404:
            return
        words = error.detail.lower()
        if "in use" in words or "active endpoints" in words:
            raise UserError(f"{name} is in use, so it stays. The engine said: {error.detail}") from None
        raise


def _name(found: Mapping[str, Any]) -> str:
    return text(part(found, "Spec", "Name") or found.get("Name"), 255)


async def listed(client: Client, kind: Shared) -> list[dict[str, Any]]:
    """All secrets, or all configs or networks, of the swarm."""
    return [found for found in sequence(await client.get(f"/{kind}")) if isinstance(found, dict)]
