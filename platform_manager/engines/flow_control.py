"""Forwarded channels that buffer at most one receive window, however slowly the local side reads.

asyncssh 2.24 opens the whole window again as soon as it delivers a piece, although megabytes of the old
window still wait behind it: a slow reader makes it buffer everything the other side has. Here a byte makes
room for another one only when it was handed on. The overridden methods are private: ``check`` refuses an
asyncssh they were not written for.
"""

import inspect

import asyncssh
from asyncssh.channel import SSHUNIXChannel
from asyncssh.constants import MSG_CHANNEL_WINDOW_ADJUST
from asyncssh.packet import UInt32

from platform_manager.errors import PlatformError

WRITTEN_FOR = "2.24."
COALESCE_BYTES = 16 * 1024
OVERRIDDEN = {
    "_accept_data": ["self", "data", "datatype"],
    "_deliver_data": ["self", "data", "datatype"],
    "_flush_recv_buf": ["self", "exc"],
}


class BoundedChannel(SSHUNIXChannel[bytes]):
    """A forwarded unix connection with honest flow control."""

    def _accept_data(self, data: bytes, datatype: int | None = None) -> None:
        if not data or self._send_state in {"close_pending", "closed"}:
            return
        self._recv_window -= len(data)
        if not self._recv_paused:
            self._deliver_data(data, datatype)
        elif self._recv_buf and len(self._recv_buf[-1][0]) < COALESCE_BYTES:
            # Engines write a packet per log line; a Python object for each would double the memory.
            self._recv_buf[-1] = (self._recv_buf[-1][0] + data, datatype)
        else:
            self._recv_buf.append((data, datatype))

    def _deliver_data(self, data: bytes, datatype: int | None) -> None:
        queued = sum(len(piece) for piece, _ in self._recv_buf) if self._recv_buf else 0
        consumed = self._init_recv_window - self._recv_window - queued
        if consumed > self._init_recv_window // 2:
            self.send_packet(MSG_CHANNEL_WINDOW_ADJUST, UInt32(consumed))
            self._recv_window += consumed
        if self._session is not None:
            self._session.data_received(data, datatype)


def check() -> None:
    """PlatformError when the installed asyncssh is not one this module was written for."""
    fits = asyncssh.__version__.startswith(WRITTEN_FOR) and all(
        list(inspect.signature(getattr(SSHUNIXChannel, name, check)).parameters) == parameters
        for name, parameters in OVERRIDDEN.items()
    )
    if not fits:
        raise PlatformError(
            f"asyncssh {asyncssh.__version__} is installed, but the links need {WRITTEN_FOR}x: "
            "another one may buffer without bound. Install the pinned requirements."
        )
