"""An odd number of managers again, where an operation that promotes and demotes was stopped halfway."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from dashboard.models import Host, HostRole
from platform_manager.engines.client import EngineClient
from platform_manager.errors import PlatformError, ProviderError
from platform_manager.swarm import cluster
from platform_manager.swarm.snapshot import part

from ..context import StepContext
from .managers import on_manager
from .roles import change_role


def settle_managers(
    context: StepContext, *, undo: Collection[str], back: Host | None = None, finish: Collection[str] = ()
) -> None:
    """Undo one promotion of the operation, or take its demotion of ``back`` back, or finish its demotions.

    ``undo`` and ``finish`` are ids of hosts. Nothing happens where the swarm has an odd number of managers. What
    can't be done is said in the log: the operation has ended, and must not fail a second time.
    """
    if context.environment.removing_since is not None:
        return
    pauses = [0.5, 2.0]
    while True:
        try:
            _settle(context, undo, back, finish)
            return
        except PlatformError as error:
            if not (pauses and isinstance(error, ProviderError) and error.retryable):
                words = "The swarm may have an even number of managers; repeat the operation to have an odd one"
                context.log(f"{words}: {error}", "warning")
                return
        time.sleep(pauses.pop(0))


def _settle(context: StepContext, undo: Collection[str], back: Host | None, finish: Collection[str]) -> None:
    roles = on_manager(context, _roles, seconds=30)
    hosts = _told(context, roles)
    count = list(roles.values()).count(HostRole.MANAGER)
    if count % 2:
        return
    change = _change(hosts, undo, back, finish)
    if change is None:
        raise PlatformError(f"of its {count} managers none can be changed here.")
    context.log(f"The swarm was left with {count} managers, which is no safer than {count - 1}.")
    change_role(context, *change)


async def _roles(manager: EngineClient) -> dict[str, str]:
    """The role of each node by its id, as the swarm wants it."""
    return {str(node.get("ID")): str(part(node, "Spec", "Role")) for node in await cluster.nodes(manager)}


def _told(context: StepContext, roles: dict[str, str]) -> Sequence[Host]:
    """The environment's hosts in the swarm, with their roles there: one may have changed unrecorded."""
    hosts = list(context.environment.hosts.filter(node_id__in=roles).order_by("name"))
    for host in hosts:
        role = HostRole.MANAGER if roles[host.node_id] == HostRole.MANAGER else HostRole.WORKER
        if host.role != role:
            host.role = role
            Host.objects.filter(pk=host.pk).update(role=role)
            context.changed()
    return hosts


def _change(
    hosts: Sequence[Host], undo: Collection[str], back: Host | None, finish: Collection[str]
) -> tuple[Host, HostRole] | None:
    managers = [host for host in hosts if host.role == HostRole.MANAGER]
    again = next((host for host in hosts if back is not None and host.pk == back.pk), None)
    if again is None or again.role == HostRole.MANAGER:
        promoted = [host for host in managers if str(host.pk) in undo]
        if promoted:
            return promoted[-1], HostRole.WORKER
    elif again.link_up:
        return again, HostRole.MANAGER
    unfinished = [host for host in managers if str(host.pk) in finish]
    return (unfinished[-1], HostRole.WORKER) if unfinished else None
