"""Chores of a worker beside its operations: it looks at many things now and then, each by one worker at a time.

What waits for the outside (a cloud, a catalog's source) has a thread of its own, so that one that is slow holds up
nothing else.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from uuid import UUID

from django.db import InterfaceError, OperationalError, close_old_connections, connections

STOP_SECONDS = 2.0

Key = UUID | str


class Chore:
    """Threads of one worker: one that begins looks, and at most ``at_once`` that look.

    A kind of chore says in :meth:`begin` what is due, and begins it with :meth:`look_at`.
    """

    def __init__(self, name: str, *, at_once: int, pause: float, log: logging.Logger) -> None:
        """``pause`` seconds lie between two times that it looks for what is due."""
        self._name, self._pause, self._log = name, pause, log
        self._stopping = threading.Event()
        self._slots = threading.BoundedSemaphore(at_once)
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)
        self.under_way: dict[Key, threading.Thread] = {}

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Looks under way are given a moment; one that waits for the outside is left behind."""
        self._stopping.set()
        for thread in [self._thread, *list(self.under_way.values())]:
            if thread.ident is not None:
                thread.join(STOP_SECONDS)

    def begin(self) -> None:
        raise NotImplementedError

    def look_at(self, key: Key, look: Callable[[], None], *, claim: Callable[[], bool] = lambda: True) -> bool:
        """Begin the look where ``claim`` says that it is this worker's; False when there is no room for any more."""
        if self._stopping.is_set() or not self._slots.acquire(blocking=False):
            return False
        claimed = False
        try:
            claimed = claim()
        finally:
            # The database may be away just now: a slot that is not given back is lost for ever.
            if not claimed:
                self._slots.release()
        if claimed:
            thread = threading.Thread(target=self._look, args=(key, look), name=f"{self._name}-{key}", daemon=True)
            self.under_way[key] = thread
            thread.start()
        return True

    def _look(self, key: Key, look: Callable[[], None]) -> None:
        try:
            self.go_on_after(look)
        finally:
            connections.close_all()
            del self.under_way[key]
            self._slots.release()

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self.go_on_after(self.begin)
            self._stopping.wait(self._pause)
        connections.close_all()

    def go_on_after(self, work: Callable[[], None]) -> bool:
        """Whether it was done."""
        try:
            close_old_connections()
            work()
        except (OperationalError, InterfaceError) as error:
            self._log.warning("database away, trying again: %s", error)
        except Exception:
            # What one of many does must not end the looking at the others, of which nobody would hear.
            self._log.exception("%s failed, going on", self._name)
        else:
            return True
        return False
