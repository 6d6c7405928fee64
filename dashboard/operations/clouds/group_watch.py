"""Keeps the security groups of environments right between operations: rules come back that somebody took away."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from dashboard.models import CloudAccount, Environment, Host, OperationState
from dashboard.models.auditing import record
from platform_manager.errors import PlatformError

from .open_ports import ask, opened, words

log = logging.getLogger("platform.clouds")


def keep_right(account: CloudAccount, hosts: Iterable[Host]) -> bool:
    """Put right the account's groups of the environments in which the ``hosts`` are, and make none.

    False where an operation came between: what is wished may have changed meanwhile, so it takes another go.
    """
    environments = Environment.objects.alive().filter(pk__in={host.environment_id for host in hosts})
    return all([_put_right(account, environment) for environment in environments])


def _put_right(account: CloudAccount, environment: Environment) -> bool:
    begun = timezone.now()
    if _operations_since(environment, begun):
        return False
    try:
        group = ask(account, environment, opened(environment))
    except PlatformError as error:
        log.info("cloud account %s, security group of environment %s: %s", account.pk, environment.pk, error)
        return True
    if group and (group.added or group.removed):
        added, removed = ([words(rule) for rule in rules] for rules in (group.added, group.removed))
        record("security_group.mend", account, environment=environment, added=added, removed=removed)
    return not _operations_since(environment, begun)


def _operations_since(environment: Environment, begun: datetime) -> bool:
    """Whether an operation is under way or waits, or ended since: a port that it closed may have been opened again."""
    unfinished = Q(state__in=(OperationState.QUEUED, OperationState.RUNNING))
    return environment.operations.filter(unfinished | Q(finished_at__gte=begun)).exists()
