"""Hand a stack to the swarm through the Docker CLI, which is the reference for it, and tell what that made.

The CLI is not atomic: what it made before it stopped stays. It is listed, and the same orders given again finish it.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from django.conf import settings

from dashboard.models import OperationLog, Revision, StackState
from platform_manager import recipes
from platform_manager.engines import cli
from platform_manager.engines.client import EngineClient
from platform_manager.errors import PlatformError, ProviderError, UserError
from platform_manager.swarm import anew, held, rotation, stacks, updates
from platform_manager.swarm.snapshot import mapping

from ..context import StepContext
from ..nodes.managers import on_manager
from ..recorded import recipe_of
from .deploy_parts import Renames, declared_in, prepared, revision_of, sections, set_state
from .planned import Made, Planned
from .provide import provide
from .registry_auth import auth_for
from .remove_stack import remove_and_wait

# How long what a removed stack leaves may stay in the way: its networks are in use until its last task has ended.
PASSING_SECONDS = 60.0
PAUSE_SECONDS = 1.0
CLI_SECONDS = 180.0
# Services, tasks and nodes.
Lists = tuple[list[Any], list[Any], list[Any]]
_PASSING = re.compile(
    r"out of sequence|network .*already exists|network .*in use|network \S+ (?:is being removed|not found)|"
    r"Cannot connect|active endpoints|does not have a leader"
)


def hand_over(context: StepContext) -> str | None:
    revision = revision_of(context)
    recipe_of(revision)
    before = _Before(context, revision)
    before.refuse_taken()
    plan = Planned(context, revision, before.seen)
    before.keep(revision)
    set_state(context, revision, StackState.DEPLOYING)
    if revision.wishes.get("anew"):
        _remove_first(context, revision)
        before = _Before(context, revision)
        before.keep(revision)
    made = Made()
    try:
        made = provide(context, revision)
        _deploy(context, revision, before.given)
    except PlatformError:
        if _tell_half(context, revision, before):
            plan.record(made)
        raise
    plan.record(made)
    # What the engine made of the images is told by the first look at what runs.
    revision.made, revision.failures, revision.digests = [], [], {}
    Revision.objects.filter(pk=revision.pk).update(made=[], failures=[], digests={})
    _start_anew(context, revision, before.failing)
    return None


def _remove_first(context: StepContext, revision: Revision) -> None:
    """What runs goes, to be made anew. Once it has gone that wish is fulfilled, and the stack begins with nothing."""
    context.log("Removing what runs, to make it anew. Volumes stay.")
    remove_and_wait(context, revision.stack.name)
    revision.wishes = {**revision.wishes, "anew": False}
    revision.updates_before = revision.held_before = None
    Revision.objects.filter(pk=revision.pk).update(wishes=revision.wishes, updates_before=None, held_before=None)


class _Before:
    """What there was of the stack: what it told of updates, what it held, and which of its services only failed.

    ``given`` is what the CLI gets where nothing needs another name.
    """

    def __init__(self, context: StepContext, revision: Revision) -> None:
        name, self.given = revision.stack.name, prepared(context, revision)
        names = {service for section in sections(self.given, "services") for service in section}

        async def look(manager: EngineClient) -> tuple[Lists, held.Held, dict[str, str]]:
            return await asyncio.gather(
                stacks.read(manager, name), held.read(manager, name), stacks.strangers(manager, name, names)
            )

        (services, tasks, _), self.seen, self._taken = on_manager(context, look)
        self._told, self.failing = updates.told(services), anew.failing(services, tasks)
        self.marks: held.Marks = held.marks(self.seen)

    def refuse_taken(self) -> None:
        """Before anything is made: somebody may have made a service of that name since the preview."""
        for full, owner in self._taken.items():
            whose = f"of the stack {owner}" if owner else "that was made without a stack"
            raise UserError(
                f"There is a service '{full}' already, {whose}. Nothing was made. "
                "Rename the service in the file, or choose another stack name.",
                "compose",
            )

    def keep(self, revision: Revision) -> None:
        """Where the step runs again: what it saw first was before anything was changed."""
        if revision.updates_before is None:
            revision.updates_before, revision.held_before = self._told, dict(self.marks)
            Revision.objects.filter(pk=revision.pk).update(
                updates_before=revision.updates_before, held_before=revision.held_before
            )
        if revision.held_before is not None:
            self.marks = revision.held_before


def _deploy(context: StepContext, revision: Revision, given: recipes.Prepared) -> None:
    deadline, told = time.monotonic() + PASSING_SECONDS, False
    while True:
        names = rotated_names(context, revision)
        result = _run(context, revision, prepared(context, revision, names) if names else given)
        said = result.output.strip()
        if result.timed_out:
            raise ProviderError("The swarm took too long to accept the stack.", retryable=False)
        if not result.exit_code:
            if said:
                context.log(said, "output")
            return
        reason = said.splitlines()[-1] if said else f"exit code {result.exit_code}"
        if not _PASSING.search(reason) or time.monotonic() > deadline:
            context.log(said, "output")
            raise ProviderError(f"The swarm did not accept the stack: {reason}", retryable=False)
        if not told:
            told = True
            context.log(f"Waiting for what an earlier stack left to go: {reason}", OperationLog.Level.WARNING)
        context.check()
        time.sleep(PAUSE_SECONDS)


def _run(context: StepContext, revision: Revision, given: recipes.Prepared) -> cli.CliResult:
    auth = auth_for(revision.stack, _images(given))

    async def deploy(manager: EngineClient) -> cli.CliResult:
        return await cli.stack_deploy(
            manager.socket,
            revision.stack.name,
            given.compose,
            overlays=given.overlays,
            files=given.files,
            registry_auth=auth,
        )

    return on_manager(context, deploy, seconds=CLI_SECONDS)


def _images(given: recipes.Prepared) -> Iterator[str]:
    """Read only where somebody asks for one."""
    for services in sections(given, "services"):
        for service in services.values():
            if isinstance(image := mapping(service).get("image"), str):
                yield image


def declared(context: StepContext, revision: Revision) -> list[rotation.Declared]:
    """The secrets and configs that the stack makes from files of its recipe."""
    return declared_in(prepared(context, revision), revision.stack.name)


def rotated_names(context: StepContext, revision: Revision) -> Renames:
    """The names of those whose content is another than what the swarm holds under the plain name."""
    wanted = declared(context, revision) if revision.files else []
    if not wanted:
        return {}

    async def look(manager: EngineClient) -> Renames:
        return await rotation.renames(manager, wanted, revision.stack.name, settings.SECRET_KEY.encode())

    return on_manager(context, look)


def remove_rotated(context: StepContext, revision: Revision) -> None:
    """Earlier contents of secrets and configs that nothing uses any more; for a stack that runs."""
    wanted = declared(context, revision) if revision.files else []
    if not wanted:
        return
    names = rotated_names(context, revision)
    current = [names.get((one.kind, one.key), one.name) for one in wanted]

    async def remove(manager: EngineClient) -> list[str]:
        return await rotation.remove_unused(manager, wanted, revision.stack.name, current)

    if gone := on_manager(context, remove):
        context.log(f"Earlier contents that nothing uses any more are removed: {', '.join(gone)}.")


def _tell_half(context: StepContext, revision: Revision, before: _Before) -> bool:
    """List what the swarm holds of a deployment that stopped, as far as a manager answers; whether it did anything."""

    async def look(manager: EngineClient) -> dict[str, str]:
        return await held.held(manager, revision.stack.name)

    now: dict[str, str] | None = None
    with suppress(PlatformError):
        now = on_manager(context, look, seconds=30)
    if now is None:
        context.log("What the swarm holds of it now can't be read: no manager answers.", OperationLog.Level.WARNING)
        return False
    made = held.made(before.marks, now, revision.made)
    if made:
        context.log(f"It stopped half way. The swarm holds of it now: {', '.join(made)}.")
    else:
        context.log("Nothing of the stack was changed." if before.marks else "Nothing was made.")
    Revision.objects.filter(pk=revision.pk).update(made=made)
    return bool(made)


def _start_anew(context: StepContext, revision: Revision, failed: Mapping[str, Mapping[str, Any]]) -> None:
    async def start(manager: EngineClient) -> list[str]:
        services, _, _ = await stacks.read(manager, revision.stack.name)
        return await anew.start_anew(manager, services, failed)

    if failed and (names := on_manager(context, start)):
        context.log(f"Unchanged, and not all running before: started anew: {', '.join(names)}.")
