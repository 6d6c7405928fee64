"""Add hosts: machines made, linked, and joined into the environment's swarm, which is formed when there is none."""

from __future__ import annotations

import asyncio
import time

from django.conf import settings
from django.db.models import F
from django.template.defaultfilters import pluralize

from dashboard.models import Host, HostRole, HostState
from dashboard.models.hints import environment_group, hint
from platform_manager import wiring
from platform_manager.clouds.guesses import guess
from platform_manager.clouds.local import preload
from platform_manager.engines.client import EngineClient
from platform_manager.errors import ProviderError, UserError
from platform_manager.swarm import cluster
from platform_manager.swarm.snapshot import part

from ..clouds.drivers import console_of
from ..context import StepContext
from ..kinds import Kind, Step, register
from ..nodes import identity, quorum
from ..nodes.managers import managers, on_manager, speaking
from ..nodes.odd import settle_managers
from ..nodes.roles import change_role
from .host_keys import HostKeys
from .machines import MTU_RANGE, hosts_of, make_machines, network_mtu, set_state

PATIENCE_SECONDS = 15.0
CONSOLE_LINES = 60
# The number of the first step in which more managers come.
JOINING = 5
OVERLAYS = ("frontend", "backend")
SOON = (
    HostState.REQUESTED,
    HostState.BUILDING,
    HostState.BOOTING,
    HostState.BOOTSTRAPPING,
    HostState.JOINING,
)


class _Waiting:
    """Says once per host that it called in, and now and then what the silent ones are at."""

    def __init__(self, context: StepContext) -> None:
        self.context = context
        self.said: set[str] = set()
        self.consoles: dict[str, str] = {}
        self.look_at = time.monotonic() + PATIENCE_SECONDS
        self.keys = HostKeys(context)

    def linked(self) -> bool:
        silent = []
        for host in hosts_of(self.context):
            if not host.link_up:
                silent.append(host)
            elif host.name not in self.said:
                self.said.add(host.name)
                version = host.facts.get("engine_version", "?")
                self.context.log(f"{host.name}: called in with engine {version}, link is up")
        self.keys.look(silent)
        if silent and time.monotonic() > self.look_at:
            self.look_at = time.monotonic() + PATIENCE_SECONDS
            for host in silent:
                self._quote(host)
        return not silent

    def _quote(self, host: Host) -> None:
        last = console_of(host, 1).strip()
        if last and self.consoles.get(host.name) != last:
            self.consoles[host.name] = last
            self.context.log(f"{host.name} has not called in yet. Its console says: {last}", "warning")


def wait_for_links(context: StepContext) -> str | None:
    """Until every host has called in; those that don't in time are failed, with the end of their console."""
    try:
        context.wait(
            _Waiting(context).linked,
            seconds=settings.PM_HOST_SECONDS,
            late="late",
        )
    except ProviderError:
        silent = [host for host in hosts_of(context) if not host.link_up]
        for host in silent:
            console = console_of(host, CONSOLE_LINES)
            context.log(
                f"{host.name} did not call in within {settings.PM_HOST_SECONDS} s. Its console ends with:",
                "error",
            )
            context.log(console or "(nothing)", "output")
            why = guess(console)
            if why:
                context.log(f"{host.name}: {why}", "error")
            # The sentence first, the console below: pages take them apart at the line's end.
            told = f"It did not call in. {why}".strip()
            set_state(context, host, HostState.FAILED, f"{told}\n{context.masked(console)[-2000:].strip()}".strip())
        if not hosts_of(context):
            raise ProviderError(
                "No host called in. The log has the ends of their consoles; check that they reach the platform.",
                retryable=False,
            ) from None
    return None


def load_images(context: StepContext) -> str | None:
    """Copy the images that no registry has into engines made by the local driver."""
    hosts = [host for host in hosts_of(context) if host.driver == "local"]
    if not hosts or not settings.PM_LOCAL_PRELOAD:
        return None

    async def load_all() -> None:
        async with wiring.local_engine() as source:
            await asyncio.gather(
                *(preload(source, wiring.engine(host.pk), settings.PM_LOCAL_PRELOAD) for host in hosts)
            )

    context.run(load_all(), seconds=300)
    images = len(settings.PM_LOCAL_PRELOAD)
    return f"{images} image{pluralize(images)} loaded on {len(hosts)} host{pluralize(hosts)}."


