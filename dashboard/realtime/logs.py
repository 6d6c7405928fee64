"""Logs of a stack, a service or one task, straight from the engines that hold them.

Each task's container is followed on its own host, so a host that is lost takes only its own lines with it. Lines are
gathered for 50 ms or 64 KiB and sent with an awaited send: when the browser is slow, nothing is read from the engines.
"""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from django.urls import reverse

from dashboard.models import Environment, Host
from dashboard.models.hints import environment_group
from dashboard.pages import snapshot
from platform_manager.engines.client import EngineError, EngineUnreachable
from platform_manager.swarm.snapshot import Task
from platform_manager.wiring import EnginePool

from .member import NOT_FOUND, MemberConsumer
from .threads import build, in_thread

BATCH_SECONDS = 0.05
BATCH_BYTES = 64 * 1024
MOST_SOURCES = 200
LOOK_EVERY = 10.0
TAIL_MOST = 10_000
TAIL = re.compile("[0-9]{1,5}")
RETRY_SECONDS = (0.5, 1, 2, 4, 5)
FINAL_STATES = ("complete", "failed", "shutdown", "rejected", "orphaned", "remove")


@dataclass(frozen=True)
class Wish:
    """What the browser asked for: one of stack, service and task, and where to begin."""

    stack: str
    service: str
    task: str
    tail: str
    since: str

    @classmethod
    def of(cls, query: bytes) -> Wish:
        words = {key: values[-1] for key, values in parse_qs(query.decode(errors="replace")).items()}
        tail = words.get("tail", "200")
        if tail != "all" and not (TAIL.fullmatch(tail) and int(tail) <= TAIL_MOST):
            tail = "200"
        stack, service, task = (words.get(name, "")[:255] for name in ("stack", "service", "task"))
        since = words.get("since", "")[:40]
        since = since if unix_time(since) else ""
        return cls(stack, service, task, "all" if since and "tail" not in words else tail, since)

    def wants(self, task: Task) -> bool:
        if self.task:
            return task.id == self.task
        if self.service:
            return task.service_id == self.service or task.service == self.service
        return bool(self.stack) and task.stack == self.stack


@dataclass
class Batch:
    """Lines on their way to the browser, at most about one batch of them."""

    runs: list[tuple[int, int, bytes]] = field(default_factory=list)
    size: int = 0
    filled: asyncio.Event = field(default_factory=asyncio.Event)
    room: asyncio.Event = field(default_factory=asyncio.Event)

    async def put(self, source: int, stream: int, data: bytes) -> None:
        """Wait for room, then add; the waiting is what stops the reading from the engine."""
        while self.size >= BATCH_BYTES:
            self.room.clear()
            await self.room.wait()
        self.runs.append((source, stream, data))
        self.size += len(data)
        self.filled.set()

    def take(self) -> list[list[Any]]:
        runs, self.runs, self.size = self.runs, [], 0
        self.filled.clear()
        self.room.set()
        return [[source, stream, data.decode(errors="replace")] for source, stream, data in runs]


