"""The admin site's first page: the numbers that matter, each with a link to what it counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from dashboard.models import (
    Announcement,
    AuditEntry,
    Environment,
    Host,
    HostState,
    Operation,
    OperationState,
    Stack,
    StackState,
    Worker,
)

from .audit import OUTCOMES
from .columns import KINDS

NEWEST = 10


class Number(NamedTuple):
    """``kind`` is one of unfold's kinds of labels: how the number is to be taken."""

    title: str
    value: int
    url: str
    note: str = ""
    kind: str = "default"


def figures(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """django-unfold's callback: the context of the first page."""
    failed = _failed()
    return {
        **context,
        "title": "Overview",
        "numbers": [_users(), _environments(), _hosts(), *_operations(), _workers()],
        "host_states": _by_state(Host, HostState, "host"),
        "stack_states": _by_state(Stack, StackState, "stack"),
        "failed": failed,
        "entries": [(entry, OUTCOMES[entry.outcome]) for entry in AuditEntry.objects.all()[:NEWEST]],
        "announcements": list(Announcement.objects.current()[:3]),
    }


def _list(model: str, query: str = "", app: str = "dashboard") -> str:
    return f"{reverse(f'admin:{app}_{model}_changelist')}{query}"


def _users() -> Number:
    week = timezone.now() - timedelta(days=7)
    found = User.objects.aggregate(
        everybody=Count("pk"),
        lately=Count("pk", filter=Q(last_login__gte=week)),
        suspended=Count("pk", filter=Q(is_active=False)),
    )
    note = f"{found['lately']} signed in within 7 days, {found['suspended']} suspended"
    return Number("Users", found["everybody"], _list("user", app="auth"), note)


def _environments() -> Number:
    alive = Environment.objects.alive()
    found = alive.aggregate(all=Count("pk"), going=Count("pk", filter=Q(removing_since__isnull=False)))
    note = f"{found['going']} being deleted" if found["going"] else ""
    return Number("Environments", found["all"], _list("environment", "?is=there"), note)


def _hosts() -> Number:
    found = Host.objects.aggregate(
        all=Count("pk"),
        away=Count("pk", filter=Q(state__in=(HostState.DISCONNECTED, HostState.FAILED))),
    )
    kind = "danger" if found["away"] else "success"
    return Number("Hosts", found["all"], _list("host"), f"{found['away']} disconnected or failed", kind)


def _operations() -> list[Number]:
    day = timezone.now() - timedelta(days=1)
    running = Operation.objects.filter(state=OperationState.RUNNING).count()
    queued = Operation.objects.filter(state=OperationState.QUEUED).count()
    failed = Operation.objects.filter(state=OperationState.FAILED, finished_at__gte=day).count()
    return [
        Number("Operations running", running, _list("operation", "?state__exact=running"), f"{queued} waiting", "info"),
        Number(
            "Failed in 24 h",
            failed,
            _list("operation", "?state__exact=failed"),
            "operations",
            "danger" if failed else "success",
        ),
    ]


def _workers() -> Number:
    since = timezone.now() - timedelta(seconds=settings.PM_WORKER_TTL)
    alive = Worker.objects.filter(gone=False, last_seen__gte=since).count()
    note = "" if alive else "no operation can run: start a worker"
    return Number("Workers alive", alive, _list("worker"), note, "success" if alive else "danger")


def _by_state(model: Any, states: Any, name: str) -> list[Number]:
    counts = dict(model.objects.order_by().values_list("state").annotate(n=Count("pk")))
    return [
        Number(state.label, counts[state], _list(name, f"?state__exact={state}"), "", KINDS[state.look.colour])
        for state in states
        if counts.get(state)
    ]


def _failed() -> list[Operation]:
    """The newest that failed; the operator looks at these first."""
    return list(Operation.objects.filter(state=OperationState.FAILED).select_related("environment")[:5])
