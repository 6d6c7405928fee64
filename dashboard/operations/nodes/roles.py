"""Make a worker a manager, or a manager a worker."""

from __future__ import annotations

from dashboard.models import Host, HostRole
from platform_manager.engines.client import EngineClient
from platform_manager.errors import UserError
from platform_manager.swarm import cluster
from platform_manager.swarm.snapshot import part

from ..context import StepContext
from ..kinds import Kind, Step, register
from .managers import managers, on_manager

SECONDS = 60


def change_role(context: StepContext, host: Host, role: HostRole) -> None:
    """Ask the swarm for the role and wait until the node has taken it."""

    async def change(manager: EngineClient) -> None:
        if role == HostRole.WORKER and await cluster.node(manager, host.node_id) is None:
            return  # the swarm has forgotten it: it is no manager any more
        await cluster.change_node(manager, host.node_id, Role=role.value)

    async def taken(manager: EngineClient) -> bool:
        node = await cluster.node(manager, host.node_id)
        if node is None:
            return True
        if role == HostRole.WORKER:
            return node.get("ManagerStatus") is None
        return bool(part(node, "ManagerStatus", "Reachability") == "reachable")

    on_manager(context, change)
    context.wait(
        lambda: on_manager(context, taken, but=host if len(managers(context.environment)) > 1 else None),
        seconds=SECONDS,
        late=f"{host.name} did not become {role.label.lower()} within {SECONDS} s; the swarm may still be busy.",
    )
    Host.objects.filter(pk=host.pk).update(role=role)
    context.log(f"{host.name} is now {role.label.lower()}.")
    context.changed()


def change(context: StepContext) -> str | None:
    host = Host.objects.filter(pk=context.args["host"]).first()
    if host is None or not host.node_id:
        raise UserError("The host is not in the swarm (any more).")
    change_role(context, host, HostRole(context.args["role"]))
    return None


KIND = register(
    Kind(
        name="change_role",
        steps=(Step("role", "Change the role and wait until the swarm has taken it", change),),
    )
)
