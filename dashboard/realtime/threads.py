"""Threads on which websockets ask the database.

Channels sends all of a process's websockets through one thread, so that large pages delay every log line. Here pages
are built on threads of their own, and what is answered quickly has others. Few of them: building a page is mostly
Python's own work, of which only one thread does any at a time. A thread has a database connection of its own, and
closes it when nothing was asked for a while.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, ParamSpec, TypeVar

from django.db import close_old_connections, connections

MOST = 2
IDLE_SECONDS = 10.0

Params = ParamSpec("Params")
Value = TypeVar("Value")


class DatabaseThreads:
    """At most ``most`` threads, made when needed, each gone after ``idle`` seconds without work."""

    def __init__(self, most: int = MOST, idle: float = IDLE_SECONDS) -> None:
        self._most = most
        self._idle = idle
        self._jobs: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._waiting = 0
        self._threads: set[threading.Thread] = set()
        self._closing = False
        self._turn = threading.Condition()

    def submit(self, call: Callable[[], Value]) -> Future[Value]:
        future: Future[Value] = Future()
        with self._turn:
            self._jobs.append((future, call))
            if self._waiting >= len(self._jobs):
                self._turn.notify()
            elif len(self._threads) < self._most:
                thread = threading.Thread(target=self._work, name="websockets", daemon=True)
                self._threads.add(thread)
                thread.start()
        return future

    def close(self, seconds: float = 5.0) -> None:
        """End all threads after the work they have; returns when their connections are closed. They come back."""
        with self._turn:
            self._closing = True
            threads = list(self._threads)
            self._turn.notify_all()
        for thread in threads:
            thread.join(seconds)
        self._closing = False

    def _work(self) -> None:
        try:
            while (job := self._next()) is not None:
                _perform(*job)
                del job  # what it holds is not kept while the thread waits
        finally:
            connections.close_all()

    def _next(self) -> tuple[Future[Any], Callable[[], Any]] | None:
        with self._turn:
            if not self._jobs:
                self._waiting += 1
                self._turn.wait_for(lambda: self._jobs or self._closing, self._idle)
                self._waiting -= 1
            if self._jobs:
                return self._jobs.popleft()
            self._threads.discard(threading.current_thread())
            return None


def _perform(future: Future[Any], call: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        close_old_connections()
        value = call()
        close_old_connections()
    except BaseException as error:  # whoever waits for it is told
        future.set_exception(error)
    else:
        future.set_result(value)


quick = DatabaseThreads()
slow = DatabaseThreads()
atexit.register(quick.close)
atexit.register(slow.close)


async def in_thread(call: Callable[Params, Value], *args: Params.args, **kwargs: Params.kwargs) -> Value:
    """What ``call`` gives, for questions that take a few milliseconds."""
    return await asyncio.wrap_future(quick.submit(partial(call, *args, **kwargs)))


async def build(call: Callable[Params, Value], *args: Params.args, **kwargs: Params.kwargs) -> Value:
    """What ``call`` gives, for what may take long, such as the building of a page."""
    return await asyncio.wrap_future(slow.submit(partial(call, *args, **kwargs)))
