"""Tasks whose containers had an event: the manager tells their change up to some 300 ms later than the host.

Asking for one task costs a millisecond in a swarm of any size, so it is asked often, and the whole swarm is read
only once there is something new in it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from typing import Any

from platform_manager.engines.client import EngineClient, EngineError
from platform_manager.swarm import snapshot

TASK_LABEL = "com.docker.swarm.task.id"
TASK_ID = re.compile(r"[a-z0-9]{1,64}")
MOST = 16
# The next look at the whole swarm tells it as well.
ASK_SECONDS = 2.0

State = tuple[str, str]


class AwaitedTasks:
    """Those the swarm still tells to be as they were when their event came."""

    def __init__(self) -> None:
        self._known: dict[str, State] = {}
        self._before: dict[str, State | None] = {}

    def expect(self, event: Mapping[str, Any]) -> None:
        """Wait for the task of a container's event; events of anything else, and too many, are passed over."""
        task_id = snapshot.text(snapshot.part(event, "Actor", "Attributes", TASK_LABEL), 64)
        if TASK_ID.fullmatch(task_id) and len(self._before) < MOST:
            self._before.setdefault(task_id, self._known.get(task_id))

    def learn(self, tasks: Iterable[snapshot.Task]) -> None:
        """The swarm was read: what has changed is awaited no more."""
        self._known = {task.id: (task.state, task.desired_state) for task in tasks}
        self._before = {key: before for key, before in self._before.items() if self._known.get(key) == before}

    def give_up(self) -> None:
        self._before.clear()

    async def changed(self, manager: EngineClient) -> bool:
        """Whether the manager tells another state of one of them by now."""
        for task_id, before in list(self._before.items()):
            try:
                async with asyncio.timeout(ASK_SECONDS):
                    answer = await manager.get(f"/tasks/{task_id}")
            except (EngineError, TimeoutError):
                self._before.pop(task_id, None)
                continue
            state = snapshot.text(snapshot.part(answer, "Status", "State"), 20)
            if (state, snapshot.text(snapshot.part(answer, "DesiredState"), 20)) != before:
                return True
        return False
