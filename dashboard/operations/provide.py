"""Before a stack is handed over: make the networks, volumes, secrets and configs that it expects to find."""

from __future__ import annotations

from dashboard.models import Host, Revision
from platform_manager import wiring
from platform_manager.engines.client import EngineClient
from platform_manager.engines.errors import EngineError
from platform_manager.swarm import cluster, provisions
from platform_manager.swarm.provisions import Kind

from .context import StepContext
from .managers import on_manager
from .recorded import contents_of


def provide(context: StepContext, revision: Revision) -> None:
    """What was wished and is not there yet; what is there stays as it is."""
    networks = revision.wishes.get("networks", [])
    if networks:
        _networks(context, networks)
    if names := revision.wishes.get("volumes", []):
        _volumes(context, names)
    kinds: tuple[Kind, ...] = ("secrets", "configs")
    for kind in kinds:
        if contents := contents_of(revision, kind):
            _objects(context, kind, contents)


def _networks(context: StepContext, names: list[str]) -> None:
    mtu = context.environment.swarm_mtu or cluster.DEFAULT_MTU
    labels = {"platform-manager.environment": str(context.environment.pk)}

    async def make(manager: EngineClient) -> list[str]:
        return [name for name in names if await provisions.ensure_network(manager, name, mtu, labels)]

    if made := on_manager(context, make):
        context.log(f"Made for it: {_many('network', made)}, for every stack to join, with MTU {mtu}.")


def _objects(context: StepContext, kind: Kind, contents: dict[str, bytes]) -> None:
    async def make(manager: EngineClient) -> list[str]:
        return await provisions.ensure_objects(manager, kind, contents)

    if made := on_manager(context, make):
        context.log(f"Made for it: {_many(kind[:-1], made)}.")


def _volumes(context: StepContext, names: list[str]) -> None:
    """On each host that answers: where a task starts, nobody knows before."""
    made: list[str] = []
    for host in context.environment.hosts.filter(link_up=True).exclude(node_id=""):
        try:
            if context.run(provisions.ensure_volumes(wiring.engine(host.pk), names), 60):
                made.append(host.name)
        except EngineError as error:
            _not_made(context, host, error)
    if made:
        context.log(f"Made for it: {_many('volume', names)}, on {', '.join(made)}.")


def _not_made(context: StepContext, host: Host, error: EngineError) -> None:
    context.log(f"{host.name}: the volumes could not be made, so the swarm makes them as it needs them. {error}")


def _many(word: str, names: list[str]) -> str:
    return f"the {word}{'' if len(names) == 1 else 's'} {', '.join(names)}"
