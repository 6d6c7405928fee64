"""Forms and changes a swarm through the engines of its hosts. Every function may be repeated."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from platform_manager.engines.client import EngineClient, EngineError, EngineUnreachable
from platform_manager.errors import ProviderError

from .snapshot import MTU_OPTION, mapping, number, part, sequence, text

SWARM_PORT = 2377
DEFAULT_MTU = 1500
SETTLE_SECONDS = 30.0
JOIN_SECONDS = 60.0
# A node that has just joined is seen by the swarm within a moment.
SEEN_SECONDS = 15.0


@dataclass(frozen=True)
class SwarmInfo:
    """What an engine says of its own swarm membership."""

    state: str
    node_id: str
    manager: bool
    engine_version: str


class NotItsNode(ProviderError):
    """A host claims to be a node it is not; the message goes on after the host's name."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=False)


@dataclass(frozen=True)
class Quorum:
    """Managers of a swarm and how many of them answer; ``needed`` is the majority."""

    managers: int
    reachable: int

    @property
    def needed(self) -> int:
        return self.managers // 2 + 1

    @property
    def holds(self) -> bool:
        return self.reachable >= self.needed

    def without(self, *, reachable: bool) -> Quorum:
        """The quorum when one manager, itself reachable or not, is taken away."""
        return Quorum(self.managers - 1, self.reachable - reachable)


def manager_target(wanted: int, hosts: int) -> int:
    """How many managers a swarm of ``hosts`` hosts should have: odd, at most ``wanted``, at least 1."""
    most = max(1, min(wanted, hosts))
    return most if most % 2 else most - 1


async def info(client: EngineClient) -> SwarmInfo:
    answer = mapping(await client.get("/info"))
    swarm = mapping(answer.get("Swarm"))
    return SwarmInfo(
        state=text(swarm.get("LocalNodeState"), 20),
        node_id=text(swarm.get("NodeID"), 64),
        manager=swarm.get("ControlAvailable") is True,
        engine_version=text(answer.get("ServerVersion"), 40),
    )


async def form(client: EngineClient, address: str) -> str:
    """Make the engine the first manager of a new swarm; its node id. An engine already in one keeps it."""
    found = await info(client)
    if found.state in ("", "inactive"):
        # Where the answer is lost the work may be done: the look below tells.
        with suppress(EngineUnreachable):
            await client.post(
                "/swarm/init",
                {"ListenAddr": f"0.0.0.0:{SWARM_PORT}", "AdvertiseAddr": f"{address}:{SWARM_PORT}"},
                timeout=60,
            )
        found = await info(client)
    if found.state != "active":
        raise ProviderError(f"The engine's swarm is in state {found.state!r} and can't be formed.")
    return found.node_id


async def join_token(manager: EngineClient, *, as_manager: bool) -> str:
    tokens = mapping(part(await manager.get("/swarm"), "JoinTokens"))
    return text(tokens.get("Manager" if as_manager else "Worker"), 200)


async def join(client: EngineClient, address: str, managers: Sequence[str], token: str) -> str:
    """Make the engine a member of the swarm at the managers' addresses; its node id."""
    found = await info(client)
    if found.state in ("pending", "error", "locked"):
        # An attempt that could not reach a manager goes on in the background and must be left first.
        await leave(client, force=True)
        found = await info(client)
    if found.state != "active":
        body = {
            "ListenAddr": f"0.0.0.0:{SWARM_PORT}",
            "AdvertiseAddr": f"{address}:{SWARM_PORT}",
            "RemoteAddrs": [f"{manager}:{SWARM_PORT}" for manager in managers],
            "JoinToken": token,
        }
        try:
            await client.post("/swarm/join", body, timeout=JOIN_SECONDS)
        except EngineError as error:
            found = await info(client)
            if found.state == "active":
                return found.node_id
            raise ProviderError(
                f"The host can't join the swarm: {error.detail or error} "
                f"Check that it reaches {', '.join(managers)} on port {SWARM_PORT}/tcp."
            ) from error
        found = await info(client)
    return found.node_id


async def leave(client: EngineClient, *, force: bool) -> None:
    """Take the engine out of its swarm; an engine that is in none stays so."""
    if (await info(client)).state in ("", "inactive"):
        return
    try:
        await client.post("/swarm/leave", force=force, timeout=60)
    except EngineError as error:
        if error.status != 503:  # "This node is not part of a swarm"
            raise


async def nodes(manager: EngineClient) -> list[dict[str, Any]]:
    return [mapping(node) for node in sequence(await manager.get("/nodes"))]


async def quorum(manager: EngineClient) -> Quorum:
    members = [node for node in await nodes(manager) if part(node, "Spec", "Role") == "manager"]
    reachable = [node for node in members if part(node, "ManagerStatus", "Reachability") == "reachable"]
    return Quorum(len(members), len(reachable))


