"""A reverse proxy as careless operators set them up: it forgets the Upgrade header, or loses its connections."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

HEAD = 64 * 1024
UPGRADE = re.compile(rb"\r\nUpgrade:[^\r]*", re.IGNORECASE)
CONNECTION = re.compile(rb"\r\nConnection:[^\r]*", re.IGNORECASE)


class Proxy:
    """On a thread and loop of its own. ``drops_upgrade`` and ``down`` may be changed at any time."""

    def __init__(self, target: str) -> None:
        self.drops_upgrade = False
        self.down = False
        self.url = ""
        self._target = urlsplit(target)
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """No connection lives, and none is answered until ``heal``."""
        self.down = True
        asyncio.run_coroutine_threadsafe(self._abort(), self._loop).result(5)

    def heal(self) -> None:
        self.down = False

    async def _abort(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.down:
            writer.transport.abort()
            return
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n"))[:-4]
            onward, back = await asyncio.open_connection(self._target.hostname, self._target.port)
            self._open |= {writer, back}
            try:
                back.write(self._changed(head) + b"\r\n\r\n")
                await asyncio.gather(pipe(reader, back), pipe(onward, writer))
            finally:
                self._open -= {writer, back}
                back.transport.abort()
        writer.close()

    def _changed(self, head: bytes) -> bytes:
        """One request a connection, so that each one's head is seen here; websockets keep theirs."""
        if UPGRADE.search(head) and not self.drops_upgrade:
            return head
        return CONNECTION.sub(b"", UPGRADE.sub(b"", head)) + b"\r\nConnection: close"

    async def _start(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=HEAD)

    @contextlib.contextmanager
    def running(self) -> Iterator[Proxy]:
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        server = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(5)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            self.cut()
            asyncio.run_coroutine_threadsafe(self._end(server), self._loop).result(5)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(5)
            self._loop.close()

    async def _end(self, server: asyncio.Server) -> None:
        server.close()
        mine = asyncio.current_task()
        waiting = [task for task in asyncio.all_tasks() if task is not mine]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(HEAD):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
