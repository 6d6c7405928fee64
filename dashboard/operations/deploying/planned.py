"""The plan of a deployment, kept in its revision: the one that was shown where it still holds, else what was done.

A rehearsal takes a fifth of a second, which nobody could use once the deployment has begun. What the swarm held before
and holds after is read in any case, or while its tasks start already, and tells exactly what was done.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from dashboard.models import OperationLog, Revision, Snapshot
from platform_manager.engines.client import EngineClient
from platform_manager.engines.rehearsal import Given
from platform_manager.errors import PlatformError
from platform_manager.swarm import held
from platform_manager.swarm import snapshot as records
from platform_manager.swarm.plan_making import Masks
from platform_manager.swarm.plan_recording import recorded

from ..context import Cancelled, StepContext
from ..masking import SECRET_NAME
from ..nodes.managers import on_manager

LONGEST = 50_000
LINES = 40
DOING = ("+ ", "~ ", "± ", "- ")
PLANNED_ON = "planned_on"
"""In an operation's args, the state of the swarm (:func:`platform_manager.swarm.held.state`) that was planned on."""

NOTHING_YET = "Nothing of it is there: all of it is made new."
NOT_SHOWN = "No plan of this was looked at. What it changes is recorded as it is done."
CHANGED = "The swarm changed since the plan was shown. What this deployment changes is recorded as it is done."


@dataclass(frozen=True)
class Made:
    """What was made before the stack, for it to find."""

    given: Given = field(default_factory=Given)
    volumes: frozenset[str] = frozenset()


class Planned:
    """The plan of one deployment; ``seen`` is what the swarm holds of the stack before anything is changed."""

    def __init__(self, context: StepContext, revision: Revision, seen: held.Held) -> None:
        self._context, self._revision, self._seen = context, revision, seen
        self._anew = bool(revision.wishes.get("anew"))
        self._volumes = _volumes(context)
        marks = held.marks(seen)
        # A step that runs again has changed the swarm itself; what it saw first is what was planned on.
        first = marks if revision.held_before is None else revision.held_before
        self._sure = first == marks
        self.holds = bool(revision.plan) and context.args.get(PLANNED_ON) == held.state(first)
        if self.holds:
            context.log("\n".join(["The plan, as it was shown:", *_told(revision.plan)]))
        elif self._sure:
            context.log(CHANGED if revision.plan else NOT_SHOWN if marks else NOTHING_YET)

    def record(self, made: Made) -> None:
        """Keep what was done, where no plan was shown that told it. A deployment goes on without it."""
        if self.holds:
            return
        try:
            now, networks = on_manager(self._context, self._look, seconds=30)
        except Cancelled:
            raise
        except PlatformError as error:
            self._context.log(f"What it changed could not be recorded: {error}", OperationLog.Level.WARNING)
            return
        self._keep(self._text(now, networks, made))

    async def _look(self, manager: EngineClient) -> tuple[held.Held, list[Any]]:
        read, networks = await asyncio.gather(held.read(manager, self._revision.stack.name), manager.get("/networks"))
        return read, records.sequence(networks)

    def _text(self, now: held.Held, networks: list[Any], made: Made) -> str:
        if not self._sure:
            # What there was before the first try is known by its marks alone.
            return "\n".join(held.made(self._revision.held_before or {}, held.marks(now)))
        plan = recorded(
            self._seen,
            now,
            map(records.mapping, networks),
            self._revision.stack.name,
            given=made.given,
            wished_volumes=made.volumes,
            volumes=self._volumes,
            masks=Masks(self._context.masked, lambda name: SECRET_NAME.search(name) is not None),
        )
        return (plan.anew() if self._anew else plan).text

    def _keep(self, text: str) -> None:
        text = self._context.masked(text)[:LONGEST]
        Revision.objects.filter(pk=self._revision.pk).update(plan=text)
        self._revision.plan = text
        self._context.log("\n".join(["What it did:", *_told(text)]))


def _volumes(context: StepContext) -> set[str]:
    """The names of those that hosts have."""
    row = Snapshot.objects.filter(environment=context.environment).only("volumes").first()
    return {volume.name for volume in records.load(records.Volume, row.volumes)} if row else set()


def _told(text: str) -> list[str]:
    """The lines that say what changes, and the counts."""
    lines = text.splitlines()
    doing = [line for line in lines if line.startswith(DOING)]
    more = [f"... and {len(doing) - LINES} more"] if len(doing) > LINES else []
    return [*doing[:LINES], *more, *(lines[-1:] if lines and lines[-1] not in doing else [])]
