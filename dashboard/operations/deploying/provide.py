"""Before a stack is handed over: make the networks, volumes, secrets and configs that it expects to find."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.models import Host, Revision
from platform_manager import wiring
from platform_manager.engines.client import EngineClient
from platform_manager.engines.errors import EngineError
from platform_manager.engines.rehearsal import Given
from platform_manager.swarm import cluster, provisions
from platform_manager.swarm.provisions import Kind

from ..context import StepContext
from ..nodes.managers import on_manager
from ..recorded import contents_of
from .planned import Made

KINDS: tuple[Kind, Kind] = ("secrets", "configs")


def provide(context: StepContext, revision: Revision) -> Made:
    """What was wished and is not there yet; what is there stays as it is."""
    networks = _networks(context, revision.wishes.get("networks", []))
    volumes = _volumes(context, revision.wishes.get("volumes", []))
    secrets, configs = (_objects(context, kind, contents_of(revision, kind)) for kind in KINDS)
    return Made(Given(networks, secrets, configs), volumes)


def _networks(context: StepContext, names: list[str]) -> frozenset[str]:
    mtu = context.environment.swarm_mtu or cluster.DEFAULT_MTU
    labels = {"platform-manager.environment": str(context.environment.pk)}

    async def make(manager: EngineClient) -> list[str]:
        return [name for name in names if await provisions.ensure_network(manager, name, mtu, labels)]

    made = on_manager(context, make) if names else []
    if made:
        context.log(f"Made for it: {_many('network', made)}, for every stack to join, with MTU {mtu}.")
    return frozenset(made)


def _objects(context: StepContext, kind: Kind, contents: dict[str, bytes]) -> frozenset[str]:
    async def make(manager: EngineClient) -> list[str]:
        return await provisions.ensure_objects(manager, kind, contents)

    made = on_manager(context, make) if contents else []
    if made:
        context.log(f"Made for it: {_many(kind[:-1], made)}.")
    return frozenset(made)


def _volumes(context: StepContext, names: list[str]) -> frozenset[str]:
    """On each host that answers: where a task starts, nobody knows before."""
    made: dict[tuple[str, ...], list[str]] = {}
    hosts = context.environment.hosts.filter(link_up=True).exclude(node_id="") if names else ()
    for host in hosts:
        try:
            if new := context.run(provisions.ensure_volumes(wiring.engine(host.pk), names), 60):
                made.setdefault(tuple(new), []).append(host.name)
        except EngineError as error:
            _not_made(context, host, error)
    for which, where in made.items():
        context.log(f"Made for it: {_many('volume', which)}, on {', '.join(where)}.")
    return frozenset(name for which in made for name in which)


def _not_made(context: StepContext, host: Host, error: EngineError) -> None:
    context.log(f"{host.name}: the volumes could not be made, so the swarm makes them as it needs them. {error}")


def _many(word: str, names: Sequence[str]) -> str:
    return f"the {word}{'' if len(names) == 1 else 's'} {', '.join(names)}"
