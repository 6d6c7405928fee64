"""How a host leaves its swarm, for good or to be made anew: with the quorum kept and its tasks moved first."""

from __future__ import annotations

from typing import Any

from dashboard.models import Host, HostRole, HostState, StackState
from platform_manager import wiring
from platform_manager.engines.client import EngineClient, EngineError
from platform_manager.errors import PlatformError, ProviderError, UserError
from platform_manager.swarm import cluster
from platform_manager.swarm.snapshot import answers, part

from ..context import StepContext
from . import identity
from .managers import managers, on_manager

DRAIN_SECONDS = 180
SWARM_ENDED = "It ended with the swarm's last host. Add hosts, then deploy it again."


def target(context: StepContext) -> Host | None:
    return Host.objects.select_related("account__preset").filter(pk=context.args["host"]).first()


def others(context: StepContext, host: Host) -> list[Host]:
    """The rest of the swarm."""
    return list(context.environment.hosts.exclude(pk=host.pk).exclude(node_id=""))


def other_managers(context: StepContext, host: Host) -> list[Host]:
    return [manager for manager in managers(context.environment) if manager.pk != host.pk]


def find_node(context: StepContext, host: Host) -> None:
    """A host that joined in an operation that was cut short may not have its node id recorded."""
    if host.node_id or not host.link_up:
        return
    try:
        found = context.run(cluster.info(wiring.engine(host.pk)), seconds=20)
    except ProviderError:
        return
    # The node it names is taken off the swarm: it must not be another host's.
    errors = identity.refused(context, {host: found.node_id}) if found.node_id and others(context, host) else {}
    if errors:
        context.log(f"{errors[host]} It is removed without a change to the swarm.", "warning")
    elif found.node_id:
        host.node_id = found.node_id
        host.role = HostRole.MANAGER if found.manager else HostRole.WORKER
        host.save(update_fields=["node_id", "role"])


def check_majority(context: StepContext, host: Host, promote: int = 0) -> None:
    """Refuse where the swarm, as it counts its managers now, would have no majority without the host.

    ``promote`` more managers will be there by then.
    """
    if not other_managers(context, host) and not promote:
        raise UserError(
            f"{host.name} is the only manager that answers: without it the swarm is lost. Promote another host first."
        )

    async def counted(manager: EngineClient) -> tuple[cluster.Quorum, dict[str, Any] | None]:
        return await cluster.quorum(manager), await cluster.node(manager, host.node_id)

    now, node = on_manager(context, counted)
    after = cluster.Quorum(now.managers + promote, now.reachable + promote)
    if part(node, "ManagerStatus") is not None:
        after = after.without(reachable=part(node, "ManagerStatus", "Reachability") == "reachable")
    if not after.holds:
        raise UserError(
            f"Without {host.name} only {after.reachable} of {after.managers} managers would answer, and the swarm "
            f"needs {after.needed}. Bring the lost managers back or remove them first."
        )


def drain(context: StepContext) -> str | None:
    """The swarm moves the host's tasks elsewhere; wait until none is left on it."""
    host = target(context)
    if host is None or not host.node_id or not others(context, host):
        return None
    Host.objects.filter(pk=host.pk).update(state=HostState.DRAINING)
    context.changed()

    async def start(manager: EngineClient) -> bool:
        node = await cluster.node(manager, host.node_id)
        if node is None:
            return False
        await cluster.change_node(manager, host.node_id, Availability="drain")
        return answers(node)

    async def left(manager: EngineClient) -> int:
        node = await cluster.node(manager, host.node_id)
        return await cluster.running_tasks(manager, host.node_id) if node is not None and answers(node) else 0

    if not on_manager(context, start):
        return f"{host.name} does not answer; the swarm has moved its tasks already."
    try:
        context.wait(lambda: on_manager(context, left) == 0, seconds=DRAIN_SECONDS, late="late", every=0.5)
    except ProviderError:
        context.log(f"Some tasks did not stop within {DRAIN_SECONDS} s; they end with the machine.", "warning")
    return f"No tasks are left on {host.name}."


def leave_swarm(context: StepContext, host: Host) -> str:
    """The engine leaves the swarm and the swarm forgets the node; an engine that is gone is only forgotten."""
    Host.objects.filter(pk=host.pk).update(state=HostState.REMOVING)
    context.changed()
    if host.link_up:
        try:
            context.run(cluster.leave(wiring.engine(host.pk), force=True), seconds=90)
        except EngineError as error:
            context.log(f"{host.name} did not leave by itself ({error}); it is taken off the list.", "warning")
    if not others(context, host):
        type(context.environment).objects.filter(pk=context.environment.pk).update(swarm_mtu=None)
        context.environment.stacks.update(state=StackState.FAILED, sentence=SWARM_ENDED, settled_at=None)
        return "It was the last host: the swarm ends with it."

    async def forget(manager: EngineClient) -> None:
        await cluster.remove_node(manager, host.node_id)

    on_manager(context, forget, but=host)
    return f"The swarm has forgotten {host.name}."


def take_tasks_again(context: StepContext, host: Host) -> None:
    """A host that stays shall not stay drained: nothing else would ever change that."""
    if not host.node_id or not others(context, host):
        return

    async def activate(manager: EngineClient) -> None:
        if await cluster.node(manager, host.node_id) is not None:
            await cluster.change_node(manager, host.node_id, Availability="active")

    try:
        on_manager(context, activate, seconds=30)
    except PlatformError as error:
        context.log(f"{host.name} stays drained and takes no tasks until its removal is repeated: {error}", "warning")
