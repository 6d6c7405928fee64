"""Deploy a revision of a stack and say truthfully what came of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils import timezone

from dashboard.models import Revision, Stack, StackState
from platform_manager import recipes
from platform_manager.engines import cli
from platform_manager.engines.client import EngineClient
from platform_manager.errors import ProviderError, UserError
from platform_manager.swarm import anew, cluster, stacks, updates

from .context import StepContext
from .kinds import Kind, Step, register
from .managers import on_manager

HOLD_SECONDS = 5.0


def revision_of(context: StepContext) -> Revision:
    revision = Revision.objects.select_related("stack").filter(pk=context.args["revision"]).first()
    if revision is None:
        raise UserError("The stack was removed before this deployment came to its turn.")
    return revision


def set_state(context: StepContext, revision: Revision, state: StackState, sentence: str = "") -> None:
    sentence = context.masked(sentence)
    if (revision.state, revision.sentence) == (state, sentence):
        return
    revision.state, revision.sentence = state, sentence
    Revision.objects.filter(pk=revision.pk).update(state=state, sentence=sentence)
    Stack.objects.filter(pk=revision.stack_id).update(state=state, sentence=sentence)
    context.changed()


def hand_over(context: StepContext) -> str | None:
    """Give the compose file to the swarm through the Docker CLI, which is the reference for it."""
    revision = revision_of(context)
    environment = context.environment

    set_state(context, revision, StackState.DEPLOYING)
    failed_before = _note_before(context, revision)
    # Here, not in the coroutine: a large file takes seconds to read, and all operations share one event loop.
    prepared = recipes.prepare(
        recipes.parse(revision.compose),
        revision.answers or {},
        mtu=environment.swarm_mtu or cluster.DEFAULT_MTU,
        stack_name=revision.stack.name,
    )

    async def deploy(manager: EngineClient) -> cli.CliResult:
        return await cli.stack_deploy(
            manager.socket,
            revision.stack.name,
            prepared.compose,
            files=prepared.files,
            overlays=prepared.overlays,
        )

    result = on_manager(context, deploy, seconds=180)
    said = result.output
    if said.strip():
        context.log(said.strip(), "output")
    if result.timed_out:
        raise ProviderError("The swarm took too long to accept the stack.")
    if result.exit_code:
        reason = said.strip().splitlines()[-1] if said.strip() else f"exit code {result.exit_code}"
        # The orders are not atomic: what was made stays, and the same deployment may be given again.
        passing = any(word in reason for word in ("out of sequence", "already exists", "in use", "Cannot connect"))
        raise ProviderError(f"The swarm did not accept the stack: {reason}", retryable=passing)
    _start_anew(context, revision, failed_before)
    return None


def _note_before(context: StepContext, revision: Revision) -> dict[str, Mapping[str, Any]]:
    """What the services tell of updates before anything is changed, kept where the step runs again.

    Returns the specs of those that only fail, by id.
    """

    async def look(manager: EngineClient) -> tuple[dict[str, str], dict[str, Mapping[str, Any]]]:
        services, tasks, _ = await stacks.read(manager, revision.stack.name)
        return updates.told(services), anew.failing(services, tasks)

    told, failing = on_manager(context, look)
    if revision.updates_before is None:
        revision.updates_before = told
        Revision.objects.filter(pk=revision.pk).update(updates_before=told)
    return failing


def _start_anew(context: StepContext, revision: Revision, failed: Mapping[str, Mapping[str, Any]]) -> None:
    async def start(manager: EngineClient) -> list[str]:
        services, _, _ = await stacks.read(manager, revision.stack.name)
        return await anew.start_anew(manager, services, failed)

    if failed and (names := on_manager(context, start)):
        context.log(f"Unchanged, and not running before: started anew: {', '.join(names)}.")


def converge(context: StepContext) -> str:
    """Watch the tasks until the stack runs and keeps running, or can't."""
    revision = revision_of(context)
    deadline = time.monotonic() + settings.PM_CONVERGE_SECONDS
    good_since: float | None = None
    said = ""
    while True:
        context.check()
        status = _judge(context, revision)
        now = time.monotonic()
        if status.sentence != said:
            said = status.sentence
            context.log(status.sentence)
        set_state(context, revision, StackState(status.state.value), status.sentence)
        if status.state is stacks.StackState.RUNNING:
            good_since = good_since or now
            if now - good_since >= HOLD_SECONDS:
                return "It runs, and kept running."
        else:
            good_since = None
        if status.state in (stacks.StackState.FAILED, stacks.StackState.ROLLED_BACK):
            raise ProviderError(_with_failures(status), retryable=False)
        if now > deadline:
            raise ProviderError(
                f"It did not come up within {settings.PM_CONVERGE_SECONDS} s: {_with_failures(status)}",
                retryable=False,
            )
        time.sleep(0.1 if now < deadline - settings.PM_CONVERGE_SECONDS + 10 else 0.5)


def _judge(context: StepContext, revision: Revision) -> stacks.StackStatus:
    async def read(manager: EngineClient) -> tuple[list[Any], list[Any], list[Any]]:
        return await stacks.read(manager, revision.stack.name)

    services, tasks, nodes = on_manager(context, read, seconds=30)
    return stacks.judge(updates.since(services, revision.updates_before), tasks, nodes)


def _with_failures(status: stacks.StackStatus) -> str:
    lines = [status.sentence]
    for service in status.services:
        lines += [f"{service.name} on {failure.node or 'no host'}: {failure.error}" for failure in service.failures[:3]]
    return "\n".join(dict.fromkeys(lines))


def failed(context: StepContext, sentence: str) -> None:
    revision = Revision.objects.select_related("stack").filter(pk=context.args["revision"]).first()
    if revision is None:
        return
    if revision.state in (
        StackState.PLANNING,
        StackState.DEPLOYING,
        StackState.CONVERGING,
        StackState.RUNNING,
    ):
        set_state(context, revision, StackState.FAILED, sentence)
    Stack.objects.filter(pk=revision.stack_id).update(settled_at=timezone.now())


def settle(context: StepContext) -> None:
    """From now on the watcher keeps the stack's state."""
    Stack.objects.filter(pk=revision_of(context).stack_id).update(settled_at=timezone.now())


KIND = register(
    Kind(
        name="deploy_stack",
        steps=(
            Step("deploy", "Hand the stack to the swarm", hand_over),
            Step("converge", "Watch it come up", converge),
            Step("settle", "Record the result", settle),
        ),
        failed=failed,
    )
)
