"""Sees that catalogs are read when they are due, by one worker at a time and by none that waits for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from uuid import UUID

from django.db import InterfaceError, OperationalError, close_old_connections, connections

from dashboard.models import Catalog

from . import presets
from .refreshing import Sources, claim, due, refresh

log = logging.getLogger("platform.catalogs")

PAUSE_SECONDS = 1.0
AT_ONCE = 3
STOP_SECONDS = 2.0


class CatalogWatch:
    """Threads of one worker; a source that is slow holds up one of :data:`AT_ONCE` readings, and nothing else.

    An environment has one reading at a time: slow sources of one do not take the turn of all others.
    """

    def __init__(self, sources: Sources | None = None) -> None:
        self._sources = sources
        self._stopping = threading.Event()
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._thread = threading.Thread(target=self._loop, name="catalogs", daemon=True)
        self._readings: dict[UUID, threading.Thread] = {}
        self._environments: dict[UUID, UUID | None] = {}

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Readings under way are given a moment; one that waits for its source is left behind."""
        self._stopping.set()
        for thread in [self._thread, *list(self._readings.values())]:
            if thread.ident is not None:
                thread.join(STOP_SECONDS)

    def _loop(self) -> None:
        ensured = False
        while not self._stopping.is_set():
            ensured = ensured or _go_on_after(presets.ensure)
            _go_on_after(self._begin_readings)
            self._stopping.wait(PAUSE_SECONDS)
        connections.close_all()

    def _begin_readings(self) -> None:
        waiting = due().exclude(pk__in=list(self._readings)).exclude(environment__in=self._busy)
        for catalog in waiting[:AT_ONCE]:
            if catalog.environment_id in self._busy:
                continue
            if self._stopping.is_set() or not self._slots.acquire(blocking=False):
                return
            claimed = False
            try:
                claimed = claim(catalog)
            finally:
                # The database may be away just now: a slot that is not given back is lost for ever.
                if not claimed:
                    self._slots.release()
            if claimed:
                thread = threading.Thread(target=self._read, args=(catalog,), name="catalog", daemon=True)
                self._environments[catalog.pk] = catalog.environment_id
                self._readings[catalog.pk] = thread
                thread.start()

    @property
    def _busy(self) -> list[UUID]:
        """Environments that a catalog is read of just now."""
        return [one for one in list(self._environments.values()) if one is not None]

    def _read(self, catalog: Catalog) -> None:
        try:
            _go_on_after(lambda: refresh(catalog, self._sources))
        finally:
            connections.close_all()
            del self._readings[catalog.pk], self._environments[catalog.pk]
            self._slots.release()


def _go_on_after(work: Callable[[], None]) -> bool:
    """Whether it was done."""
    try:
        close_old_connections()
        work()
    except (OperationalError, InterfaceError) as error:
        log.warning("database away, trying again: %s", error)
    except Exception:
        # What one catalog does must not end the reading of the others, of which nobody would hear.
        log.exception("reading catalogs failed, going on")
    else:
        return True
    return False
