"""Remove a host: its tasks move, it leaves the swarm with the quorum kept, its machine is destroyed."""

from __future__ import annotations

from dashboard.models import Host, HostRole, HostState

from ..clouds import staying
from ..clouds.drivers import driver_for
from ..context import StepContext
from ..kinds import Kind, Step, register
from ..nodes import quorum
from ..nodes.leaving import check_majority, drain, find_node, leave_swarm, others, take_tasks_again, target
from ..nodes.odd import settle_managers
from ..nodes.roles import change_role


def check_quorum(context: StepContext) -> str | None:
    """Refuse what would leave the swarm without a majority of its managers, as the swarm itself counts them now."""
    host = target(context)
    if host is None:
        return "The host is already gone."
    find_node(context, host)
    if not host.node_id or not others(context, host):
        return None
    if host.role != HostRole.MANAGER:
        return None
    check_majority(context, host, promote=_plan_again(context, host))
    return None


def _plan_again(context: StepContext, host: Host) -> int:
    """Who is promoted and demoted, as the swarm is now: it may have changed since the removal was asked for.

    Kept in the operation's arguments, for after the host's demotion the plan would be another; the number of
    hosts to promote.
    """
    promote, demote = quorum.after_removal(context.environment.managers, others(context, host))
    context.args["promote"] = [str(other.pk) for other in promote]
    context.args["demote"] = [str(other.pk) for other in demote]
    context.operation.save(update_fields=["args"])
    return len(promote)


def promote_others(context: StepContext) -> str | None:
    """Hosts that take the leaving manager's place become managers before it goes."""
    host = target(context)
    if host is None or host.role != HostRole.MANAGER:
        return None
    for replacement in Host.objects.filter(pk__in=context.args.get("promote", []), role=HostRole.WORKER):
        change_role(context, replacement, HostRole.MANAGER)
    return None


def demote(context: StepContext) -> str | None:
    """The host stops being a manager; so does one more where an even number would be left."""
    host = target(context)
    if host is None or not host.node_id or not others(context, host):
        return None
    if host.role == HostRole.MANAGER:
        change_role(context, host, HostRole.WORKER)
    for extra in Host.objects.filter(pk__in=context.args.get("demote", []), role=HostRole.MANAGER):
        change_role(context, extra, HostRole.WORKER)
    return None


def leave(context: StepContext) -> str | None:
    host = target(context)
    return leave_swarm(context, host) if host is not None and host.node_id else None


def destroy(context: StepContext) -> str | None:
    """The machine and its disks go, unless the user chose to leave them in the cloud; then its row."""
    host = target(context)
    if host is None:
        return None
    if staying.is_left(context.args, host):
        staying.forget(context, [host])
        host.delete()
        context.changed()
        return f"{host.name} is forgotten."
    Host.objects.filter(pk=host.pk).update(state=HostState.REMOVING)
    driver, environment = driver_for(host), context.environment
    context.run(driver.destroy(str(host.pk)), seconds=300)
    if host.account_id and not environment.hosts.filter(account=host.account_id).exclude(pk=host.pk).exists():
        # While its row is there, the platform knows in which project to look.
        context.run(driver.destroy_environment(str(environment.pk)), seconds=300)
        context.log(f"It was the environment's last host in {host.account}: its security group is gone too.")
    host.delete()
    context.changed()
    return f"The machine of {host.name} is destroyed."


def failed(context: StepContext, sentence: str) -> None:
    host = target(context)
    if host is not None and host.state in (HostState.DRAINING, HostState.REMOVING):
        # The watcher turns "reconnecting" into what the engine really is within a moment.
        state = HostState.RECONNECTING if host.node_id else HostState.FAILED
        Host.objects.filter(pk=host.pk).update(state=state, state_detail=f"Its removal stopped: {sentence}")
        context.changed()
        take_tasks_again(context, host)
    if host is not None:
        staying.ask_again(context, [host], "destroy")
    # Before the second step nothing was changed in the swarm.
    if host is not None and host.node_id and context.n > 1 and others(context, host):
        plan = context.args
        settle_managers(context, undo=plan.get("promote", []), back=host, finish=plan.get("demote", []))


KIND = register(
    Kind(
        name="remove_host",
        steps=(
            Step("quorum", "Check that the swarm keeps its majority", check_quorum),
            Step("promote", "Promote hosts in its place", promote_others),
            Step("drain", "Drain it and wait until its tasks have moved", drain),
            Step("demote", "Demote it", demote),
            Step("leave", "Leave the swarm", leave),
            Step("destroy", "Destroy the machine", destroy),
        ),
        failed=failed,
    )
)
