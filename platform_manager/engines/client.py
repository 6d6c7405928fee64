"""A thin asynchronous client of the Docker Engine API on a local unix socket, for engines nobody trusts.

Every answer is capped in bytes, seconds and depth (``Limits``), no redirect is followed, nothing is
unpacked. Streams end normally only when the engine ended them; a connection cut in the middle raises
EngineUnreachable.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from platform_manager.engines.answers import Limits, Param, parse_json, query
from platform_manager.engines.errors import (
    EngineAnswerTooLarge,
    EngineError,
    EngineUnreachable,
    refused,
)
from platform_manager.engines.logs import FrameSplitter, LogParser, Run, TerminalParser

__all__ = ["EngineAnswerTooLarge", "EngineClient", "EngineError", "EngineUnreachable", "Limits", "RawAnswer", "Run"]

NEWEST_VERSION = (1, 47)
READ_BYTES = 128 * 1024
ABOUT_ENGINE = ("Api-Version", "Docker-Experimental", "Ostype", "Server", "Swarm")
VERSION = re.compile(r"(\d{1,2})\.(\d{1,3})")
PATH = re.compile(r"(?:/(?!\.\.?(?:/|$))[A-Za-z0-9_.:@%+=-]*)+")
IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}")

Body = Mapping[str, Any] | Sequence[Any] | bytes | None


@dataclass(frozen=True)
class RawAnswer:
    """An answer nobody has looked into; ``headers`` are those about the engine and its API."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class EngineClient:
    """One engine: one pool of connections and one negotiated API version, reused. For one event loop."""

    def __init__(self, socket: Path | str, *, limits: Limits | None = None) -> None:
        self.socket = Path(socket)
        self.limits = limits or Limits()
        self._session: aiohttp.ClientSession | None = None
        self._version = ""
        self._negotiating = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections; the client can't be used afterwards."""
        if self._session:
            await self._session.close()

    async def version(self) -> str:
        """The API version spoken with this engine, such as "1.41"; asked once."""
        async with self._negotiating:
            if not self._version:
                async with self._deadline(None), self._open("GET", "/_ping", versioned=False) as answer:
                    await self._read(answer)
                    match = VERSION.fullmatch(answer.headers.get("Api-Version", ""))
                if not match:
                    raise EngineError("What answers on the host's socket is not a Docker engine.")
                major, minor = min((int(match[1]), int(match[2])), NEWEST_VERSION)
                self._version = f"{major}.{minor}"
            return self._version

    async def get(self, path: str, *, headers: Mapping[str, str] | None = None, **params: Param) -> Any:
        """Parsed JSON, the text of another kind of answer, or None for an empty one."""
        return await self._call("GET", path, params, headers=headers)

    async def raw(self, path: str, **params: Param) -> RawAnswer:
        """What GET gives, unread, a refusal too; ``path`` begins with the version, as in "/v1.41/info"."""
        try:
            async with self._deadline(None), self._open("GET", path, params, versioned=False) as answer:
                told = {name: answer.headers[name] for name in ABOUT_ENGINE if name in answer.headers}
                return RawAnswer(answer.status, answer.content_type, await self._read(answer), told)
        except EngineError as error:
            if not error.status:
                raise
            return RawAnswer(error.status, "application/json", json.dumps({"message": error.detail}).encode())

    async def post(
        self,
        path: str,
        body: Body = None,
        *,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
        **params: Param,
    ) -> Any:
        """As ``get``; ``body`` is sent as JSON, bytes as a tar archive; ``timeout`` in seconds for all.

        EngineUnreachable here is ambiguous: the engine may have done it. Read again before trying again.
        """
        return await self._call("POST", path, params, body, headers=headers, timeout=timeout)

    async def put(self, path: str, body: Body = None, *, timeout: float | None = None, **params: Param) -> Any:
        """As ``post``, for uploads of archives into containers."""
        return await self._call("PUT", path, params, body, timeout=timeout)

    async def delete(self, path: str, **params: Param) -> Any:
        """As ``get``."""
        return await self._call("DELETE", path, params)

    async def json_lines(
        self,
        path: str,
        *,
        method: Literal["GET", "POST"] = "GET",
        idle: float | None = None,
        headers: Mapping[str, str] | None = None,
        **params: Param,
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The objects of a stream of JSON lines (/events, /images/create), as they come.

        ``idle``: seconds without a byte after which the engine counts as unreachable; None waits for ever.
        """
        # /events answers its head at once, a pull only with its first line.
        first = idle or (self.limits.answer_seconds if method == "GET" else None)
        async with self._open(method, path, params, headers=headers, idle=idle, first=first) as answer:
            async for line in self._json_lines(answer):
                yield line

    async def container_logs(
        self, container_id: str, *, tty: bool, timestamps: bool = True, details: bool = False, **params: Param
    ) -> AsyncGenerator[list[Run], None]:
        """Log lines in batches, one per read: runs of whole lines, (1 stdout or 2 stderr, bytes).

        ``params``: the engine's follow, since, until, tail, stdout and stderr (both true by default).
        ``tty`` is the container's Config.Tty. Nothing is read while the consumer is busy.
        """
        path = f"/containers/{identifier(container_id)}/logs"
        wanted = {"stdout": True, "stderr": True, **params, "timestamps": timestamps, "details": details}
        cap = self.limits.frame_bytes
        parser = TerminalParser(cap) if tty else LogParser(cap, timestamps + details)
        async with self._open("GET", path, wanted, first=self.limits.answer_seconds) as answer:
            async for piece in self._pieces(answer):
                if runs := parser.feed(piece):
                    yield runs
        if runs := parser.finish():
            yield runs

    async def download(self, path: str, *, idle: float | None = 60, **params: Param) -> AsyncGenerator[bytes, None]:
        """A large answer in pieces (/images/get), without a cap on its size."""
        async with self._open("GET", path, params, idle=idle, first=idle) as answer:
            async for piece in self._pieces(answer):
                yield piece

    async def upload(
        self, path: str, chunks: AsyncIterator[bytes], *, timeout: float | None = None, **params: Param
    ) -> dict[str, Any]:
        """Send an archive in pieces (/images/load); the last progress line, EngineError when it failed."""
        last: dict[str, Any] = {}
        async with self._deadline(timeout or 3600), self._open("POST", path, params, chunks) as answer:
            async for last in self._json_lines(answer):
                if "error" in last:
                    raise refused(answer.status, str(last["error"]))
        return last

    async def run(
        self, container_id: str, argv: Sequence[str], *, timeout: float, limit_bytes: int
    ) -> tuple[int, bytes]:
        """Run a command in a container: its exit code and output, both streams, cut at ``limit_bytes``.

        When that comes too late or is cut, the command goes on in the container: give it its own timeout.
        """
        path = f"/containers/{identifier(container_id)}/exec"
        output = bytearray()
        async with self._deadline(timeout):
            body = {"AttachStdout": True, "AttachStderr": True, "Cmd": list(argv)}
            exec_id = identifier(str((await self.post(path, body))["Id"]))
            start = {"Detach": False, "Tty": False}
            frames = FrameSplitter(self.limits.frame_bytes)
            async with self._open("POST", f"/exec/{exec_id}/start", {}, start) as answer:
                async for piece in self._pieces(answer):
                    for _, data in frames.feed(piece):
                        output += data[: limit_bytes - len(output)]
            code = (await self.get(f"/exec/{exec_id}/json"))["ExitCode"]
        return -1 if code is None else int(code), bytes(output)

    async def _call(
        self,
        method: str,
        path: str,
        params: Mapping[str, Param],
        body: Body = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Any:
        async with self._deadline(timeout), self._open(method, path, params, body, headers=headers) as answer:
            content = await self._read(answer)
            if not content:
                return None
            if answer.content_type.endswith("json"):
                return parse_json(content, self.limits)
            return content.decode(errors="replace")

    @asynccontextmanager
    async def _open(
        self,
        method: str,
        path: str,
        params: Mapping[str, Param] | None = None,
        body: Body | AsyncIterator[bytes] = None,
        *,
        headers: Mapping[str, str] | None = None,
        idle: float | None = None,
        first: float | None = None,
        versioned: bool = True,
    ) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        """The answer, its status checked: ``first`` seconds to its head, then ``idle`` between two reads."""
        if not PATH.fullmatch(path):
            raise ValueError(f"not a path of the engine's API: {path!r}")
        data, sent = encoded(body)
        with self._broken_connections():
            async with asyncio.timeout(first) as starting:
                prefix = f"/v{await self.version()}" if versioned else ""
                url = URL(f"http://engine{prefix}{path}?{urlencode(query(params or {}))}", encoded=True)
                answer = await self._pool().request(
                    method,
                    url,
                    data=data,
                    headers={**sent, **(headers or {})},
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=self.limits.connect_seconds, sock_read=idle),
                )
                starting.reschedule(None)
            async with answer:
                if not 200 <= answer.status < 300:
                    raise await self._refusal(answer)
                yield answer

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(str(self.socket), limit=self.limits.connections),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Accept-Encoding": "identity", "User-Agent": "platform-manager"},
                auto_decompress=False,
                read_bufsize=READ_BYTES,
            )
        return self._session

    @asynccontextmanager
    async def _deadline(self, seconds: float | None) -> AsyncGenerator[None, None]:
        seconds = seconds or self.limits.answer_seconds
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise EngineUnreachable(f"The Docker engine did not answer within {seconds:g} seconds.") from None

    @contextmanager
    def _broken_connections(self) -> Any:
        try:
            yield
        except TimeoutError:
            raise EngineUnreachable("The Docker engine fell silent.") from None
        except aiohttp.ClientConnectorError as error:
            raise EngineUnreachable(
                f"The host's engine can't be reached ({error.os_error.strerror}): its link is down."
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            raise EngineUnreachable(f"The connection to the Docker engine broke ({type(error).__name__}).") from None

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        content = bytearray()
        async for piece in self._pieces(answer):
            content += piece
            if len(content) > self.limits.answer_bytes:
                raise EngineAnswerTooLarge(
                    f"The Docker engine's answer is larger than {self.limits.answer_bytes} bytes."
                )
        return bytes(content)

    async def _pieces(self, answer: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
        while piece := await answer.content.readany():
            yield piece

    async def _json_lines(self, answer: aiohttp.ClientResponse) -> AsyncGenerator[dict[str, Any], None]:
        held = bytearray()
        async for piece in self._pieces(answer):
            *lines, rest = piece.split(b"\n")
            for line in lines:
                held += line
                if value := self._json_line(held):
                    yield value
                held.clear()
            held += rest
            if len(held) > self.limits.line_bytes:
                raise EngineAnswerTooLarge(f"The Docker engine sent a line longer than {self.limits.line_bytes} bytes.")
        if value := self._json_line(held):
            yield value

    def _json_line(self, line: bytearray) -> dict[str, Any]:
        if not line.strip():
            return {}
        value = parse_json(bytes(line), self.limits)
        if not isinstance(value, dict):
            raise EngineError("The Docker engine sent a line that is not a JSON object.")
        return value

    async def _refusal(self, answer: aiohttp.ClientResponse) -> EngineError:
        async with self._deadline(None):
            words = bytes(await self._read(answer)).decode(errors="replace")
        if answer.content_type.endswith("json"):
            value = parse_json(words.encode(), self.limits)
            words = str(value.get("message", "")) if isinstance(value, dict) else ""
        if answer.status == 400 and "client version" in words:
            self._version = ""  # the engine was upgraded behind its link: negotiate again next time
        return refused(answer.status, words)


def encoded(
    body: Body | AsyncIterator[bytes],
) -> tuple[BinaryIO | AsyncIterator[bytes] | None, dict[str, str]]:
    """What is sent for a body, in pieces whatever its size, and its type."""
    if body is None:
        return None, {}
    if isinstance(body, bytes):
        return BytesIO(body), {"Content-Type": "application/x-tar"}
    if isinstance(body, Mapping | Sequence):
        return BytesIO(json.dumps(body).encode()), {"Content-Type": "application/json"}
    return body, {"Content-Type": "application/x-tar"}


def identifier(value: str) -> str:
    """``value`` when it can be an id or a name in a path; a host that claims another one gets no request."""
    if not IDENTIFIER.fullmatch(value):
        raise EngineError(f"The Docker engine named something {value[:80]!r}, which can't be a name.")
    return value
