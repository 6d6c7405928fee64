"""An engine made of raw bytes on a unix socket, as polite or as hostile as a test wants it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from platform_manager.engines.client import Limits

LIMITS = Limits(answer_bytes=1024 * 1024, answer_seconds=15, line_bytes=65536, frame_bytes=65536)
# For engines that are silent on purpose.
HASTY = replace(LIMITS, answer_seconds=1)
PING = b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\nOK"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"


@dataclass
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """Without version and query."""
        path = self.target.partition("?")[0]
        return "/" + path.split("/", 2)[2] if path.startswith("/v1.") else path


Answer = bytes | Callable[[asyncio.StreamWriter, Request], Awaitable[None]]


class FakeEngine:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.requests: list[Request] = []
        self.answers: dict[str, Answer] = {"/_ping": PING}
        self.writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    async def stop(self) -> None:
        assert self._server
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Break all connections."""
        for writer in self.writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        try:
            while request := await read_request(reader):
                self.requests.append(request)
                answer = self.answers.get(request.path, http({"message": "no such path"}, status=404))
                if callable(answer):
                    await answer(writer, request)
                    break
                writer.write(answer)
                await writer.drain()
                if b"Content-Length" not in answer and b"chunked" not in answer:
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    line = (await reader.readline()).decode()
    if not line:
        return None
    method, target, _ = line.split(" ")
    headers = {}
    while line := (await reader.readline()).decode().strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = b""
    if headers.get("transfer-encoding") == "chunked":
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    elif length := int(headers.get("content-length", 0)):
        body = await reader.readexactly(length)
    return Request(method, target, headers, body)


def http(value: Any, *, status: int = 200, headers: str = "") -> bytes:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    head = f"HTTP/1.1 {status} Told\r\nContent-Type: application/json\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def chunked(*pieces: bytes) -> bytes:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def frame(stream: int, data: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


def endless(head: bytes, piece: bytes) -> Answer:
    """Send ``piece`` for ever, as fast as it is read."""

    async def answer(writer: asyncio.StreamWriter, _: Request) -> None:
        writer.write(head)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()

    return answer


def hanging(head: bytes = b"") -> Answer:
    """Send ``head`` and then nothing, with the connection open."""

    async def answer(writer: asyncio.StreamWriter, _: Request) -> None:
        writer.write(head)
        await asyncio.Event().wait()

    return answer


def cut_off(head: bytes) -> Answer:
    """Send ``head`` and close the connection."""

    async def answer(writer: asyncio.StreamWriter, _: Request) -> None:
        writer.write(head)

    return answer