def form_swarm(context: StepContext) -> str | None:
    """The first manager makes the swarm; its networks carry the environment's MTU."""
    environment = context.environment
    _settle_roles(context)
    if not managers(environment):
        first = next((host for host in hosts_of(context) if host.role == HostRole.MANAGER), None)
        first = first or next(iter(hosts_of(context)), None)
        if first is None:
            raise UserError("There is no host to form a swarm on.")
        if not _there_already(context, first):
            context.log(f"{first.name} becomes the first manager.")
            node_id = context.run(cluster.form(wiring.engine(first.pk), first.addresses[0]))
            Host.objects.filter(pk=first.pk).update(node_id=node_id, role=HostRole.MANAGER, state=HostState.ACTIVE)
            context.changed()
    mtu = _settle_mtu(context)

    async def networks(manager: EngineClient) -> list[str]:
        if len(await cluster.nodes(manager)) == 1:
            await cluster.set_ingress_mtu(manager, mtu)
        labels = {"platform-manager.environment": str(environment.pk)}
        return [name for name in OVERLAYS if await cluster.ensure_overlay(manager, name, mtu, labels)]

    made = on_manager(context, networks)
    return f"Networks {' and '.join(made)} made with MTU {mtu}." if made else None


def _there_already(context: StepContext, first: Host) -> bool:
    """Whether there is a swarm without ``first``; True once one of its managers has called in."""
    swarm = list(context.environment.hosts.exclude(node_id="").exclude(pk=first.pk))
    if not swarm:
        return False
    away = ", ".join(host.name for host in swarm if host.role == HostRole.MANAGER) or "a manager"
    context.log(f"The swarm is there, but none of its managers is linked. Waiting for {away} to call in.", "warning")
    context.wait(
        lambda: managers(context.environment),
        seconds=settings.PM_HOST_SECONDS,
        late=f"None of the swarm's managers called in within {settings.PM_HOST_SECONDS} s: {away}. Start its machine, "
        "then repeat this.",
    )
    return True


def _settle_roles(context: StepContext) -> None:
    """Who joins as a manager, now that it is known which hosts came up: the plan was made for all of them."""
    environment = context.environment
    fresh = [host for host in hosts_of(context) if not host.node_id]
    chosen, _ = quorum.after_joining(environment.managers, _in_swarm(context), fresh)
    for host in fresh:
        role = HostRole.MANAGER if host in chosen else HostRole.WORKER
        if role != host.role:
            Host.objects.filter(pk=host.pk).update(role=role)
            context.log(f"{host.name} joins as {role.value}, so that the number of managers is odd.")


def _in_swarm(context: StepContext) -> list[Host]:
    return list(context.environment.hosts.exclude(node_id="").exclude(state=HostState.REMOVING))


def _promote(context: StepContext) -> None:
    """Workers become managers where the swarm has grown enough for more of them."""
    planned = context.args.get("promote", [])
    _, promote = quorum.after_joining(context.environment.managers, _in_swarm(context), [], planned)
    for worker in promote:
        change_role(context, worker, HostRole.MANAGER)


def _settle_mtu(context: StepContext) -> int:
    """The swarm's MTU is chosen once: the environment's own, else the lowest its first hosts measured."""
    environment = context.environment
    if environment.swarm_mtu is None:
        environment.swarm_mtu, whose = environment.mtu, "set on the environment"
        if environment.swarm_mtu is None:
            environment.swarm_mtu, whose = lowest_mtu(hosts_of(context))
        environment.save(update_fields=["swarm_mtu"])
        context.log(f"MTU {environment.swarm_mtu}: {whose}.")
    return environment.swarm_mtu


def lowest_mtu(hosts: list[Host]) -> tuple[int, str]:
    """The lowest of what the hosts measured and their clouds say of their networks, and whose word it is."""
    measured = [host.facts.get("mtu") for host in hosts]
    found = [(mtu, "the lowest the hosts measured") for mtu in measured if isinstance(mtu, int) and mtu in MTU_RANGE]
    told = [(mtu, "what the cloud says of the network") for mtu in map(network_mtu, hosts) if mtu]
    return min([*told, *found], default=(cluster.DEFAULT_MTU, "no host measured one"), key=lambda pair: pair[0])


