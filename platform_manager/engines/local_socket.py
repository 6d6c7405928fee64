"""The local unix socket of one host: accepts the platform's connections, and cuts all of them when the link is down.

asyncio's own server forgets a connection that it accepts in the moment it is closed: nobody serves it, nobody
closes it, and its client waits for ever. Here each connection is known from accept on.
"""

import asyncio
import logging
import os
from contextlib import suppress
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM, socket

from platform_manager.engines.bridge import LocalSide, OpenChannel

BACKLOG = 256
# Accepting failed, most likely for want of file descriptors: others may be closed soon.
REST_SECONDS = 1

logger = logging.getLogger(__name__)


class LocalSocket:
    """A listening socket; all methods belong to the running event loop."""

    def __init__(self, path: Path, open_channel: OpenChannel) -> None:
        """Listen at ``path``, for this user only; OSError when it can't be made."""
        self._open_channel = open_channel
        self._loop = asyncio.get_running_loop()
        self._starting: set[asyncio.Task[None]] = set()
        self._sides: set[LocalSide] = set()
        self._rest: asyncio.TimerHandle | None = None
        self._closed = False
        self._listener = socket(AF_UNIX, SOCK_STREAM)
        try:
            self._listener.bind(os.fspath(path))
            path.chmod(0o600)
            self._listener.listen(BACKLOG)
        except OSError:
            self._listener.close()
            raise
        self._listener.setblocking(False)
        self._loop.add_reader(self._listener, self._accept)

    def close(self) -> None:
        """Accept no more and cut all connections."""
        if self._closed:
            return
        self._closed = True
        if self._rest:
            self._rest.cancel()
        self._loop.remove_reader(self._listener)
        self._listener.close()
        for side in self._sides:
            side.abort()

    async def wait_closed(self) -> None:
        """Return when all connections of a closed socket are gone."""
        while waiting := [*self._starting, *(side.closed for side in self._sides)]:
            await asyncio.wait(waiting)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:
            logger.error("A host's socket can't accept a connection: %s", error)
            self._loop.remove_reader(self._listener)
            self._rest = self._loop.call_later(REST_SECONDS, self._loop.add_reader, self._listener, self._accept)
            return
        connection.setblocking(False)
        task = self._loop.create_task(self._serve(connection))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _serve(self, connection: socket) -> None:
        with suppress(OSError):
            _, side = await self._loop.connect_accepted_socket(lambda: LocalSide(self._open_channel), connection)
            self._sides.add(side)
            side.closed.add_done_callback(lambda _: self._sides.discard(side))
            if self._closed:
                side.abort()
