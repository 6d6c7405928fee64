"""What operators do with people: suspend them, let them in again, make them operators."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from dashboard.models.auditing import record
from dashboard.models.hints import hint, user_group
from dashboard.models.permissions import is_operator
from platform_manager.errors import UserError

AT_ONCE = 500


@transaction.atomic
def suspend_user(user: User, by: User) -> None:
    """Nobody signs in as this user any more: sessions end at once, websockets close. What they own goes on."""
    fresh = _locked(user)
    if not fresh.is_active:
        raise UserError(f"{user} is suspended already.")
    if fresh.pk == by.pk:
        raise UserError("You can't suspend yourself. Another operator can.")
    _keep_an_operator(fresh)
    User.objects.filter(pk=fresh.pk).update(is_active=False)
    ended = end_sessions(fresh)
    record("user.suspend", fresh, by=by, sessions=ended)
    hint(user_group(fresh.pk), what="access")


@transaction.atomic
def reactivate_user(user: User, by: User) -> None:
    fresh = _locked(user)
    if fresh.is_active:
        raise UserError(f"{user} is not suspended.")
    User.objects.filter(pk=fresh.pk).update(is_active=True)
    record("user.reactivate", fresh, by=by)
    hint(user_group(fresh.pk), what="access")


@transaction.atomic
def make_operator(user: User, by: User) -> None:
    fresh = _locked(user)
    if is_operator(fresh):
        raise UserError(f"{user} is an operator already.")
    if not fresh.is_active:
        raise UserError(f"{user} is suspended. Reactivate them first.")
    User.objects.filter(pk=fresh.pk).update(is_staff=True)
    record("user.make_operator", fresh, by=by)
    hint(user_group(fresh.pk), what="access")


@transaction.atomic
def drop_operator(user: User, by: User) -> None:
    """Take the operator's rights away; the sessions go on with the user's own rights."""
    fresh = _locked(user)
    if not fresh.is_staff:
        raise UserError(f"{user} is no operator.")
    if fresh.pk == by.pk:
        raise UserError("You can't take your own rights away. Another operator can.")
    _keep_an_operator(fresh)
    User.objects.filter(pk=fresh.pk).update(is_staff=False, is_superuser=False)
    record("user.drop_operator", fresh, by=by)
    hint(user_group(fresh.pk), what="access")


def end_sessions(user: User) -> int:
    """Delete all sessions of the user; how many there were."""
    keys = _session_keys(user)
    ended = 0
    for start in range(0, len(keys), AT_ONCE):
        ended += Session.objects.filter(pk__in=keys[start : start + AT_ONCE]).delete()[0]
    return ended


def _session_keys(user: User) -> list[str]:
    """From the list of sign-ins; the few sessions that are not in it are opened to see whose they are."""
    known = UserSession.objects.filter(user=user)
    keys = list(known.values_list("session_key", flat=True))
    known.delete()
    listed = UserSession.objects.filter(session_key=OuterRef("session_key"))
    others = Session.objects.filter(~Exists(listed), expire_date__gt=timezone.now())
    mine = str(user.pk)
    return keys + [row.pk for row in others.iterator(AT_ONCE) if row.get_decoded().get(SESSION_KEY) == mine]


def _locked(user: User) -> User:
    return User.objects.select_for_update().get(pk=user.pk)


def _keep_an_operator(user: User) -> None:
    """UserError where nobody else looks after the platform; all operators are locked, so two can't go at once."""
    operators = User.objects.select_for_update().filter(is_active=True, is_staff=True).order_by("pk")
    if {found.pk for found in operators} == {user.pk}:
        raise UserError(f"{user} is the last operator. Make somebody else one first.")
