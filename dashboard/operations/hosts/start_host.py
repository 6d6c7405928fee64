"""Start the machine of a host that somebody stopped outside the platform."""

from __future__ import annotations

from django.conf import settings

from dashboard.models import Host, HostState, MachineState
from platform_manager.errors import ProviderError, UserError

from ..clouds.drivers import OPENSTACK, console_of, driver_for, link_of
from ..context import StepContext
from ..kinds import Kind, Step, register
from ..nodes.leaving import target
from .add_hosts import CONSOLE_LINES

START_SECONDS = 120.0


def stopped(host: Host) -> bool:
    """Whether its machine is known to be stopped, or may be and can be started at no cost."""
    if host.machine == MachineState.STOPPED:
        return True
    return host.driver == "local" and host.state == HostState.DISCONNECTED and host.machine != MachineState.GONE


def start(context: StepContext) -> str:
    host = _host(context)
    if host.driver == OPENSTACK and host.account is not None:
        from platform_manager.clouds.openstack.watch import awaken

        context.run(awaken(link_of(host.account).cloud, host.provider_id), seconds=START_SECONDS)
    context.run(driver_for(host).start(str(host.pk)), seconds=START_SECONDS)
    return f"The machine of {host.name} was told to start."


def wait_for_link(context: StepContext) -> str:
    """Until its link is up; what its console says last where it does not come."""
    host = _host(context)
    late = (
        f"{host.name} was started and did not call in within {settings.PM_HOST_SECONDS} s. Its console is in the log; "
        "recreate the host where that does not help."
    )
    try:
        context.wait(lambda: _host(context).link_up, seconds=settings.PM_HOST_SECONDS, late=late)
    except ProviderError:
        console = console_of(host, CONSOLE_LINES)
        context.log(f"The console of {host.name} ends with:", "error")
        context.log(console or "(nothing)", "output")
        raise
    known = Host.objects.filter(pk=host.pk, machine=MachineState.STOPPED)
    known.update(machine=MachineState.RUNNING, machine_detail="")
    context.changed()
    return f"{host.name} called in."


def _host(context: StepContext) -> Host:
    host = target(context)
    if host is None:
        raise UserError("The host was removed meanwhile.")
    return host


KIND = register(
    Kind(
        name="start_host",
        steps=(
            Step("start", "Start the machine", start),
            Step("link", "Wait until it calls in", wait_for_link, attempts=1),
        ),
    )
)
