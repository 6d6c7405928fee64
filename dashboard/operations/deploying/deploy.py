"""Deploy a revision of a stack and say truthfully what came of it."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.db.models import Q

from dashboard.models import OperationLog, Revision, StackState
from platform_manager.engines.client import EngineClient
from platform_manager.errors import PlatformError, ProviderError
from platform_manager.swarm import causes, held, stacks, updates

from ..context import CANCELLED, StepContext
from ..kinds import Kind, Step, register
from ..nodes.managers import on_manager
from .deploy_parts import SUPERSEDED_BY, finish, revision_of, set_state
from .failing_logs import tell_failures
from .hand_over import hand_over, remove_rotated

HOLD_SECONDS = 5.0
HAND_OVER = 1
BUSY = (StackState.PLANNING, StackState.DEPLOYING, StackState.CONVERGING, StackState.RUNNING)


def converge(context: StepContext) -> str:
    """Watch the tasks until the stack runs and keeps running, or can't."""
    revision = revision_of(context)
    context.watch()
    deadline = time.monotonic() + settings.PM_CONVERGE_SECONDS
    good_since: float | None = None
    said = ""
    while True:
        context.check()
        look = _Look(context, revision)
        status = look.status
        now = time.monotonic()
        if status.sentence != said:
            limit = f" It has {settings.PM_CONVERGE_SECONDS} s to come up." if not said and _comes_up(status) else ""
            said = status.sentence
            context.log(f"{status.sentence}{limit}")
        set_state(context, revision, StackState(status.state.value), status.sentence)
        if status.state is stacks.StackState.RUNNING:
            good_since = good_since or now
            if now - good_since >= HOLD_SECONDS:
                return "It runs, and kept running."
        else:
            good_since = None
        if status.state in (stacks.StackState.FAILED, stacks.StackState.ROLLED_BACK):
            raise ProviderError(_with_failures(status, look.tell_failures()), retryable=False)
        if now > deadline and status.working:
            # The deployment has ended well; what comes of the jobs the watcher tells of the stack.
            set_state(context, revision, StackState.RUNNING, status.sentence)
            return "It runs; its jobs have not ended yet."
        # What came up in time is seen to keep running.
        if now > deadline and good_since is None:
            why = _with_failures(status, look.tell_failures())
            raise ProviderError(f"It did not come up within {settings.PM_CONVERGE_SECONDS} s: {why}", retryable=False)
        time.sleep(0.1 if now < deadline - settings.PM_CONVERGE_SECONDS + 10 else 0.5)


class _Look:
    """One look at the stack's services and tasks, judged."""

    def __init__(self, context: StepContext, revision: Revision) -> None:
        async def read(manager: EngineClient) -> tuple[list[Any], list[Any], list[Any]]:
            return await stacks.read(manager, revision.stack.name)

        self.context, self.revision = context, revision
        services, self.tasks, nodes = on_manager(context, read, seconds=30)
        self.services = updates.since(services, revision.updates_before)
        self.status = stacks.judge(self.services, self.tasks, stacks.nodes_without(nodes, _silent(context)))
        if not revision.digests and (images := held.images(self.services, revision.stack.name)):
            revision.digests = images
            Revision.objects.filter(pk=revision.pk).update(digests=images)

    def tell_failures(self) -> list[str]:
        """What they were, a sentence each."""
        found = tell_failures(self.context, self.revision, self.services, self.tasks, self.status)
        return [f"{_where(one['service'], one['node'])}{one['error']}" for one in found]


def _comes_up(status: stacks.StackStatus) -> bool:
    return status.state is stacks.StackState.CONVERGING


def _silent(context: StepContext) -> set[str]:
    """The nodes of hosts that the platform can't reach."""
    hosts = context.environment.hosts.filter(Q(link_up=False) | Q(engine_up=False))
    return set(hosts.values_list("node_id", flat=True))


def _where(service: str, node: str) -> str:
    return f"{service} on {node or 'no host'}: "


def _with_failures(status: stacks.StackStatus, told: list[str]) -> str:
    """``told`` are the failures that were looked into: they say more than the swarm does of the same ones."""
    lines = [status.sentence]
    for service in status.services:
        if service.state is not stacks.StackState.RUNNING and service.sentence not in status.sentence:
            lines.append(service.sentence)
        for failure in service.failures[:3]:
            where, words = _where(service.name, failure.node), failure.error.removeprefix("task: ")
            if not any(one.startswith(where) and words in one for one in told):
                lines.append(f"{where}{causes.explained(words)}")
    return "\n".join(dict.fromkeys([*lines, *told]))


def failed(context: StepContext, sentence: str) -> str | None:
    revision = Revision.objects.select_related("stack").filter(pk=context.args["revision"]).first()
    if revision is None:
        return None
    truer = _cancelled(context, revision) if sentence == CANCELLED else None
    if truer is None and revision.state in BUSY:
        set_state(context, revision, StackState.FAILED, sentence)
    finish(revision)
    return truer


def _cancelled(context: StepContext, revision: Revision) -> str | None:
    """What is true of a deployment that was cancelled: what the swarm was given stays there, and may well run."""
    newer = context.args.get(SUPERSEDED_BY)
    why = f"Superseded by revision {newer}." if newer else CANCELLED
    if context.n <= HAND_OVER:
        held = f" The swarm holds of it: {', '.join(revision.made)}." if revision.made else ""
        set_state(context, revision, StackState.FAILED, f"{why}{held}")
        return f"{why}{held}"
    if newer:
        # What runs by now may be the newer one's.
        state, how = StackState(revision.state), f"When it was seen last: {revision.sentence}"
    else:
        state, how = _seen_now(context, revision)
    runs = state == StackState.RUNNING
    sentence = f"{why} Revision {revision.n} was deployed {'and runs' if runs else 'all the same'}. {how}"
    # Nobody waits for it any more: the watcher goes on telling of the stack.
    set_state(context, revision, state if state not in BUSY or runs else StackState.DEGRADED, sentence)
    return sentence


def _seen_now(context: StepContext, revision: Revision) -> tuple[StackState, str]:
    try:
        status = _Look(context, revision).status
    except PlatformError:
        return StackState.DEGRADED, "How it does can't be seen now: no manager answers."
    return StackState(status.state.value), status.sentence


def settle(context: StepContext) -> None:
    """It is over; earlier contents of its secrets and configs are not needed for going back any more."""
    revision = revision_of(context)
    try:
        remove_rotated(context, revision)
    except PlatformError as error:
        context.log(f"Earlier contents of its secrets and configs stay for now: {error}", OperationLog.Level.WARNING)
    finish(revision)


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
