"""Machines for the hosts of an operation, made by the drivers, each with what its bootstrap script has to know."""

from __future__ import annotations

import asyncio
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings

from dashboard.models import EnrolmentToken, Environment, Host, HostState, LinkKind
from platform_manager.clouds.base import BootstrapSpec, Driver, Machine, MachineSpec
from platform_manager.errors import PlatformError, ProviderError, UserError

from ..clouds.drivers import driver_for, public_addresses
from ..clouds.open_ports import opened, ssh_from
from ..context import StepContext
from .addresses import platform_address

# A cloud may take ten minutes to build a machine.
MACHINES_SECONDS = 900.0
MTU_RANGE = range(576, 65_536)


def hosts_of(context: StepContext) -> list[Host]:
    """The operation's hosts that have not failed; gone ones were removed by a user meanwhile."""
    wanted = Host.objects.filter(pk__in=context.args["hosts"]).exclude(state=HostState.FAILED)
    wanted = wanted.select_related("account__preset")
    return list(wanted.order_by("name"))


def set_state(context: StepContext, host: Host, state: HostState, detail: str = "") -> None:
    """Write the host's state, and tell watchers."""
    Host.objects.filter(pk=host.pk).update(state=state, state_detail=context.masked(detail))
    context.changed()


def make_machines(context: StepContext) -> str:
    """Every host gets its machine; all are made at the same time. One that is there is started and may enrol again."""
    hosts = [host for host in hosts_of(context) if not (host.provider_id and host.link_up)]
    drivers = [driver_for(host) for host in hosts]
    address = platform_address(context.run) if any(host.driver == "local" for host in hosts) else ""

    async def make_all() -> list[BaseException | None]:
        pairs = zip(hosts, drivers, strict=True)
        made = [asyncio.create_task(_make(context, host, driver, address)) for host, driver in pairs]
        return [None if result is None else result for result in await asyncio.gather(*made, return_exceptions=True)]

    outcomes = context.run(make_all(), seconds=MACHINES_SECONDS)
    failures = [(host, error) for host, error in zip(hosts, outcomes, strict=True) if error is not None]
    for host, error in failures:
        if not isinstance(error, PlatformError):
            raise error
        context.log(f"{host.name}: {error}", "error")
    if failures:
        lasting = any(isinstance(error, UserError) for _, error in failures)
        sentence = f"{len(failures)} of {len(hosts)} machines could not be made: {failures[0][1]}"
        raise ProviderError(sentence, retryable=not lasting)
    count = len(context.args["hosts"])
    return "1 machine is there." if count == 1 else f"{count} machines are there."


async def _make(context: StepContext, host: Host, driver: Driver, address: str) -> None:
    machine = await driver.find(str(host.pk))
    if machine is None:
        await _say(context, host, HostState.BUILDING, "machine requested")
    machine = await driver.create(await _prepared(context, host, address, machine is None))
    await _record(context, driver, host, machine)


@sync_to_async(thread_sensitive=False)
def _prepared(context: StepContext, host: Host, address: str, anew: bool) -> MachineSpec:
    token = ""
    if host.link == LinkKind.REVERSE:
        # The token of a host is always the same one: whoever made the machine, now or before a crash, it can enrol.
        token = EnrolmentToken.issue(host, anew=anew)
    return spec_of(context, host, address, token)


@sync_to_async(thread_sensitive=False)
def _say(context: StepContext, host: Host, state: HostState, words: str) -> None:
    set_state(context, host, state)
    context.log(f"{host.name}: {words}")


async def _record(context: StepContext, driver: Driver, host: Host, machine: Machine) -> None:
    rows = Host.objects.filter(pk=host.pk)
    if not await rows.aupdate(provider_id=machine.provider_id, addresses=list(machine.addresses)):
        # This worker was taken for dead, and the host was removed before it went on: nobody would find the machine.
        await driver.destroy(str(host.pk))
        raise UserError(f"{host.name} was removed while its machine was being made.")
    # A machine that has enrolled meanwhile is further already.
    if await rows.filter(state__in=(HostState.REQUESTED, HostState.BUILDING)).aupdate(state=HostState.BOOTING):
        await _tell(context, f"{host.name}: machine is up at {', '.join(machine.addresses)}")


@sync_to_async(thread_sensitive=False)
def _tell(context: StepContext, words: str) -> None:
    context.log(words)
    context.changed()


def spec_of(context: StepContext, host: Host, address: str, token: str) -> MachineSpec:
    environment = context.environment
    dialled = host.link == LinkKind.DIRECT
    bootstrap = BootstrapSpec(
        **(_nobody_to_dial(environment) if dialled else _whom_to_dial(host, address, token)),
        host_id=str(host.pk),
        token=token,
        # Where nothing is fixed: the cloud's word for the network, unless the machine measures less.
        mtu=environment.swarm_mtu or environment.mtu or network_mtu(host),
    )
    return MachineSpec(
        host_id=str(host.pk),
        environment_id=str(environment.pk),
        operation_id=str(context.operation.pk),
        name=host.name,
        bootstrap=bootstrap,
        options=_options(environment, host),
    )


def _whom_to_dial(host: Host, address: str, token: str) -> dict[str, Any]:
    base, hub = public_addresses()
    if host.driver == "local":
        base, hub = settings.PM_JOIN_URL or f"http://{address}:{settings.PM_PORT}", settings.PM_HUB_ADDRESS or address
    return {
        "join_url": f"{base}/join/{token}",
        "hub_host": hub,
        "hub_port": settings.PM_HUB_PORT,
        "hub_host_key": hub_key(),
    }


def _nobody_to_dial(environment: Environment) -> dict[str, Any]:
    nobody = {"join_url": "", "hub_host": "", "hub_port": 0, "hub_host_key": ""}
    return {**nobody, "platform_key": environment.key.public_key}


def _options(environment: Environment, host: Host) -> dict[str, object]:
    """The driver's, with what is let in to the environment's machines."""
    let_in = {"open_ports": opened(environment), "ssh_from": ssh_from(environment, host.account)}
    options = {**host.options, **let_in}
    if host.link == LinkKind.DIRECT:
        options["public_key"] = environment.key.public_key
    return options


def network_mtu(host: Host) -> int | None:
    """What the cloud says of the host's network."""
    mtu = host.options.get("mtu")
    return mtu if isinstance(mtu, int) and mtu in MTU_RANGE else None


def hub_key() -> str:
    """The hub's public key, which a host pins."""
    from platform_manager.engines.links import load_host_key

    return " ".join(load_host_key(settings.PM_HUB_KEY).export_public_key().decode().split()[:2])
