"""Containers whose own host told that they ended, before the swarm tells so of their tasks.

The swarm takes 200 ms and more to take note of an end. Its word counts as soon as it comes; until then a task is
shown as what its container's end will make it. A host is believed for the tasks of its own node alone, and only
where the manager tells that this very container is the task's, and that the task should go on running.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from platform_manager.engines.client import EngineClient, EngineError
from platform_manager.swarm import snapshot
from platform_manager.swarm.snapshot import part, text

from .awaited import TASK_ID, TASK_LABEL

# Where the swarm does not take note for so long, it is the swarm's word that counts.
KEPT_SECONDS = 10.0
MOST = 32
# A manager that answers later has taken note by itself.
ASK_SECONDS = 2.0
EXIT_CODE = re.compile(r"[0-9]{1,5}")


@dataclass(frozen=True)
class End:
    """What a host told of one container."""

    host_id: str
    task_id: str
    container_id: str
    exit_code: int
    at: str
    heard: float

    def is_of(self, task: object, node_id: str) -> bool:
        """Whether the manager's answer makes it the end of the task on this node."""
        return (
            bool(node_id)
            and part(task, "NodeID") == node_id
            and part(task, "Status", "ContainerStatus", "ContainerID") == self.container_id
            and part(task, "Status", "State") == "running"
            and part(task, "DesiredState") == "running"
        )

    def seen(self, task: snapshot.Task) -> snapshot.Task:
        """The task, ended."""
        state, error = ("failed", f"The container ended with exit code {self.exit_code}.")
        if not self.exit_code:
            state, error = "complete", ""
        return replace(task, state=state, error=error, exit_code=self.exit_code, at=self.at)


def end_of(host_id: str, event: Mapping[str, Any]) -> End | None:
    """The end that a host's event tells of; None for any other event."""
    if event.get("Type") != "container" or event.get("Action") != "die":
        return None
    container_id = text(part(event, "Actor", "ID"), 64)
    task_id = text(part(event, "Actor", "Attributes", TASK_LABEL), 64)
    code = text(part(event, "Actor", "Attributes", "exitCode"), 8)
    if not (container_id and TASK_ID.fullmatch(task_id) and EXIT_CODE.fullmatch(code)):
        return None
    return End(host_id, task_id, container_id, int(code), datetime.now(UTC).isoformat(), time.monotonic())


class EndedContainers:
    """Ends that were heard of, and those of them that the swarm has not told yet."""

    def __init__(self) -> None:
        self._heard: dict[str, End] = {}
        self._sure: dict[str, End] = {}
        self._news = asyncio.Event()

    def hear(self, host_id: str, event: Mapping[str, Any]) -> None:
        """Of too many at once only the first count; the swarm tells of the others."""
        end = end_of(host_id, event)
        if end is not None and len(self._heard) < MOST:
            self._heard[end.task_id] = end
            self._news.set()

    async def wait(self, seconds: float) -> bool:
        """Until an end is heard of, at most ``seconds``; whether one was."""
        try:
            async with asyncio.timeout(seconds):
                return await self._news.wait()
        except TimeoutError:
            return False

    async def confirm(self, manager: EngineClient, nodes: Mapping[str, str]) -> bool:
        """Ask the manager about what was heard; whether any of it is news. ``nodes``: each host's node id."""
        ends = list(self._heard.values())
        self.forget_heard()
        sure = await asyncio.gather(*(_is_sure(end, manager, nodes.get(end.host_id, "")) for end in ends))
        fresh = {end.task_id: end for end, right in zip(ends, sure, strict=True) if right}
        self._sure.update(fresh)
        return bool(fresh)

    def forget_heard(self) -> None:
        """What can't be confirmed now; the swarm will tell."""
        self._heard.clear()
        self._news.clear()

    def learn(self, tasks: Sequence[snapshot.Task]) -> None:
        """The swarm was read: what it tells of an end, or of a wish that the task ends, counts."""
        if self._sure:
            still = {task.id for task in tasks if task.state == task.desired_state == "running"}
            now = time.monotonic()
            self._sure = {
                key: end for key, end in self._sure.items() if key in still and now - end.heard < KEPT_SECONDS
            }

    def seen(self, tasks: Sequence[snapshot.Task]) -> Sequence[snapshot.Task]:
        """The tasks with their containers' ends."""
        if not self._sure:
            return tasks
        return [self._sure[task.id].seen(task) if task.id in self._sure else task for task in tasks]


async def _is_sure(end: End, manager: EngineClient, node_id: str) -> bool:
    if not node_id:
        return False
    try:
        async with asyncio.timeout(ASK_SECONDS):
            return end.is_of(await manager.get(f"/tasks/{end.task_id}"), node_id)
    except (EngineError, TimeoutError):
        return False
