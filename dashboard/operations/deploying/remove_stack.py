"""Remove a stack: its services, networks, configs and secrets; volumes stay."""

from __future__ import annotations

from django.utils import timezone

from dashboard.models import Stack, StackState
from platform_manager.engines.client import EngineClient
from platform_manager.errors import ProviderError
from platform_manager.swarm import stacks

from ..context import StepContext
from ..kinds import Kind, Step, register
from ..nodes.managers import managers, on_manager

GONE_SECONDS = 120


def _no_swarm(context: StepContext) -> bool:
    return not managers(context.environment) and not context.environment.hosts.exclude(node_id="").exists()


def remove(context: StepContext) -> None:
    """Remove everything that carries the stack's label."""
    name = context.args["stack"]
    if _no_swarm(context):
        return

    async def go(manager: EngineClient) -> None:
        await stacks.remove(manager, name)

    Stack.objects.filter(environment=context.environment, name=name).update(state=StackState.REMOVING, sentence="")
    context.changed()
    on_manager(context, go, seconds=180)


def wait_until_gone(context: StepContext) -> str | None:
    """Names are free again only when the last task has ended."""
    name = context.args["stack"]
    if _no_swarm(context):
        return "There is no swarm any more."

    remove_and_wait(context, name)
    return "Nothing of it is left but its volumes."


def remove_and_wait(context: StepContext, name: str) -> None:
    """Remove round after round until nothing of the stack is left; ProviderError when that takes too long."""

    async def rest(manager: EngineClient) -> list[str]:
        found = await stacks.remains(manager, name)
        if found:
            await stacks.remove(manager, name)
        return found

    left: list[str] = []

    def gone() -> bool:
        left[:] = on_manager(context, rest, seconds=60)
        return not left

    try:
        context.wait(gone, seconds=GONE_SECONDS, late="late", every=0.5)
    except ProviderError:
        raise ProviderError(
            f"Still there after {GONE_SECONDS} s: {', '.join(left[:20])}. Remove the stack again.",
            retryable=False,
        ) from None


def forget(context: StepContext) -> None:
    Stack.objects.filter(environment=context.environment, name=context.args["stack"]).delete()
    context.changed()


def failed(context: StepContext, sentence: str) -> None:
    # Where nothing was begun the stack is as it was, and the watcher says how that is.
    settled_at = None if context.n else timezone.now()
    Stack.objects.filter(environment=context.environment, name=context.args["stack"]).update(
        state=StackState.FAILED, sentence=f"Its removal stopped: {sentence}", settled_at=settled_at
    )
    context.changed()


KIND = register(
    Kind(
        name="remove_stack",
        steps=(
            Step("remove", "Remove services, networks, configs and secrets", remove),
            Step("gone", "Wait until the last task has ended", wait_until_gone),
            Step("forget", "Forget the stack", forget),
        ),
        failed=failed,
    )
)
