"""Plan a deployment: what it would create, change, replace and remove. Nothing is changed by planning."""

from __future__ import annotations

import time
from collections.abc import Coroutine, Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from django.conf import settings

from dashboard.models import Environment, Revision, StackState
from dashboard.operations.deploying.deploy_parts import Renames, declared_in
from dashboard.operations.masking import SECRET_NAME, Masker, secret_answers, secrets_of_stack, unsaid
from dashboard.operations.nodes.managers import NoManager, managers, speaking
from dashboard.operations.recorded import recipe_of
from platform_manager import recipes, wiring
from platform_manager.engines.client import EngineClient
from platform_manager.engines.rehearsal import Given, rehearse
from platform_manager.errors import ProviderError, UserError
from platform_manager.recipes.contents import words_of
from platform_manager.swarm import cluster, held
from platform_manager.swarm import snapshot as records
from platform_manager.swarm.plan import Plan
from platform_manager.swarm.plan_making import Masks, planned
from platform_manager.swarm.plan_recording import owned
from platform_manager.swarm.plan_rotation import planned_renames
from platform_manager.swarm.rotation import Declared

from .plan_memory import Shown, remember
from .stacks import Wish

Value = TypeVar("Value")

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

    ``pins`` are images by service that count instead of the file's. ProviderError when no manager answers within
    :data:`SECONDS`, UserError when the Docker CLI would refuse the file.
    """
    hosts = managers(environment)
    if not hosts:
        raise NoManager
    timer = _Timer()
    given, wished_volumes, volumes = _still_to_come(environment, wish)
    mask = Masker([*_secrets(environment, wish, updating), *hidden])
    manager = timer.run(speaking(hosts))
    # Here, not in a coroutine: a large file takes seconds to read, and all share one event loop.
    recipe = wish.parsed()
    prepared = _prepared(environment, wish.name, recipe, wish.answers, pins)
    names, sure = _renames(environment, wish.name, prepared, manager, timer)
    if names:
        prepared = _prepared(environment, wish.name, recipe, wish.answers, pins, names)
    texts = {"overlays": prepared.overlays, "files": prepared.files}
    rehearsal = timer.run(rehearse(manager, wish.name, prepared.compose, given=given, timeout=SECONDS, **texts))
    if rehearsal.exit_code:
        said = mask(rehearsal.output.strip()) or f"exit code {rehearsal.exit_code}"
        raise UserError(f"Docker would refuse the stack: {said.splitlines()[-1][:REASON_CHARACTERS]}", "compose")
    plan = planned(
        rehearsal,
        wish.name,
        given=given,
        wished_volumes=wished_volumes,
        volumes=volumes,
        masks=Masks(mask, lambda name: SECRET_NAME.search(name) is not None),
        secrets_compared=sure,
    )
    if wish.anew:
        plan = plan.anew()
    state = held.state(held.marks(owned(rehearsal.before, wish.name)))
    remember(environment, wish, pins, Shown(plan.text, state))
    return plan


def plan_now(
    environment: Environment, wish: Wish, *, updating: bool, pins: Mapping[str, str] | None = None
) -> tuple[Plan | None, str]:
    """The plan, or the sentence on why there is none: the deployment itself is not forbidden by that."""
    try:
        return plan_stack(environment, wish, updating=updating, pins=pins), ""
    except ProviderError as error:
        return None, f"The plan can't be made now: {error}"
    except UserError as error:
        return None, str(error)


def _prepared(
    environment: Environment,
    name: str,
    recipe: recipes.Recipe,
    answers: Mapping[str, str],
    pins: Mapping[str, str] | None = None,
    renames: Renames | None = None,
) -> recipes.Prepared:
    """The same as a deployment hands over."""
    mtu = environment.swarm_mtu or cluster.DEFAULT_MTU
    return recipes.prepare(recipe, answers, mtu=mtu, stack_name=name, pins=pins or {}, renames=dict(renames or {}))


def _renames(
    environment: Environment, name: str, prepared: recipes.Prepared, manager: EngineClient, timer: _Timer
) -> tuple[Renames, bool]:
    """As a deployment finds them, and whether the contents of all secrets are known."""
    wanted = declared_in(prepared, name) if prepared.files else []
    if not wanted:
        return {}, True
    last: list[Declared] = []
    rows = Revision.objects.filter(stack__environment=environment, stack__name=name, state=StackState.RUNNING)
    running = rows.order_by("-n").first()
    if running is not None and any(one.kind == "secrets" for one in wanted):
        # What ran once may not be understood any more: then nothing is known of it.
        with suppress(UserError):
            last = declared_in(_prepared(environment, name, recipe_of(running), running.answers or {}), name)
    return timer.run(planned_renames(manager, wanted, last, name, settings.SECRET_KEY.encode()))


class _Timer:
    """Runs coroutines of the core within what is left of the time."""

    def __init__(self) -> None:
        self._deadline = time.monotonic() + SECONDS

    def run(self, call: Coroutine[Any, Any, Value]) -> Value:
        return wiring.run(call, max(round(self._deadline - time.monotonic(), 1), 0.1))


def _still_to_come(environment: Environment, wish: Wish) -> tuple[Given, frozenset[str], set[str]]:
    """What of the wish the swarm lacks, the volumes that hosts lack, and those that they have."""
    row = environment.snapshot
    networks = {one.name for one in records.load(records.Network, row.networks) if one.scope != "local"}
    volumes = {volume.name for volume in records.load(records.Volume, row.volumes)}
    given = Given(
        frozenset(wish.networks - networks),
        frozenset(set(wish.secrets) - set(records.load_owners(row.secrets))),
        frozenset(set(wish.configs) - set(records.load_owners(row.configs))),
    )
    return given, frozenset(wish.volumes - volumes), volumes


def _secrets(environment: Environment, wish: Wish, updating: bool) -> list[str]:
    """Values of this and of earlier deployments that stand in specs and are for nobody's eyes."""
    wishes = None if wish.secret_names is None else {"secret_names": wish.secret_names}
    found = [
        *unsaid(secret_answers(wish.answers, wishes), wish.compose, wish.name),
        *map(words_of, wish.secrets.values()),
    ]
    return found + secrets_of_stack(environment.pk, wish.name) if updating else found
