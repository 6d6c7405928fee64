"""Carry one connection on a host's local socket through its link to the engine, and back."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

import asyncssh

from platform_manager.engines.flow_control import BoundedChannel

FLUSH_BYTES = 64 * 1024

OpenChannel = Callable[["EngineSide"], Awaitable[object]]


class LocalSide(asyncio.Protocol):
    """The platform's end, a client of the local socket; nothing is read before the engine's end is open."""

    def __init__(self, open_channel: OpenChannel) -> None:
        self._open_channel = open_channel
        self._engine = EngineSide(self)
        self._early: list[bytes] = []
        self._opening: asyncio.Task[None] | None = None
        self.transport: asyncio.Transport | None = None
        self.ended = False
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.pause_reading()
        self._opening = asyncio.get_running_loop().create_task(self._open())

    async def _open(self) -> None:
        try:
            await self._open_channel(self._engine)
        except (asyncssh.Error, OSError):
            if self.transport:
                self.transport.abort()
            return
        if not self.transport:
            self._engine.abort()
            return
        for data in self._early:
            self._engine.send(data)
        self._early.clear()
        if self.ended:
            self._engine.send_end()
        self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        if self._engine.opened:
            self._engine.send(data)
        elif self.transport:
            # uvloop begins to read after connection_made, whatever was said there.
            self._early.append(data)
            self.transport.pause_reading()

    def eof_received(self) -> bool:
        self.ended = True
        if self._engine.opened:
            self._engine.send_end()
        return not self._engine.ended

    def pause_writing(self) -> None:
        self._engine.hold(True)

    def resume_writing(self) -> None:
        self._engine.hold(False)

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None
        self._engine.abort()
        self.closed.set_result(None)

    def abort(self) -> None:
        """Cut the connection, with what a stalled reader left unread."""
        if self.transport:
            self._engine.flush()
            self.transport.abort()


class EngineSide(asyncssh.SSHUNIXSession[bytes]):
    """The far end: a channel of the link. Small packets of one read are written on in one go."""

    def __init__(self, local: LocalSide) -> None:
        self._local = local
        self._channel: BoundedChannel | None = None
        self._loop = asyncio.get_running_loop()
        self.opened = False
        self._received: list[bytes] = []
        self._bytes = 0
        self.ended = False

    def connection_made(self, chan: asyncssh.SSHUNIXChannel[bytes]) -> None:
        self._channel = cast(BoundedChannel, chan)
        self.opened = True

    def data_received(self, data: bytes, datatype: int | None) -> None:
        if not self._received:
            self._loop.call_soon(self.flush)
        self._received.append(data)
        self._bytes += len(data)
        if self._bytes >= FLUSH_BYTES:
            self.flush()  # now: only a write can tell the channel to stop

    def flush(self) -> None:
        """Hand on what came in."""
        if self._received and (transport := self._local.transport):
            transport.write(b"".join(self._received))
        self._received.clear()
        self._bytes = 0

    def eof_received(self) -> bool:
        self.flush()
        self.ended = True
        if transport := self._local.transport:
            if self._local.ended:
                transport.close()
            elif transport.can_write_eof():
                transport.write_eof()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self._channel = None
        self.flush()
        if transport := self._local.transport:
            # A cut link must not keep what a stalled reader left unread.
            transport.abort() if error else transport.close()

    def pause_writing(self) -> None:
        if transport := self._local.transport:
            transport.pause_reading()

    def resume_writing(self) -> None:
        if transport := self._local.transport:
            transport.resume_reading()

    def send(self, data: bytes) -> None:
        """To the engine."""
        if self._channel and not self._channel.is_closing():
            self._channel.write(data)

    def send_end(self) -> None:
        """No more to the engine; its answer may still come."""
        if self._channel and not self._channel.is_closing():
            self._channel.write_eof()

    def hold(self, held: bool) -> None:
        """Take no more from the engine while ``held``."""
        if self._channel and held:
            self._channel.pause_reading()
        elif self._channel:
            self._channel.resume_reading()

    def abort(self) -> None:
        """Give the connection up."""
        if self._channel:
            self._channel.abort()