def join_swarm(context: StepContext) -> str | None:
    """Managers join one after the other, for each changes the quorum; then the workers, all at once."""
    joining = [host for host in hosts_of(context) if not (host.node_id and host.state == HostState.ACTIVE)]
    for host in (host for host in joining if host.role == HostRole.MANAGER):
        context.check()
        _join(context, [host])
    context.check()
    _join(context, [host for host in joining if host.role == HostRole.WORKER])
    _promote(context)
    return None


def _join(context: StepContext, hosts: list[Host]) -> None:
    for host in hosts:
        set_state(context, host, HostState.JOINING)
    existing = managers(context.environment)

    async def join(host: Host) -> str:
        manager = await speaking(existing)
        token = await cluster.join_token(manager, as_manager=host.role == HostRole.MANAGER)
        addresses = [str(member.addresses[0]) for member in existing if member.addresses]
        return await cluster.join(wiring.engine(host.pk), host.addresses[0], addresses, token)

    async def join_all() -> list[str]:
        return await asyncio.gather(*(join(host) for host in hosts))

    claims = dict(zip(hosts, context.run(join_all(), seconds=180), strict=True))
    errors = identity.refused(context, claims)
    for host, node_id in claims.items():
        if host in errors:
            context.log(errors[host], "error")
            set_state(context, host, HostState.FAILED, errors[host])
        else:
            Host.objects.filter(pk=host.pk).update(node_id=node_id, state=HostState.ACTIVE, state_detail="")
            context.log(f"{host.name}: joined as {host.role}.")
    context.changed()


def check_nodes(context: StepContext) -> str:
    """Every host is ready in the swarm's own eyes; hosts that failed before are named."""
    expected = {host.node_id for host in hosts_of(context)}

    async def ready(manager: EngineClient) -> set[str]:
        found = await cluster.nodes(manager)
        return {node["ID"] for node in found if part(node, "Status", "State") == "ready"}

    context.wait(
        lambda: expected <= on_manager(context, ready),
        seconds=60,
        late="Hosts joined, but the swarm does not call them ready. Check 7946/tcp+udp and 4789/udp between them.",
    )
    failed = Host.objects.filter(pk__in=context.args["hosts"], state=HostState.FAILED)
    if failed:
        names = ", ".join(host.name for host in failed)
        raise ProviderError(
            f"{names} did not come up; the others are in the swarm. Remove the failed hosts, then add new ones.",
            retryable=False,
        )
    count = context.environment.hosts.filter(role=HostRole.MANAGER).exclude(node_id="").count()
    hosts = context.environment.hosts.exclude(node_id="").count()
    led_by = f"{count} manager{pluralize(count)}"
    return f"The swarm has {hosts} host{pluralize(hosts)}, with {led_by}."


def failed(context: StepContext, sentence: str) -> None:
    fail_unfinished(context, sentence)
    if context.n >= JOINING:
        settle_managers(context, undo=[*context.args["hosts"], *context.args.get("promote", [])])


def fail_unfinished(context: StepContext, sentence: str) -> None:
    """Hosts still on their way are failed: visible, and removable."""
    Host.objects.filter(pk__in=context.args["hosts"], state__in=SOON).update(
        state=HostState.FAILED, state_detail=F("state_detail")
    )
    Host.objects.filter(pk__in=context.args["hosts"], state=HostState.FAILED, state_detail="").update(
        state_detail=sentence
    )
    hint(environment_group(context.environment.pk), what="rows")


KIND = register(
    Kind(
        name="add_hosts",
        steps=(
            Step("machines", "Make the machines", make_machines),
            Step("links", "Wait until the hosts call in", wait_for_links, attempts=1),
            Step("images", "Load images", load_images),
            Step("swarm", "Form the swarm and its networks", form_swarm),
            Step("join", "Join the swarm", join_swarm),
            Step("check", "Check that all are ready", check_nodes),
        ),
        failed=failed,
    )
)
