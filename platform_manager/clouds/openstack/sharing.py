"""One call for all who ask the same at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Shared(Generic[Value]):
    """Calls by key and event loop, as drivers are used from several loops."""

    def __init__(self) -> None:
        self._calls: dict[tuple[asyncio.AbstractEventLoop, Hashable], asyncio.Task[Value]] = {}

    async def fresh(self, key: Hashable, call: Callable[[], Awaitable[Value]], *, after: float = 0) -> Value:
        """An answer as of not before now, asked for ``after`` seconds from the first who wants it."""
        return await self._join(key, call, after, until_answered=False)

    async def same(self, key: Hashable, call: Callable[[], Awaitable[Value]]) -> Value:
        """The answer of the call under way, whenever it began: for what may be done twice but need not."""
        return await self._join(key, call, 0, until_answered=True)

    async def _join(
        self, key: Hashable, call: Callable[[], Awaitable[Value]], after: float, *, until_answered: bool
    ) -> Value:
        place = (asyncio.get_running_loop(), key)

        async def ask() -> Value:
            try:
                await asyncio.sleep(after)
                if not until_answered:
                    del self._calls[place]  # who comes from here on needs a newer answer
                return await call()
            finally:
                if self._calls.get(place) is task:
                    del self._calls[place]

        if (task := self._calls.get(place)) is None:
            task = self._calls[place] = asyncio.create_task(ask())
        return await asyncio.shield(task)
