"""Sees that every project is looked at now and then, by one worker at a time and by none that waits for it.

Nested hosts of this machine are looked at by every worker: they belong to no account that one could claim.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, connections
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from dashboard.models import CloudAccount, Host

from .cloud_look import LEFTOVERS_SECONDS, Memory, look_at, look_at_local

log = logging.getLogger("platform.clouds")

PAUSE_SECONDS = 2.0
AT_ONCE = 4
STOP_SECONDS = 2.0
LOCAL = "local"


class CloudWatch:
    """Threads of one worker; a cloud that is slow holds up one of :data:`AT_ONCE` looks, and nothing else."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._memories: defaultdict[UUID | str, Memory] = defaultdict(Memory)
        self._local_at = 0.0
        self._thread = threading.Thread(target=self._loop, name="watch", daemon=True)
        self._looks: dict[UUID | str, threading.Thread] = {}

    def start(self) -> None:
        if settings.PM_CLOUD_WATCH_SECONDS > 0:
            self._thread.start()

    def stop(self) -> None:
        """Looks under way are given a moment; one that waits for its cloud is left behind."""
        self._stopping.set()
        for thread in [self._thread, *list(self._looks.values())]:
            if thread.ident is not None:
                thread.join(STOP_SECONDS)

    def _loop(self) -> None:
        while not self._stopping.is_set():
            _go_on_after(self._begin_looks)
            self._stopping.wait(PAUSE_SECONDS)
        connections.close_all()

    def _begin_looks(self) -> None:
        if LOCAL not in self._looks and time.monotonic() >= self._local_at and self._slots.acquire(blocking=False):
            self._local_at = time.monotonic() + settings.PM_CLOUD_WATCH_SECONDS
            self._begin(LOCAL, look_at_local)
        for account in due().exclude(pk__in=self._left_alone()):
            if not self._slots.acquire(blocking=False):
                return
            claimed = False
            try:
                claimed = claim(account)
            finally:
                # The database may be away just now: a slot that is not given back is lost for ever.
                if not claimed:
                    self._slots.release()
            if claimed:
                self._begin(account.pk, partial(look_at, account))

    def _left_alone(self) -> list[UUID]:
        """Accounts that are being looked at, and those whose cloud kept a look waiting for nothing."""
        silent = [key for key, memory in list(self._memories.items()) if memory.quiet_until > time.monotonic()]
        return [key for key in (*list(self._looks), *silent) if isinstance(key, UUID)]

    def _begin(self, key: UUID | str, look: Callable[[Memory], None]) -> None:
        thread = threading.Thread(target=self._look, args=(key, look), name=f"look-{key}", daemon=True)
        self._looks[key] = thread
        thread.start()

    def _look(self, key: UUID | str, look: Callable[[Memory], None]) -> None:
        try:
            _go_on_after(lambda: look(self._memories[key]))
        finally:
            connections.close_all()
            del self._looks[key]
            self._slots.release()


def due() -> QuerySet[CloudAccount]:
    """The accounts whose project is to be looked at, longest unseen first.

    One that does not work is asked seldom: clouds lock users out for wrong passwords.
    """
    now = timezone.now()
    often = Q(watched_at__lt=now - timedelta(seconds=settings.PM_CLOUD_WATCH_SECONDS))
    seldom = Q(watched_at__lt=now - timedelta(seconds=LEFTOVERS_SECONDS))
    accounts = CloudAccount.objects.select_related("preset").exclude(region="")
    accounts = accounts.annotate(in_use=Exists(Host.objects.filter(account=OuterRef("pk"))))
    wanted = Q(problem="") | Q(in_use=True) | ~Q(leftovers=[])
    moment = Q(watched_at=None) | seldom | (often & Q(in_use=True, problem=""))
    return accounts.filter(wanted & moment).order_by(F("watched_at").asc(nulls_first=True), "pk")


def claim(account: CloudAccount) -> bool:
    """Whether the look is this worker's: of several that want it, one gets it."""
    now = timezone.now()
    return bool(CloudAccount.objects.filter(pk=account.pk, watched_at=account.watched_at).update(watched_at=now))


def _go_on_after(work: Callable[[], None]) -> None:
    try:
        close_old_connections()
        work()
    except (OperationalError, InterfaceError) as error:
        log.warning("database away, trying again: %s", error)
    except Exception:
        # What one cloud answers must not end the watching of the others, of which nobody would hear.
        log.exception("watching clouds failed, going on")
