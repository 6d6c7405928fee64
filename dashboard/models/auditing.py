"""How the audit log is written: one call, which knows from where the deed came."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model
from django.utils import timezone

from .audit import AuditEntry
from .environments import Environment
from .operations import Operation
from .states import OperationState

# One refusal of the same thing to the same person within this time says it all.
REFUSED_ONCE_IN = timedelta(minutes=1)


@dataclass(frozen=True)
class Origin:
    """Where what happens now comes from."""

    via: AuditEntry.Via = AuditEntry.Via.SYSTEM
    address: str | None = None
    # A function where nobody has looked yet who it is: a request without a record need not read its session.
    user: User | Callable[[], User | AnonymousUser | None] | None = None

    def actor(self) -> User | None:
        user = self.user() if callable(self.user) else self.user
        return user if isinstance(user, User) else None


SYSTEM = Origin()
_origin: ContextVar[Origin] = ContextVar("origin", default=SYSTEM)


@contextmanager
def acting(origin: Origin) -> Iterator[None]:
    """What is recorded inside came from there; the web's middleware, commands and workers say so."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


def record(
    action: str,
    what: Model | None = None,
    *,
    by: User | None = None,
    environment: Environment | None = None,
    outcome: AuditEntry.Outcome = AuditEntry.Outcome.DONE,
    name: str = "",
    **detail: Any,
) -> AuditEntry:
    """Write that ``action`` was done to ``what``, in the running transaction if there is one.

    ``action`` is noun and verb (``stack.deploy``); ``by`` is for who is not the origin's user; ``name`` for what has
    no row of its own. ``detail`` is JSON for a person to read and never holds a secret value.
    """
    origin = _origin.get()
    actor = by or origin.actor()
    if environment is None:
        environment = what if isinstance(what, Environment) else getattr(what, "environment", None)
    return AuditEntry.objects.create(
        actor_id=actor.pk if actor else None,
        actor=actor.get_username() if actor else "",
        via=origin.via,
        address=origin.address,
        action=action,
        object_kind=str(what._meta.model_name) if what is not None else action.partition(".")[0],
        object_id=str(what.pk) if what is not None else "",
        object_name=(name or (str(what) if what is not None else ""))[:200],
        environment_id=environment.pk if environment else None,
        environment=environment.name if environment else "",
        outcome=outcome,
        detail=detail,
    )


def record_refusal(action: str, what: Model, *, by: User, **detail: Any) -> None:
    """Write that ``by`` lacked the right for ``action``, at most once a minute for the same."""
    same = AuditEntry.objects.filter(
        at__gt=timezone.now() - REFUSED_ONCE_IN,
        actor_id=by.pk,
        action=action,
        object_id=str(what.pk),
        outcome=AuditEntry.Outcome.REFUSED,
    )
    if not same.exists():
        record(action, what, by=by, outcome=AuditEntry.Outcome.REFUSED, **detail)


ENDINGS = {
    OperationState.SUCCEEDED: AuditEntry.Outcome.DONE,
    OperationState.FAILED: AuditEntry.Outcome.FAILED,
    OperationState.CANCELLED: AuditEntry.Outcome.CANCELLED,
}


def record_finished(operation: Operation) -> None:
    """Write how an operation ended; whoever asked for it is the one who did it."""
    record(
        f"{operation.kind}.finished",
        operation,
        by=operation.requested_by,
        outcome=ENDINGS[OperationState(operation.state)],
        seconds=round(operation.elapsed.total_seconds(), 1) if operation.elapsed else 0,
    )
