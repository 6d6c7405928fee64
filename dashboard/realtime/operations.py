"""The websocket of an operation's page: steps and log lines as they come.

A hint on the channel layer says only that something changed; what changed is read from the database, so a
lost hint or a reconnect loses nothing. At most one load is under way for a viewer; hints that come meanwhile
become one more.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from dashboard.models import Operation
from dashboard.models.hints import operation_group
from dashboard.pages.host_tracks import follows_hosts
from dashboard.pages.operations import Progress

from .member import ACCESS_HINTS, NOT_FOUND, MemberConsumer
from .threads import in_thread

# Hints are lossy; a look now and then bounds what a lost one costs.
LOOK_EVERY = 10.0
# Lines come in bursts: what arrives within this time travels in one message.
GATHER = 0.05


def cursor(query: bytes) -> int:
    """``after`` of the query string; 0 for anything that is no number."""
    asked = parse_qs(query.decode("ascii", "replace")).get("after", ["0"])[0]
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0


def about(operation_id: UUID) -> tuple[UUID, str] | None:
    """Its environment and its kind; None when it is gone."""
    return Operation.objects.filter(pk=operation_id).values_list("environment_id", "kind").first()


class OperationConsumer(MemberConsumer):
    """Sends what its viewer lacks, in order, until the operation has ended."""

    # Members go on watching when the operation deletes its own environment.
    deleted_too = True

    async def admit(self) -> list[str] | None:
        operation_id: UUID = self.scope["url_route"]["kwargs"]["operation_id"]
        self._progress = Progress(operation_id, self.scope["user"], cursor(self.scope.get("query_string", b"")))
        found = await in_thread(about, operation_id) if await in_thread(self._progress.allowed) else None
        if found is None:
            return None
        self.environment_id, kind = found
        self._heard = (*ACCESS_HINTS, "rows") if follows_hosts(kind) else ACCESS_HINTS
        return [operation_group(operation_id)]

    def concerns(self, hint: dict[str, Any]) -> bool:
        """Its own hints say nothing of what changed; those of the environment do, as when a host has come further."""
        return hint.get("what", "access") in self._heard

    async def begin(self) -> None:
        self._spawn(self._send_all(self._progress))

    async def _send_all(self, progress: Progress) -> None:
        while True:
            message, more = await in_thread(progress.next)
            if message is None:
                await self.close(NOT_FOUND)
                return
            if any(message.get(part) for part in ("contents", "replace", "append", "remove", "done")):
                await self.send(json.dumps(message))
            if message.get("done"):
                return
            if not more:
                await self._wait()

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._changed.wait(), LOOK_EVERY)
            await asyncio.sleep(GATHER)
        except TimeoutError:
            pass
        self._changed.clear()
