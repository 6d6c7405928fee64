"""Who may create environments, how many, and with how many hosts: what operators decide while the platform runs.

The checks hold to the end of the running transaction: the user's row is locked, so two requests at the same time
can't both take the last place.
"""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection

from dashboard.models import Environment, Host, PlatformSettings, UserLimits
from dashboard.models.permissions import is_operator
from platform_manager.errors import UserError

ASK = "Ask an operator for more."


class Limits(NamedTuple):
    """The most that one user may own; None is any number."""

    environments: int | None
    hosts: int | None


def limits_of(user: User) -> Limits:
    """The user's own limits, and everybody's where there is none."""
    own = UserLimits.objects.filter(user=user).first() or UserLimits()
    common = PlatformSettings.current()
    return Limits(
        common.environments_per_user if own.environments is None else own.environments,
        common.hosts_per_user if own.hosts is None else own.hosts,
    )


def registration_open() -> bool:
    """Whether people may make local accounts for themselves: the operators' word, else the installation's."""
    decided = PlatformSettings.current().registration
    return bool(settings.PM_REGISTRATION if decided is None else decided)


def may_create(user: User) -> str:
    """Why the user may not create environments at all; empty where they may."""
    common = PlatformSettings.current()
    if common.creators == PlatformSettings.Creators.EVERYBODY or is_operator(user):
        return ""
    if common.creators == PlatformSettings.Creators.OPERATORS:
        return "Only operators create environments on this platform. Ask one to make one for you."
    group = common.creators_group
    if group is None:
        return "Only members of a group create environments, and operators have chosen none yet. Ask an operator."
    if user.groups.filter(pk=group.pk).exists():
        return ""
    return f"Only members of the group {group} create environments on this platform. Ask an operator to let you in."


def check_may_create_environment(user: User) -> None:
    """UserError where the user may not create environments, or has as many as they may."""
    _lock(user)
    refusal = may_create(user)
    if refusal:
        raise UserError(refusal, "name")
    _check_environments(user, "You own", "name")


def check_may_own(user: User, environment: Environment | None = None) -> None:
    """UserError where one more environment, with its hosts, is more than the user may own."""
    _lock(user)
    _check_environments(user, f"{user} owns", "to")
    if environment is not None:
        _check_hosts(user, environment.hosts.count(), f"{user} has", "to")


def check_may_add_hosts(environment: Environment, quantity: int) -> None:
    """UserError where ``quantity`` hosts more are too many for the environment's owner."""
    _lock(environment.owner)
    _check_hosts(environment.owner, quantity, f"{environment.owner}, who owns this environment, has", "quantity")


def _check_environments(user: User, who: str, field: str) -> None:
    most = limits_of(user).environments
    if most is None:
        return
    have = Environment.objects.alive().filter(owner=user).count()
    if have >= most:
        raise UserError(f"{who} {_counted(have, 'environment')}, and {most} is the most. {ASK}", field)


def _check_hosts(user: User, more: int, who: str, field: str) -> None:
    most = limits_of(user).hosts
    if most is None:
        return
    have = Host.objects.filter(environment__owner=user, environment__deleted_at=None).count()
    if more and have + more > most:
        sentence = f"{who} {_counted(have, 'host')} in all; with {more} more there would be {have + more}"
        raise UserError(f"{sentence}, and {most} is the most. {ASK}", field)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _lock(user: User) -> None:
    """Outside a transaction the check is a preview, and nothing is held."""
    if connection.in_atomic_block:
        # Not against rows that only refer to the user.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
