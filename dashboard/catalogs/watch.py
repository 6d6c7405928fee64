"""Sees that catalogs are read when they are due, by one worker at a time and by none that waits for it."""

from __future__ import annotations

import logging
from functools import partial
from uuid import UUID

from dashboard.chores import Chore
from dashboard.models import Catalog

from . import presets
from .refreshing import Sources, claim, due, refresh

PAUSE_SECONDS = 2.0
AT_ONCE = 3


class CatalogWatch(Chore):
    """An environment has one reading at a time: slow sources of one do not take the turn of all others."""

    def __init__(self, sources: Sources | None = None) -> None:
        super().__init__("catalogs", at_once=AT_ONCE, pause=PAUSE_SECONDS, log=logging.getLogger("platform.catalogs"))
        self._sources = sources
        self._ensured = False
        self._environments: dict[UUID, UUID | None] = {}

    def begin(self) -> None:
        if not self._ensured:
            presets.ensure()
            self._ensured = True
        waiting = due().exclude(pk__in=list(self.under_way)).exclude(environment__in=self._busy)
        for catalog in waiting[:AT_ONCE]:
            if catalog.environment_id in self._busy:
                continue
            self._environments[catalog.pk] = catalog.environment_id
            room = self.look_at(catalog.pk, partial(self._read, catalog), claim=partial(claim, catalog))
            if catalog.pk not in self.under_way:
                self._environments.pop(catalog.pk, None)
            if not room:
                return

    @property
    def _busy(self) -> list[UUID]:
        """Environments that a catalog is read of just now."""
        return [one for one in list(self._environments.values()) if one is not None]

    def _read(self, catalog: Catalog) -> None:
        try:
            refresh(catalog, self._sources)
        finally:
            self._environments.pop(catalog.pk, None)
