"""The channel layer of the embedded platform: one process, several threads, several event loops.

Channels' own in-memory layer belongs to one event loop; here the worker's threads and the hub's loop speak to the
consumers of the web's loop. Every channel remembers the loop that reads it, and a message for it is handed to that
loop. Messages are hints, so a full channel drops the newest.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from typing import Any
from uuid import uuid4

from channels.layers import BaseChannelLayer

CAPACITY = 100

Message = dict[str, Any]


class _Channel:
    def __init__(self, capacity: int) -> None:
        self.loop = asyncio.get_running_loop()
        self.queue: asyncio.Queue[Message] = asyncio.Queue(capacity)

    def put(self, message: Message) -> None:
        if not self.queue.full():
            self.queue.put_nowait(message)

    def hand_over(self, message: Message) -> None:
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        if running is self.loop:
            self.put(message)
        elif not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.put, message)


class EmbeddedLayer(BaseChannelLayer):  # type: ignore[misc]
    """Groups and channels within one process, safe to send to from any thread."""

    extensions = ["groups", "flush"]

    def __init__(self, capacity: int = CAPACITY, **options: Any) -> None:
        super().__init__(capacity=capacity, **options)
        self._lock = threading.Lock()
        self._channels: dict[str, _Channel] = {}
        self._groups: defaultdict[str, set[str]] = defaultdict(set)

    async def new_channel(self, prefix: str = "specific") -> str:
        name = f"{prefix}.embedded!{uuid4().hex}"
        self._channel(name)
        return name

    def _channel(self, name: str) -> _Channel:
        with self._lock:
            channel = self._channels.get(name)
            if channel is None:
                channel = self._channels[name] = _Channel(self.capacity)
            return channel

    async def receive(self, channel: str) -> Message:
        try:
            return await self._channel(channel).queue.get()
        except asyncio.CancelledError:
            self._forget(channel)
            raise

    async def send(self, channel: str, message: Message) -> None:
        found = self._channels.get(channel)
        if found is not None:
            found.hand_over(message)

    async def group_add(self, group: str, channel: str) -> None:
        self._channel(channel)
        with self._lock:
            self._groups[group].add(channel)

    async def group_discard(self, group: str, channel: str) -> None:
        with self._lock:
            members = self._groups.get(group, set())
            members.discard(channel)
            if not members:
                self._groups.pop(group, None)

    async def group_send(self, group: str, message: Message) -> None:
        self.group_send_at_once(group, message)

    def group_send_at_once(self, group: str, message: Message) -> None:
        """Send from any thread, with or without an event loop."""
        with self._lock:
            channels = [self._channels[name] for name in self._groups.get(group, ()) if name in self._channels]
        for channel in channels:
            channel.hand_over(dict(message))

    async def flush(self) -> None:
        with self._lock:
            self._channels.clear()
            self._groups.clear()

    def _forget(self, name: str) -> None:
        with self._lock:
            self._channels.pop(name, None)
            for group in [group for group, members in self._groups.items() if name in members]:
                self._groups[group].discard(name)
                if not self._groups[group]:
                    del self._groups[group]
