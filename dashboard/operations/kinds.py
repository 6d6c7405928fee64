"""What an operation is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .context import StepContext

ATTEMPTS = 4


@dataclass(frozen=True)
class Step:
    """One resumable part. ``run`` looks before it acts, because it may run again after a crash.

    It raises UserError or a final ProviderError when trying again can't help, a retryable ProviderError otherwise;
    what it returns is logged as the step's last line.
    """

    name: str
    title: str
    run: Callable[[StepContext], str | None]
    attempts: int = ATTEMPTS


@dataclass(frozen=True)
class Kind:
    """A kind of operation.

    ``failed`` sets the objects' states when it ends without success. It is given the sentence on why, and may give a
    truer one.
    """

    name: str
    steps: tuple[Step, ...]
    failed: Callable[[StepContext, str], str | None] | None = None
    retryable: bool = True
    cancellable: bool = True


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    _kinds[kind.name] = kind
    return kind


def kind_of(name: str) -> Kind:
    return _kinds[name]


def find_kind(name: str) -> Kind | None:
    """None for a kind that only another release knows."""
    return _kinds.get(name)


def all_kinds() -> list[Kind]:
    return list(_kinds.values())
