"""Stacks on a swarm: read them, judge them, remove them. What belongs to a stack carries its label."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from typing import Any, Protocol

from platform_manager.engines.errors import EngineError

from .judgement import ServiceStatus, StackState, StackStatus, judge, lacking, steadied
from .snapshot import STACK_LABEL, Json, answers, mapping, part, text
from .tasks import TaskFailure

__all__ = [
    "STACK_LABEL",
    "ServiceStatus",
    "StackState",
    "StackStatus",
    "TaskFailure",
    "judge",
    "lacking",
    "list_stacks",
    "nodes_without",
    "read",
    "remains",
    "remove",
    "steadied",
    "strangers",
]

_OBJECTS = ("secrets", "configs", "networks")
_ENDED = ("complete", "shutdown", "failed", "rejected", "remove", "orphaned")


class Client(Protocol):
    async def get(self, path: str, **params: Any) -> Any: ...

    async def delete(self, path: str, **params: Any) -> Any: ...


def list_stacks(services: Iterable[Json]) -> dict[str, list[Json]]:
    """The services of each stack, by its name; services outside stacks are left out."""
    stacks: dict[str, list[Json]] = {}
    for service in services:
        if name := text(part(service, "Spec", "Labels", STACK_LABEL), 255):
            stacks.setdefault(name, []).append(service)
    return stacks


def nodes_without(nodes: Iterable[Json], silent: Collection[str]) -> list[Json]:
    """The nodes, those of hosts that are ``silent`` (ids of nodes) as down where the swarm does not know better.

    A new leader takes half a minute to give up a node that never reported to it.
    """
    return [_down(node) if text(node.get("ID"), 64) in silent and _is_unknown(node) else node for node in nodes]


def _is_unknown(node: Json) -> bool:
    return bool(part(node, "Status", "State") == "unknown")


def _down(node: Json) -> Json:
    return {**node, "Status": {**mapping(part(node, "Status")), "State": "down"}}


async def read(client: Client, stack: str) -> tuple[list[Json], list[Json], list[Json]]:
    """The services and tasks of a stack, and all nodes: what :func:`judge` takes. Raises EngineError."""
    services, tasks, nodes = await asyncio.gather(
        _list(client, "/services", stack), _list(client, "/tasks", stack), _list(client, "/nodes")
    )
    return services, tasks, nodes


async def remove(client: Client, stack: str) -> None:
    """One round: everything that can be removed now is. What tasks still use stays for the next round.

    Volumes stay on their hosts. Removing what is gone already is no error.
    """
    for service in await _list(client, "/services", stack):
        await _delete(client, f"/services/{_id(service)}")
    for kind in _OBJECTS:
        for found in await _list(client, f"/{kind}", stack):
            await _delete(client, f"/{kind}/{_id(found)}")


async def strangers(client: Client, stack: str, names: Iterable[str]) -> dict[str, str]:
    """Which of a stack's services, by their short ``names``, others have: the stack ("" for none). EngineError.

    The CLI would make networks, secrets and configs first, and stop there.
    """
    wanted = {f"{stack}_{name}" for name in names}
    answer = await client.get("/services", filters={"name": [f"{stack}_"]})
    found = {_name(one): one for one in answer if isinstance(one, dict)} if isinstance(answer, list) else {}
    owners = {name: text(part(found[name], "Spec", "Labels", STACK_LABEL), 255) for name in wanted & set(found)}
    return {name: owner for name, owner in sorted(owners.items()) if owner != stack}


async def remains(client: Client, stack: str) -> list[str]:
    """What is left of a stack, in words; not tasks of hosts that don't answer: nobody can end those."""
    left = [f"service {_name(found)}" for found in await _list(client, "/services", stack)]
    there = {_id(node) for node in await _list(client, "/nodes") if answers(node)}
    for task in await _list(client, "/tasks", stack):
        if part(task, "Status", "State") not in _ENDED and text(task.get("NodeID"), 64) in there:
            left.append(f"task {_id(task)}")
    for kind in _OBJECTS:
        left += [f"{kind[:-1]} {_name(found)}" for found in await _list(client, f"/{kind}", stack)]
    return left


async def _list(client: Client, path: str, stack: str = "") -> list[Json]:
    filters = {"filters": {"label": [f"{STACK_LABEL}={stack}"]}} if stack else {}
    answer = await client.get(path, **filters)
    return [item for item in answer if isinstance(item, dict)] if isinstance(answer, list) else []


async def _delete(client: Client, path: str) -> None:
    try:
        await client.delete(path)
    except EngineError as error:
        if not (_gone(error) or _in_use(error)):
            raise


def _gone(error: EngineError) -> bool:
    # For a network that went meanwhile the engine says 500.
    return error.status == 404 or (error.status == 500 and "not found" in str(error).lower())


def _in_use(error: EngineError) -> bool:
    words = str(error).lower()
    return error.status in (400, 403, 409, 500) and ("in use" in words or "active endpoints" in words)


def _id(found: Json) -> str:
    return text(found.get("ID") or found.get("Id"), 128)


def _name(found: Json) -> str:
    return text(part(found, "Spec", "Name") or found.get("Name"), 255) or _id(found)
