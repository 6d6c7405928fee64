"""How the audit log is written: one call, which knows from where the deed came."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model

from .audit import AuditEntry
from .environments import Environment


@dataclass(frozen=True)
class Origin:
    """Where what happens now comes from."""

    via: AuditEntry.Via = AuditEntry.Via.SYSTEM
    address: str | None = None
    user: User | None = None


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
    actor = by or origin.user
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
