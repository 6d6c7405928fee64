"""What the websockets of all pages share: members only, a group of hints to hear, and work that ends with them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

log = logging.getLogger("platform.realtime")

# Close codes: the browser does not come back after the first, and does after the second.
NOT_FOUND = 4404
BROKEN = 1011


class MemberConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """A websocket for who may see what its page shows; anybody else is answered as if there was nothing.

    Subclasses say in :meth:`admit` which groups a viewer hears, and start their work in :meth:`begin`.
    A hint sets ``_changed``.
    """

    async def admit(self) -> Iterable[str] | None:
        """The groups whose hints concern this viewer; None for who may see nothing here."""
        raise NotImplementedError

    async def begin(self) -> None:
        """The viewer is connected."""
        raise NotImplementedError

    async def connect(self) -> None:
        self._groups: set[str] = set()
        self._work: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        groups = await self.admit()
        if groups is None:
            await self._refuse()
            return
        await self._hear(set(groups))
        await self.accept()
        await self.begin()

    async def disconnect(self, code: int) -> None:
        await self._hear(set())
        work = list(self._work)
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Browsers have nothing to say here."""

    async def changed(self, hint: dict[str, Any]) -> None:
        self._changed.set()

    async def _hear(self, groups: set[str]) -> None:
        """From now on hints of these groups come, and of no others."""
        before, self._groups = self._groups, groups
        for group in groups - before:
            await self.channel_layer.group_add(group, self.channel_name)
        for group in before - groups:
            await self.channel_layer.group_discard(group, self.channel_name)

    async def _refuse(self) -> None:
        """404 where the server can answer the handshake like a page; else it closes, which browsers see as 403."""
        if "websocket.http.response" not in (self.scope.get("extensions") or {}):
            await self.close(NOT_FOUND)
            return
        await self.base_send({"type": "websocket.http.response.start", "status": 404, "headers": []})
        await self.base_send({"type": "websocket.http.response.body", "body": b""})

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Work that is cancelled when the viewer goes."""
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        error = None if task.cancelled() else task.exception()
        # The server raises OSError for a viewer who has gone.
        if error is None or isinstance(error, OSError):
            return
        log.error("the work for a viewer of %s stopped", self.scope.get("path"), exc_info=error)
        # Without it the page would stand still and look alive; the browser connects again.
        self._spawn(self.close(BROKEN))
