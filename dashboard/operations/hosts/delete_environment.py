"""Delete an environment with all that the platform made for it."""

from __future__ import annotations

import asyncio

from django.utils import timezone

from dashboard.models import Environment, Host, HostState
from platform_manager import wiring

from ..clouds import staying
from ..clouds.drivers import driver_for, drivers_of
from ..context import StepContext
from ..kinds import Kind, Step, register


def destroy_hosts(context: StepContext) -> str:
    """All machines at once: nobody is left who would miss them, so nothing is drained."""
    environment = context.environment
    hosts = _removable(context)
    drivers = [driver_for(host) for host in hosts]
    environment.hosts.update(state=HostState.REMOVING)
    context.changed()

    async def destroy_all() -> None:
        await asyncio.gather(*(driver.destroy(str(host.pk)) for host, driver in zip(hosts, drivers, strict=True)))

    context.run(destroy_all(), seconds=600)
    return "1 machine is destroyed." if len(hosts) == 1 else f"{len(hosts)} machines are destroyed."


def _removable(context: StepContext) -> list[Host]:
    """All hosts but those that the user chose to leave in their clouds."""
    hosts = context.environment.hosts.select_related("account__preset")
    return [host for host in hosts if not staying.is_left(context.args, host)]


def destroy_shared(context: StepContext) -> str:
    """What the machines shared, and machines whose rows are gone."""
    environment_id = str(context.environment.pk)
    if not context.environment.operations.filter(kind="add_hosts").exists():
        return "It never had machines."
    hosts = _removable(context)
    drivers = drivers_of(hosts)
    if had_local_hosts(context) and not any(host.driver == "local" for host in hosts):
        drivers.append(wiring.driver("local"))

    async def destroy() -> None:
        for driver in drivers:
            for machine in await driver.list_machines(environment_id):
                await driver.destroy(machine.host_id)
            await driver.destroy_environment(environment_id)

    context.run(destroy(), seconds=300)
    return "Networks of its machines are gone."


def had_local_hosts(context: StepContext) -> bool:
    """Also where their rows are gone. A platform for clouds alone has no engine of its own to ask."""
    asked = context.environment.operations.filter(kind="add_hosts").values_list("args", flat=True)
    return any(args.get("driver", "local") == "local" for args in asked)


def forget(context: StepContext) -> str:
    environment = context.environment
    staying.forget(context, environment.hosts.select_related("account"))
    environment.hosts.all().delete()
    environment.stacks.all().delete()
    Environment.objects.filter(pk=environment.pk).update(deleted_at=timezone.now())
    context.changed()
    return f"{environment.name} is deleted."


def failed(context: StepContext, sentence: str) -> None:
    Environment.objects.filter(pk=context.environment.pk).update(removing_since=None)
    context.environment.hosts.filter(state=HostState.REMOVING).update(
        state=HostState.FAILED, state_detail=f"The deletion of the environment stopped: {sentence}"
    )
    context.changed()
    staying.ask_again(context, context.environment.hosts.select_related("account__preset"), "hosts", "shared")


KIND = register(
    Kind(
        name="delete_environment",
        steps=(
            Step("hosts", "Destroy the machines", destroy_hosts),
            Step("shared", "Remove what they shared", destroy_shared),
            Step("forget", "Forget the environment", forget),
        ),
        failed=failed,
    )
)
