"""Sees that every project is looked at now and then, by one worker at a time and by none that waits for it.

Nested hosts of this machine are looked at by every worker: they belong to no account that one could claim.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from dashboard.chores import Chore
from dashboard.models import CloudAccount, Host

from .cloud_look import LEFTOVERS_SECONDS, Memory, look_at, look_at_local

PAUSE_SECONDS = 2.0
AT_ONCE = 4
LOCAL = "local"


class CloudWatch(Chore):
    """A cloud that is slow holds up one of :data:`AT_ONCE` looks, and nothing else."""

    def __init__(self) -> None:
        super().__init__("watch", at_once=AT_ONCE, pause=PAUSE_SECONDS, log=logging.getLogger("platform.clouds"))
        self._memories: defaultdict[UUID | str, Memory] = defaultdict(Memory)
        self._local_at = 0.0

    def start(self) -> None:
        if settings.PM_CLOUD_WATCH_SECONDS > 0:
            super().start()

    def begin(self) -> None:
        if LOCAL not in self.under_way and time.monotonic() >= self._local_at:
            if not self.look_at(LOCAL, lambda: look_at_local(self._memories[LOCAL])):
                return
            self._local_at = time.monotonic() + settings.PM_CLOUD_WATCH_SECONDS
        for account in due().exclude(pk__in=self._left_alone()):
            if not self.look_at(account.pk, partial(self._look_at, account), claim=partial(claim, account)):
                return

    def _look_at(self, account: CloudAccount) -> None:
        look_at(account, self._memories[account.pk])

    def _left_alone(self) -> list[UUID]:
        """Accounts that are being looked at, and those whose cloud kept a look waiting for nothing."""
        silent = [key for key, memory in list(self._memories.items()) if memory.quiet_until > time.monotonic()]
        return [key for key in (*list(self.under_way), *silent) if isinstance(key, UUID)]


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