class LogConsumer(MemberConsumer):
    """One log viewer."""

    async def connect(self) -> None:
        self.pool = EnginePool()
        await super().connect()

    async def admit(self) -> list[str] | None:
        self.sources: dict[str, int] = {}
        self.followed: set[int] = set()
        self.batch = Batch()
        self.wish = Wish.of(self.scope["query_string"])
        environment = await in_thread(
            _environment, self.scope["user"], self.scope["url_route"]["kwargs"]["environment_id"]
        )
        if environment is None:
            return None
        self.environment = environment
        self.environment_id = environment.pk
        return [environment_group(environment.pk)]

    async def begin(self) -> None:
        self._spawn(self._send_batches())
        self._spawn(self._find_sources())

    async def disconnect(self, code: int) -> None:
        await super().disconnect(code)
        await self.pool.close()

    async def _say(self, **message: Any) -> None:
        await self.send(text_data=json.dumps(message, separators=(",", ":")))

    async def _send_batches(self) -> None:
        while True:
            await self.batch.filled.wait()
            if self.batch.size < BATCH_BYTES:
                await asyncio.sleep(BATCH_SECONDS)
            await self._say(lines=self.batch.take())

    async def _find_sources(self) -> None:
        """Follow what matches now, and whatever comes to match later."""
        first, crowded = True, False
        while True:
            self._changed.clear()
            if await in_thread(_environment, self.scope["user"], self.environment.pk) is None:
                await self.close(NOT_FOUND)
                return
            hosts, tasks = await build(_tasks, self.environment, self.wish)
            fresh = [task for task in tasks if task.id not in self.sources and task.container_id]
            if not first:
                # A task that ended before anybody looked is history unless it was asked for by name.
                fresh = [task for task in fresh if self.wish.task or task.state not in FINAL_STATES or task.error]
            room = MOST_SOURCES - len(self.followed)
            for task in fresh[:room]:
                await self._begin(task, hosts.get(task.node_id), seen_from_start=not first)
            if len(fresh) > room and not crowded:
                await self._say(note=f"Only {MOST_SOURCES} tasks are followed at once; choose one service.")
            crowded = len(fresh) > room
            if first and not tasks:
                await self._say(note="Nothing of this runs yet; its lines appear here when it does.")
            first = False
            # Hints are lossy, and roles may be taken away: a look now and then bounds what that costs.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), LOOK_EVERY)
            await asyncio.sleep(0.2)

    async def _begin(self, task: Task, host: Host | None, *, seen_from_start: bool) -> None:
        index = self.sources[task.id] = len(self.sources)
        url = reverse("task", args=[self.environment.pk, task.id])
        node = host.name if host else ""
        await self._say(
            sources=[
                {
                    "i": index,
                    "task": task.id,
                    "name": task.name,
                    "service": task.service,
                    "node": node,
                    "url": url,
                }
            ]
        )
        if host is not None:
            self.followed.add(index)
            self._spawn(self._until_it_ends(index, task, host, "all" if seen_from_start else self.wish.tail))

    async def _until_it_ends(self, index: int, task: Task, host: Host, tail: str) -> None:
        try:
            await self._follow(index, task, host, tail)
        finally:
            self.followed.discard(index)

    async def _follow(self, index: int, task: Task, host: Host, tail: str) -> None:
        """Lines of one container, over the loss of its host's link; begun again after the last line seen."""
        last, seen = self.wish.since.encode(), False
        attempt, told = 0, False
        client = self.pool.client(host.pk)
        while True:
            params: dict[str, Any] = {
                "follow": True,
                "since": unix_time(last.decode(errors="replace")),
                "tail": "all" if seen else tail,
            }
            skipping = last
            try:
                async with aclosing(client.container_logs(task.container_id, tty=task.tty, **params)) as batches:
                    async for runs in batches:
                        if told:
                            told, attempt = False, 0
                            await self._say(note=f"{host.name} is back; its logs go on.")
                        for stream, data in runs:
                            kept = data
                            if skipping:
                                kept = after(data, skipping)
                                if not kept:
                                    continue
                                skipping = b""
                            last, seen = stamp_of_last(kept) or last, True
                            await self.batch.put(index, stream, kept)
                await self._say(ended=[index])
                return
            except EngineUnreachable:
                if not told:
                    told = True
                    await self._say(note=f"{host.name} is disconnected; its logs go on when it is back.")
            except EngineError as error:
                gone = f"The container of {task.name} is gone, and its logs with it."
                await self._say(ended=[index], note=gone if error.status == 404 else f"{task.name}: {error}")
                return
            await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            attempt += 1


def unix_time(stamp: str) -> str | None:
    """A timestamp of a log line as engines take it in ``since``, to the nanosecond; None for what is none."""
    whole, _, fraction = stamp.removesuffix("Z").partition(".")
    try:
        seconds = int(datetime.fromisoformat(f"{whole}+00:00").timestamp())
    except ValueError:
        return None
    return f"{seconds}.{fraction:0<9.9}" if not fraction or (fraction.isascii() and fraction.isdecimal()) else None


def after(data: bytes, stamp: bytes) -> bytes:
    """The lines of ``data`` with a later timestamp; engines begin again at the very line of ``since``."""
    lines = data.splitlines(keepends=True)
    for position, line in enumerate(lines):
        if line.split(b" ", 1)[0] > stamp:
            return b"".join(lines[position:])
    return b""


def stamp_of_last(data: bytes) -> bytes:
    """The timestamp of the last line."""
    start = data.rfind(b"\n", 0, len(data) - 1) + 1
    return data[start : start + 64].split(b" ", 1)[0]


def _environment(user: Any, environment_id: UUID) -> Environment | None:
    return Environment.objects.visible_to(user).filter(pk=environment_id).first()


def _tasks(environment: Environment, wish: Wish) -> tuple[dict[str, Host], list[Task]]:
    view = snapshot.read(environment)
    hosts = {host.node_id: host for host in environment.hosts.exclude(node_id="")}
    return hosts, [task for task in view.tasks if wish.wants(task)]
