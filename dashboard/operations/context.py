"""What a step may do: log, wait, be cancelled, and call the core."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from django.utils import timezone

from dashboard.models import Environment, Operation, OperationLog, OperationState
from dashboard.models.hints import environment_group, hint, operation_group
from platform_manager import wiring
from platform_manager.errors import PlatformError, ProviderError

from .masking import Masker, secrets_of
from .wake import wake

Value = TypeVar("Value")
LINE_CAP = 8_000


def storable(text: str) -> str:
    """What hosts say may hold NUL, which PostgreSQL refuses to store."""
    return text.replace("\0", "\ufffd")


CANCELLED = "Cancelled."
MOST_WATCHING = 4


class Cancelled(PlatformError):
    """A user cancelled the operation."""


class StepContext:
    """Handed to each step of one operation."""

    def __init__(self, operation: Operation, n: int, *, ending: bool = False) -> None:
        """``ending``: what is done now settles how the operation ended, and is not itself cancelled."""
        self.operation = operation
        self.n = n
        self.ending = ending
        self._mask: Masker | None = None

    @property
    def environment(self) -> Environment:
        return self.operation.environment

    @property
    def args(self) -> dict[str, Any]:
        args: dict[str, Any] = self.operation.args
        return args

    def masked(self, text: str) -> str:
        """The text as it may be stored and shown: without secrets."""
        if self._mask is None:
            self._mask = Masker(secrets_of(self.operation))
        return self._mask(storable(text))

    def log(self, text: str, level: str = OperationLog.Level.INFO) -> None:
        """Add lines to the operation's log, at once visible to whoever watches."""
        now = timezone.now()
        OperationLog.objects.bulk_create(
            OperationLog(operation=self.operation, step=self.n, level=level, text=line[:LINE_CAP], at=now)
            for line in self.masked(text).splitlines() or [""]
        )
        hint(operation_group(self.operation.pk))

    def changed(self) -> None:
        """Tell watchers of the environment that one of its rows changed."""
        hint(environment_group(self.environment.pk), what="rows")

    def check(self) -> None:
        """Raise Cancelled when the user asked for it."""
        if self.ending:
            return
        if Operation.objects.filter(pk=self.operation.pk, cancel_requested=True).exists():
            raise Cancelled(CANCELLED)

    def watch(self) -> None:
        """From now on the operation changes nothing and only looks: others of its environment may run meanwhile.

        At most :data:`MOST_WATCHING` of an environment do so, for each takes one of its worker's slots.
        """
        running = Operation.objects.filter(environment=self.environment, state=OperationState.RUNNING, watching=True)
        if running.exclude(pk=self.operation.pk).count() < MOST_WATCHING:
            Operation.objects.filter(pk=self.operation.pk).update(watching=True)
            wake()

    def run(self, call: Coroutine[Any, Any, Value], seconds: float = 120) -> Value:
        """The result of a coroutine of the core, on the core's event loop; ProviderError after ``seconds``."""
        return wiring.run(call, seconds)

    def wait(self, probe: Callable[[], Value | None], *, seconds: float, late: str, every: float = 0.25) -> Value:
        """The first true value of the probe; a final ProviderError saying ``late`` when it takes too long."""
        deadline = time.monotonic() + seconds
        while True:
            value = probe()
            if value:
                return value
            if time.monotonic() > deadline:
                raise ProviderError(late, retryable=False)
            self.check()
            time.sleep(every)
