"""Who may keep a websocket open: how many a user has, and whether the user may still look.

A hint closes at once what is no longer allowed. Hints are lossy, and nobody sends one when a session ends, so every
few seconds all websockets of the process are looked at together, with a few queries for all of them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol
from uuid import UUID
from weakref import WeakKeyDictionary

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import DatabaseError
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from dashboard.models import Environment
from dashboard.models.permissions import is_operator

from .threads import in_thread

log = logging.getLogger("platform.realtime")

# With the queries, what is no longer allowed is closed within 5 s.
LOOK_EVERY = 3.0
AT_ONCE = 200
# A change of rights comes as a burst of hints.
GATHER = 0.05


@dataclass(frozen=True)
class Pass:
    """What a websocket was opened with; without an environment it is for the user alone.

    An operator's shows what operators see, and ends with their rights.
    """

    user_id: int
    session_key: str | None = None
    environment_id: UUID | None = None
    deleted_too: bool = False
    operator: bool = False


class Guest(Protocol):
    """A websocket, as far as the door is concerned."""

    async def turn_out(self) -> None:
        """Close: the viewer may see nothing here any more."""


def valid(passes: Collection[Pass]) -> set[Pass]:
    """Those passes whose user is active and may look at the environment, and whose session goes on."""
    users = User.objects.in_bulk({found.user_id for found in passes})
    signed_in = _signed_in({found.session_key for found in passes if found.session_key}, users)
    seen: dict[int, dict[UUID, bool]] = {}
    for user in users.values():
        wanted = {found.environment_id for found in passes if found.user_id == user.pk and found.environment_id}
        if wanted and user.is_active:
            rows = Environment.objects.seen_by(user).filter(pk__in=wanted).values_list("pk", "deleted_at")
            seen[user.pk] = {pk: deleted_at is not None for pk, deleted_at in rows}
    return {found for found in passes if _holds(found, users, signed_in, seen.get(found.user_id, {}))}


def _holds(
    found: Pass, users: dict[int, User], signed_in: set[tuple[str, int]], environments: dict[UUID, bool]
) -> bool:
    user = users.get(found.user_id)
    if user is None or not user.is_active or (found.operator and not is_operator(user)):
        return False
    if found.session_key and (found.session_key, found.user_id) not in signed_in:
        return False
    if found.environment_id is None:
        return True
    deleted = environments.get(found.environment_id)
    return deleted is not None and (found.deleted_too or not deleted)


def _signed_in(keys: Iterable[str], users: dict[int, User]) -> set[tuple[str, int]]:
    """Sessions that go on, with their users; a changed password ends those of before."""
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    found = set()
    for session in Session.objects.filter(session_key__in=list(keys), expire_date__gt=timezone.now()):
        content = store.decode(session.session_data)
        user = users.get(int(content.get(SESSION_KEY) or 0))
        if user and constant_time_compare(content.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()):
            found.add((session.session_key, user.pk))
    return found


class Door:
    """The websockets of one event loop."""

    def __init__(self) -> None:
        self._guests: dict[Guest, Pass] = {}
        self._count: Counter[int] = Counter()
        self._doubted: set[Guest] = set()
        self._watch: asyncio.Task[None] | None = None
        self._hurry: asyncio.Task[None] | None = None

    def enter(self, guest: Guest, found: Pass) -> bool:
        """False when the user has as many open as one may."""
        if self._count[found.user_id] >= settings.PM_SOCKETS_PER_USER:
            return False
        self._guests[guest] = found
        self._count[found.user_id] += 1
        if self._watch is None or self._watch.done():
            self._watch = asyncio.get_running_loop().create_task(self._look_now_and_then())
        return True

    def leave(self, guest: Guest) -> None:
        found = self._guests.pop(guest, None)
        if found is None:
            return
        self._count[found.user_id] -= 1
        if not self._count[found.user_id]:
            del self._count[found.user_id]

    def look_soon(self, guest: Guest) -> None:
        """Somebody's rights changed; those whom it concerns are looked at together."""
        self._doubted.add(guest)
        if self._hurry is None or self._hurry.done():
            self._hurry = asyncio.get_running_loop().create_task(self._look_soon())

    async def _look_soon(self) -> None:
        while self._doubted:
            await asyncio.sleep(GATHER)
            doubted, self._doubted = self._doubted, set()
            await self._look_at(doubted)

    async def _look_now_and_then(self) -> None:
        while self._guests:
            await asyncio.sleep(LOOK_EVERY)
            await self._look_at(self._guests)

    async def _look_at(self, guests: Iterable[Guest]) -> None:
        """Turn out those whose passes are no longer valid."""
        shown = sorted((self._guests[guest].user_id, id(guest), guest) for guest in guests if guest in self._guests)
        for some in batched([guest for _, _, guest in shown], AT_ONCE):
            try:
                await self._turn_out(some)
            except DatabaseError as error:
                log.warning("who may look could not be read; the next look will: %s", error)

    async def _turn_out(self, guests: Iterable[Guest]) -> None:
        passes = {guest: self._guests[guest] for guest in guests if guest in self._guests}
        good = await in_thread(valid, set(passes.values()))
        bad = [guest for guest, found in passes.items() if found not in good]
        for error in await asyncio.gather(*(guest.turn_out() for guest in bad), return_exceptions=True):
            # The server raises OSError for a viewer who has gone.
            if isinstance(error, Exception) and not isinstance(error, OSError):
                log.error("a websocket could not be closed", exc_info=error)


def batched(guests: list[Guest], most: int) -> Iterator[list[Guest]]:
    for start in range(0, len(guests), most):
        yield guests[start : start + most]


_doors: WeakKeyDictionary[asyncio.AbstractEventLoop, Door] = WeakKeyDictionary()


def door() -> Door:
    """The door of the running event loop; a web process has one."""
    return _doors.setdefault(asyncio.get_running_loop(), Door())
