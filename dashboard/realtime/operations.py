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

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from dashboard.models.hints import operation_group
from dashboard.pages.operations import Progress

NOT_FOUND = 4404
# Hints are lossy; a look now and then bounds what a lost one costs.
LOOK_EVERY = 10.0
# Lines come in bursts: what arrives within this time travels in one message.
GATHER = 0.05


def cursor(query: bytes) -> int:
    """``after`` of the query string; 0 for anything that is no number."""
    asked = parse_qs(query.decode("ascii", "replace")).get("after", ["0"])[0]
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0


class OperationConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Sends what its viewer lacks, in order, until the operation has ended."""

    async def connect(self) -> None:
        self._group = ""
        self._sender: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        user = self.scope.get("user")
        operation_id = self.scope["url_route"]["kwargs"]["operation_id"]
        if user is None or not user.is_authenticated:
            await self.close(NOT_FOUND)
            return
        progress = Progress(UUID(str(operation_id)), user.pk, cursor(self.scope.get("query_string", b"")))
        if not await database_sync_to_async(progress.allowed)():
            await self.close(NOT_FOUND)
            return
        self._group = operation_group(operation_id)
        await self.channel_layer.group_add(self._group, self.channel_name)
        await self.accept()
        self._sender = asyncio.create_task(self._send_all(progress))

    async def changed(self, hint: dict[str, Any]) -> None:
        self._changed.set()

    async def disconnect(self, code: int) -> None:
        if self._group:
            await self.channel_layer.group_discard(self._group, self.channel_name)
        if self._sender is not None:
            self._sender.cancel()

    async def _send_all(self, progress: Progress) -> None:
        load = database_sync_to_async(progress.next)
        while True:
            message, more = await load()
            if message is None:
                await self.close(NOT_FOUND)
                return
            if any(message.get(part) for part in ("contents", "replace", "append", "done")):
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
