"""Plan a deployment: what it would create, change, replace and remove. Nothing is changed by planning."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from dashboard.models import Environment, Revision
from dashboard.operations.managers import NoManager, managers, speaking
from dashboard.operations.masking import REVISIONS, SECRET_NAME, Masker, secret_answers
from platform_manager import recipes, wiring
from platform_manager.engines.rehearsal import Given, Rehearsal, rehearse
from platform_manager.errors import ProviderError, UserError
from platform_manager.swarm import cluster
from platform_manager.swarm import snapshot as records
from platform_manager.swarm.plan import Plan
from platform_manager.swarm.plan_making import Masks, planned

from .stacks import Wish

SECONDS = 10.0
REASON_CHARACTERS = 1_000


def plan_stack(
    environment: Environment,
    wish: Wish,
    *,
    updating: bool,
    pins: Mapping[str, str] | None = None,
    hidden: Iterable[str] = (),
) -> Plan:
    """What deploying the wish now would do; ``hidden`` are values to mask besides those known as secrets.

    ``pins`` are images by service that count instead of the file's.

    ProviderError when no manager answers within :data:`SECONDS`, UserError when the Docker CLI would refuse the file.
    """
    hosts = managers(environment)
    if not hosts:
        raise NoManager
    given, wished_volumes, volumes = _still_to_come(environment, wish)
    # Here, not in the coroutine: a large file takes seconds to read, and all share one event loop.
    prepared = _prepared(environment, wish, pins or {})

    async def rehearsed() -> Rehearsal:
        manager = await speaking(hosts)
        return await rehearse(
            manager,
            wish.name,
            prepared.compose,
            given=given,
            timeout=SECONDS,
            overlays=prepared.overlays,
            files=prepared.files,
        )

    mask = Masker([*_secrets(environment, wish, updating), *hidden])
    rehearsal = wiring.run(rehearsed(), SECONDS)
    if rehearsal.exit_code:
        said = mask(rehearsal.output.strip()) or f"exit code {rehearsal.exit_code}"
        raise UserError(f"Docker would refuse the stack: {said.splitlines()[-1][:REASON_CHARACTERS]}", "compose")
    masks = Masks(mask, lambda name: SECRET_NAME.search(name) is not None)
    return planned(rehearsal, wish.name, given=given, wished_volumes=wished_volumes, volumes=volumes, masks=masks)


def plan_now(environment: Environment, wish: Wish, *, updating: bool) -> tuple[Plan | None, str]:
    """The plan, or the sentence on why there is none: the deployment itself is not forbidden by that."""
    try:
        return plan_stack(environment, wish, updating=updating), ""
    except ProviderError as error:
        return None, f"The plan can't be made now: {error}"
    except UserError as error:
        return None, str(error)


def _prepared(environment: Environment, wish: Wish, pins: Mapping[str, str]) -> recipes.Prepared:
    """The same as a deployment hands over."""
    mtu = environment.swarm_mtu or cluster.DEFAULT_MTU
    return recipes.prepare(wish.parsed(), wish.answers, mtu=mtu, stack_name=wish.name, pins=pins)


def _still_to_come(environment: Environment, wish: Wish) -> tuple[Given, frozenset[str], set[str]]:
    """What of the wish the swarm lacks, the volumes that hosts lack, and those that they have."""
    row = environment.snapshot
    networks = {network.name for network in records.load(records.Network, row.networks)}
    volumes = {volume.name for volume in records.load(records.Volume, row.volumes)}
    given = Given(
        frozenset(wish.networks - networks),
        frozenset(set(wish.secrets) - set(json.loads(row.secrets))),
        frozenset(set(wish.configs) - set(json.loads(row.configs))),
    )
    return given, frozenset(wish.volumes - volumes), volumes


def _secrets(environment: Environment, wish: Wish, updating: bool) -> list[str]:
    """Values of this and of earlier deployments that stand in specs and are for nobody's eyes."""
    listed = None if wish.secret_names is None else {"secret_names": sorted(wish.secret_names)}
    found = [*secret_answers(wish.answers, listed), *wish.secrets.values()]
    if updating:
        rows = Revision.objects.filter(stack__environment=environment, stack__name=wish.name)
        for answers, wishes in rows.order_by("-n").values_list("answers", "wishes")[:REVISIONS]:
            found += secret_answers(answers or {}, wishes)
    return found
