"""Once a day one of the workers prunes old rows: a workflow of its own, whose id is the day's."""

from __future__ import annotations

import logging
import time

from dbos import DBOS, SetWorkflowID
from django.conf import settings
from django.db import connections
from django.utils import timezone

from .prune import PARTS, prune
from .runner import patiently
from .takeover import GOING_ON, take_over

log = logging.getLogger("platform.worker")

NAME = "upkeep"
LOOK_SECONDS = 60.0


@DBOS.workflow(name=NAME)
def keep_up(days: int) -> None:
    """Prune part after part; a worker that takes over goes on with the part that was under way."""
    try:
        for part in PARTS:
            removed = prune_part(part, days)
            if removed:
                log.info("pruned %s: %s rows older than %s days", part, removed, days)
    finally:
        connections.close_all()


@DBOS.step(name="prune")
def prune_part(part: str, days: int) -> int:
    return patiently(lambda: prune(part, days))


class Upkeep:
    """Sees that the day's upkeep is done by some worker. ``worker_id`` is this one's."""

    def __init__(self, worker_id: str) -> None:
        self._worker_id = worker_id
        self._done = ""
        self._look_at = 0.0

    def look(self) -> None:
        """Begin the day's upkeep where nobody has; go on with one whose worker is gone. Cheap when called often."""
        # Another number of days is another upkeep: who changes it need not wait for tomorrow.
        today = f"{NAME}-{timezone.now():%Y-%m-%d}-{settings.PM_KEEP_DAYS}"
        if today == self._done or time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + LOOK_SECONDS
        take_over(NAME, self._worker_id)
        status = DBOS.get_workflow_status(today)
        if status is None:
            with SetWorkflowID(today):
                DBOS.start_workflow(keep_up, settings.PM_KEEP_DAYS)
        elif status.status not in GOING_ON:
            self._done, self._look_at = today, 0.0
