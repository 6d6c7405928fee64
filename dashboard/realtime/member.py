"""What the websockets of all pages share: members only, a group of hints to hear, and work that ends with them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from typing import Any
from uuid import UUID

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from dashboard.models.hints import environment_group, user_group
from dashboard.models.permissions import is_operator

from .doors import Pass, door

log = logging.getLogger("platform.realtime")

# Close codes: the browser does not come back after the first two, and does after the third.
NOT_FOUND = 4404
TOO_MANY = 4429
BROKEN = 1011
# Hints after which who may look is looked at again.
ACCESS_HINTS = ("members", "access")
FULL = "You have {} live pages open, as many as one may. Close some, then reload this one."


class MemberConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """A websocket for who may see what its page shows; anybody else is answered as if there was nothing.

    Subclasses say in :meth:`admit` which groups a viewer hears and set ``environment_id`` where the page is one
    environment's; they start their work in :meth:`begin`. A hint that :meth:`concerns` them sets ``_changed``.
    """

    environment_id: UUID | None = None
    # Whether the page of a deleted environment can be looked at.
    deleted_too = False
    _closed = False

    async def admit(self) -> Iterable[str] | None:
        """The groups whose hints concern this viewer; None for who may see nothing here."""
        raise NotImplementedError

    async def begin(self) -> None:
        """The viewer is connected."""
        raise NotImplementedError

    def concerns(self, hint: dict[str, Any]) -> bool:
        """Whether the page may look different after this hint."""
        return True

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            door().leave(self)

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Channels' own looks after database connections as well, on the one thread that all consumers share.

        What browsers send is not looked at: they have nothing to say here.
        """
        if message["type"] == "changed":
            await self.changed(message)
        elif message["type"] == "websocket.connect":
            await self.connect()
        elif message["type"] == "websocket.disconnect":
            await self.disconnect(message["code"])
            raise StopConsumer

    async def connect(self) -> None:
        self._always: set[str] = set()
        self._groups: set[str] = set()
        self._work: set[asyncio.Task[Any]] = set()
        self._changed = asyncio.Event()
        user = self.scope.get("user")
        groups = await self.admit() if user is not None and user.is_authenticated else None
        if user is None or groups is None:
            await self._refuse()
            return
        session = getattr(self.scope.get("session"), "session_key", None)
        found = Pass(user.pk, session, self.environment_id, self.deleted_too, is_operator(user))
        if not door().enter(self, found):
            await self.accept()
            await self.close(TOO_MANY, FULL.format(settings.PM_SOCKETS_PER_USER))
            return
        self._always = {user_group(user.pk)}
        if self.environment_id:
            self._always.add(environment_group(self.environment_id))
        await self._hear(set(groups))
        await self.accept()
        await self.begin()

    async def disconnect(self, code: int) -> None:
        self._always = set()
        await self._hear(set())
        work = list(self._work)
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        """End the work and close, once."""
        if self._closed:
            return
        self._closed = True
        for task in self._work - {asyncio.current_task()}:
            task.cancel()
        await super().close(code, reason)

    async def changed(self, hint: dict[str, Any]) -> None:
        if hint.get("what") in ACCESS_HINTS:
            door().look_soon(self)
        if self.concerns(hint):
            self._changed.set()

    async def turn_out(self) -> None:
        """Close: the viewer may see nothing here any more."""
        door().leave(self)
        await self.close(NOT_FOUND)

    async def _hear(self, groups: set[str]) -> None:
        """From now on hints of these groups come, of the user's and the environment's own, and of no others."""
        groups = groups | self._always
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

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._work.discard(task)
        error = None if task.cancelled() else task.exception()
        # The server raises OSError for a viewer who has gone.
        if error is None or isinstance(error, OSError):
            return
        log.error("the work for a viewer of %s stopped", self.scope.get("path"), exc_info=error)
        # Without it the page would stand still and look alive; the browser connects again.
        self._spawn(self.close(BROKEN))