async def node(manager: EngineClient, node_id: str) -> dict[str, Any] | None:
    """One node, or None when the swarm does not know it."""
    try:
        return mapping(await manager.get(f"/nodes/{node_id}"))
    except EngineError as error:
        if error.status == 404:
            return None
        raise


async def verify_node(
    manager: EngineClient, node_id: str, addresses: Sequence[str], of_others: Mapping[str, str]
) -> None:
    """Raise NotItsNode where the swarm says that the node an engine claims to be is none, or another host.

    ``addresses`` are the host's own; ``of_others`` names the other hosts by their node ids and addresses.
    The swarm sees a node's address itself; one that belongs to no host (of a gateway, say) proves nothing.
    """
    if node_id in of_others:
        raise NotItsNode(f"says that it is the swarm's node of {of_others[node_id]}.")
    deadline = time.monotonic() + SEEN_SECONDS
    while not (seen := text(part(await node(manager, node_id), "Status", "Addr"), 64)):
        if time.monotonic() > deadline:
            raise NotItsNode("says that it joined the swarm, but the swarm has not seen it.")
        await asyncio.sleep(0.1)
    if seen not in addresses and seen in of_others:
        raise NotItsNode(f"says that it is a node which the swarm sees at the address of {of_others[seen]}.")


async def change_node(manager: EngineClient, node_id: str, **wanted: str) -> None:
    """Set ``Role`` or ``Availability`` of a node; read again and retried when somebody else changed it meanwhile."""
    for attempt in range(6):
        found = await node(manager, node_id)
        if found is None:
            raise ProviderError("The swarm no longer knows this node.", retryable=False)
        spec = {**mapping(found.get("Spec")), **wanted}
        if spec == found.get("Spec"):
            return
        try:
            await manager.post(f"/nodes/{node_id}/update", spec, version=number(part(found, "Version", "Index")))
        except EngineError as error:
            if attempt == 5 or "out of sequence" not in error.detail:
                raise
            await asyncio.sleep(0.2 * (attempt + 1))
        else:
            return


async def remove_node(manager: EngineClient, node_id: str) -> None:
    """Take a node off the swarm's list, whether it still answers or not."""
    try:
        await manager.delete(f"/nodes/{node_id}", force=True)
    except EngineError as error:
        if error.status != 404:
            raise


async def running_tasks(manager: EngineClient, node_id: str) -> int:
    """How many tasks still run, or are meant to run, on a node."""
    tasks = sequence(await manager.get("/tasks", filters={"node": [node_id]}))
    alive = ("assigned", "accepted", "preparing", "ready", "starting", "running")
    return sum(part(task, "Status", "State") in alive for task in tasks)


async def set_ingress_mtu(manager: EngineClient, mtu: int) -> None:
    """Make the routing mesh's network carry the MTU; only possible while no service publishes a port."""
    if mtu == DEFAULT_MTU:
        return

    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        try:
            if await _ingress_carries(manager, mtu):
                return
        except EngineError as error:
            # While the old one is taken down, the swarm answers with "not found" and "in use" for a moment.
            _not_later_than(deadline, f"The swarm keeps its old ingress network: {error}")
            await asyncio.sleep(0.2)


async def _ingress_carries(manager: EngineClient, mtu: int) -> bool:
    """One step towards an ingress network with this MTU; True when it is there."""
    found = sequence(await manager.get("/networks", filters={"driver": ["overlay"]}))
    existing = next((network for network in found if part(network, "Ingress") is True), None)
    if existing and part(existing, "Options", MTU_OPTION) == str(mtu):
        return True
    if existing:
        await manager.delete(f"/networks/{existing['Id']}")
        return False
    body = {
        "Name": "ingress",
        "Driver": "overlay",
        "Ingress": True,
        "Scope": "swarm",
        "Options": {MTU_OPTION: str(mtu)},
    }
    await manager.post("/networks/create", body)
    return False


async def ensure_overlay(manager: EngineClient, name: str, mtu: int, labels: Mapping[str, str]) -> bool:
    """An attachable overlay of this name; True when it was made, False when one was there."""
    found = sequence(await manager.get("/networks", filters={"name": [name]}))
    if any(part(network, "Name") == name and part(network, "Scope") == "swarm" for network in found):
        return False
    body = {
        "Name": name,
        "Driver": "overlay",
        "Attachable": True,
        "CheckDuplicate": True,
        "Options": {MTU_OPTION: str(mtu)},
        "Labels": dict(labels),
    }
    await _ignore(manager.post("/networks/create", body), 409)
    return True


async def _ignore(call: Awaitable[Any], *statuses: int) -> None:
    try:
        await call
    except EngineError as error:
        if error.status not in statuses:
            raise


def _not_later_than(deadline: float, sentence: str) -> None:
    if time.monotonic() > deadline:
        raise ProviderError(sentence)
