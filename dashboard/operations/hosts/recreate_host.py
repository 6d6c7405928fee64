"""Recreate a dead host: it is taken off the swarm, its machine is made anew, and it joins under the same name.

Taking a dead manager off costs nothing: of 3 managers with one lost both others are needed, and of 2 as well. So
nobody is promoted in its place; it comes back in its former role.
"""

from __future__ import annotations

from django.db import transaction

from dashboard.models import Host, HostRole, HostState, MachineState
from platform_manager.engines.client import EngineClient
from platform_manager.errors import UserError
from platform_manager.swarm import cluster

from ..clouds.cloud_look import SETTLED
from ..clouds.drivers import OPENSTACK, driver_for
from ..context import StepContext
from ..kinds import Kind, Step, register
from ..nodes import leaving, quorum
from ..nodes.managers import on_manager
from ..nodes.odd import settle_managers
from ..nodes.roles import change_role
from . import add_hosts
from .machines import make_machines

MADE_BY_US = ("local", OPENSTACK)
LOST_MACHINES = (MachineState.GONE, MachineState.BROKEN, MachineState.CHANGED)
LOST_STATES = (HostState.DISCONNECTED, HostState.FAILED)
# The number of the first step in which the swarm is changed.
LEAVING = 3
# What is known of a machine; a host without one has these.
WITHOUT_MACHINE = {
    "node_id": "",
    "provider_id": "",
    "addresses": [],
    "facts": {},
    "key_fingerprint": "",
    "host_key": "",
    "link_up": False,
    "engine_up": False,
    "machine": "",
    "machine_detail": "",
    "machine_seen_at": None,
}


def alive(host: Host) -> str:
    """Why the host need not be recreated, as a sentence; "" for one that is lost."""
    if host.state in LOST_STATES or (host.state in SETTLED and host.machine in LOST_MACHINES):
        return ""
    return f"{host.name} is {host.get_state_display().lower()}: only a host that is lost can be recreated."


def check_quorum(context: StepContext) -> str | None:
    """Refuse where the host came back, or where the rest of the swarm would have no majority of its managers."""
    if context.args.get("cleared"):
        return "It was taken off the swarm before."
    host = _target(context)
    if refusal := alive(host):
        raise UserError(f"{refusal} Nothing was changed.")
    _note(context, host)
    leaving.find_node(context, host)
    if host.node_id and leaving.others(context, host):
        leaving.check_majority(context, host)
    return None


def _note(context: StepContext, host: Host) -> None:
    """How the host was when it was lost: from the next step on its state is the operation's own."""
    context.args["before"] = {"link_up": host.link_up, "engine_up": host.engine_up, "machine": host.machine}
    context.operation.save(update_fields=["args"])


def _back(context: StepContext, host: Host) -> bool:
    before = context.args.get("before", {})
    if any(getattr(host, sign) and not before.get(sign) for sign in ("link_up", "engine_up")):
        return True
    mended = before.get("machine") in LOST_MACHINES and host.machine not in LOST_MACHINES
    return host.link_up and mended


def _check_lost(context: StepContext, host: Host) -> None:
    """Refuse where the host came back since the first step: much time may pass while a worker is replaced."""
    if not _back(context, host):
        return
    if not _forgotten(context, host):
        raise UserError(f"{host.name} has come back. It stays as it is and takes tasks again.")
    Host.objects.filter(pk=host.pk).update(node_id="")
    raise UserError(
        f"{host.name} has come back, after the swarm had forgotten it. Its machine was not destroyed: save what you "
        "need of it, then recreate the host, which brings it into the swarm again."
    )


def _forgotten(context: StepContext, host: Host) -> bool:
    """Whether its place in the swarm is gone already, by this operation."""
    if not host.node_id or not leaving.others(context, host):
        return False

    async def listed(manager: EngineClient) -> bool:
        return await cluster.node(manager, host.node_id) is not None

    return not on_manager(context, listed, but=host)


def drain(context: StepContext) -> str | None:
    """Tasks of a host whose engine still answers move first; those of a lost one can't be waited for."""
    if context.args.get("cleared"):
        return None
    host = _target(context)
    _check_lost(context, host)
    return leaving.drain(context) if host.link_up else None


def leave(context: StepContext) -> str | None:
    """The swarm forgets the node, a manager after its demotion."""
    if context.args.get("cleared"):
        return None
    host = _target(context)
    _check_lost(context, host)
    if not host.node_id:
        return None
    if host.role == HostRole.MANAGER and leaving.others(context, host):
        change_role(context, host, HostRole.WORKER)
    return leaving.leave_swarm(context, host)


def destroy(context: StepContext) -> str | None:
    """What is left of the old machine goes, with its disk and addresses; the row is that of a new host then."""
    if context.args.get("cleared"):
        return None
    host = _target(context)
    _check_lost(context, host)
    Host.objects.filter(pk=host.pk).update(state=HostState.REMOVING)
    context.changed()
    context.run(driver_for(host).destroy(str(host.pk)), seconds=300)
    _clear(context, host)
    return f"Nothing is left of the old machine of {host.name}."


@transaction.atomic
def _clear(context: StepContext, host: Host) -> None:
    """From here on what is found of the host is the new machine's, and is kept when the operation is repeated."""
    Host.objects.filter(pk=host.pk).update(
        **WITHOUT_MACHINE, role=context.args["role"], state=HostState.REQUESTED, state_detail=""
    )
    context.args["cleared"] = True
    context.operation.save(update_fields=["args"])
    context.changed()


def _target(context: StepContext) -> Host:
    host = leaving.target(context)
    if host is None:
        raise UserError("The host was removed meanwhile.")
    return host


def failed(context: StepContext, sentence: str) -> None:
    """The host is as lost as before, or failed; an even number of managers is not left."""
    host = leaving.target(context)
    if host is None or context.n == 0:
        return
    if host.state in (HostState.DRAINING, HostState.REMOVING):
        steady = HostState.RECONNECTING if host.link_up else HostState.DISCONNECTED
        state = steady if host.node_id else HostState.FAILED
        Host.objects.filter(pk=host.pk).update(state=state, state_detail=f"Its recreation stopped: {sentence}")
        context.changed()
        leaving.take_tasks_again(context, host)
    if context.args.get("cleared"):
        add_hosts.fail_unfinished(context, sentence)
    others = leaving.others(context, host)
    if context.n >= LEAVING and others:
        back = host if context.args["role"] == HostRole.MANAGER else None
        _, demote = quorum.after_removal(context.environment.managers, others)
        settle_managers(context, undo=[], back=back, finish=[str(other.pk) for other in demote])


KIND = register(
    Kind(
        name="recreate_host",
        steps=(
            Step("quorum", "Check that the swarm keeps its majority", check_quorum),
            Step("drain", "Wait until its tasks have moved", drain),
            Step("leave", "Take it off the swarm", leave),
            Step("destroy", "Destroy the old machine", destroy),
            Step("machine", "Make the new machine", make_machines),
            Step("link", "Wait until it calls in", add_hosts.wait_for_links, attempts=1),
            Step("images", "Load images", add_hosts.load_images),
            Step("swarm", "Find or form the swarm and its networks", add_hosts.form_swarm),
            Step("join", "Join the swarm", add_hosts.join_swarm),
            Step("check", "Check that it is ready", add_hosts.check_nodes),
        ),
        failed=failed,
    )
)
