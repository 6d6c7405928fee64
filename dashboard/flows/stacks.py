"""Preview, deploy, update and remove stacks."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max

from dashboard.models import (
    CatalogRecipe,
    Environment,
    HostState,
    Operation,
    OperationState,
    Origin,
    PlatformSettings,
    Revision,
    Stack,
    StackState,
)
from dashboard.operations.deploying.planned import PLANNED_ON
from dashboard.operations.masking import secret_names
from dashboard.operations.recorded import contents_of, stored
from platform_manager import recipes
from platform_manager.errors import UserError

from .facts import environment_facts
from .plan_memory import recall
from .request import locked, request_operation, requested
from .superseding import supersede

# A revision that repeats an earlier one; the others are named by whether the stack was there.
AUDITED = {Origin.ROLLBACK: "stack.rollback", Origin.REDEPLOY: "stack.redeploy"}
LIVE = (HostState.ACTIVE, HostState.RECONNECTING, HostState.DISCONNECTED)


@dataclass(frozen=True)
class Wish:
    """What somebody wants deployed under ``name``: compose text with what belongs to it.

    ``overlays`` are (name, compose text) merged over it in order, ``files`` the recipe's by path. ``networks`` and
    ``volumes`` are external ones to make first; ``secrets`` and ``configs`` what external ones that are missing shall
    hold, by name. ``source`` and ``version`` say which recipe it came from, ``recipe`` is its title. ``secret_names``
    are the answers that nobody shall read; None: those whose names say so. ``anew``: what runs is removed first.
    """

    name: str
    compose: str
    answers: Mapping[str, str] = field(default_factory=dict)
    overlays: tuple[tuple[str, str], ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    networks: frozenset[str] = frozenset()
    volumes: frozenset[str] = frozenset()
    secrets: Mapping[str, bytes] = field(default_factory=dict)
    configs: Mapping[str, bytes] = field(default_factory=dict)
    recipe: str = ""
    source: CatalogRecipe | None = None
    version: str = ""
    version_digest: str = ""
    secret_names: frozenset[str] | None = None
    anew: bool = False

    def parsed(self) -> recipes.Recipe:
        """Raises ComposeInvalid."""
        return recipes.parse(self.compose, self.files, overlays=self.overlays)


def preview_stack(environment: Environment, wish: Wish, *, updating: bool = False) -> recipes.Preview:
    """What a deployment would do; problems stand in it, none is raised for the recipe's content."""
    facts = environment_facts(environment, wish.name)
    facts = replace(
        facts,
        forbidden=PlatformSettings.current().forbidden,
        wished_networks=wish.networks,
        wished_volumes=wish.volumes,
        given_secrets=frozenset(wish.secrets),
        given_configs=frozenset(wish.configs),
    )
    if updating:
        facts.existing_stacks.discard(wish.name)
    if wish.anew:
        facts = recipes.without_stack(facts)
    return recipes.preview(wish.parsed(), wish.answers, facts)


def check_allowed(environment: Environment, wish: Wish) -> None:
    """UserError where the wish brings a danger that operators forbid by now; other problems are not looked at."""
    for problem in preview_stack(environment, wish, updating=True).problems:
        # One without a place says that there are more than are told.
        if problem.severity == "error" and (problem.danger or not problem.path):
            raise UserError(problem.message, "compose")


@transaction.atomic
def deploy_stack(
    environment: Environment,
    user: User,
    wish: Wish,
    *,
    updating: bool = False,
    origin: Origin | None = None,
    came_from: int | None = None,
    pins: Mapping[str, str] | None = None,
) -> Operation:
    """Record a revision and queue its deployment; UserError with the first error of the preview.

    It takes the place of an earlier one that is still being deployed.
    ``pins`` are images by service that count instead of the file's.
    """
    environment = locked(environment)
    wish = replace(wish, name=wish.name.strip())
    if not environment.hosts.filter(state__in=LIVE).exclude(node_id="").exists():
        raise UserError("This environment has no swarm yet: add a host first.")
    preview = preview_stack(environment, wish, updating=updating)
    errors = [problem for problem in preview.problems if problem.severity == "error"]
    if errors:
        raise UserError(errors[0].message, "name" if errors[0].path == "name" else "compose")
    origin = origin or (Origin.UPDATE if updating else Origin.DEPLOY)
    stack = _stack(environment, wish, updating=updating)
    n = (stack.revisions.aggregate(last=Max("n"))["last"] or 0) + 1
    shown = recall(environment, wish, pins)
    recorded = _recorded(_with_earlier(wish, preview, stack.revisions.first()))
    revision = Revision.objects.create(
        stack=stack,
        n=n,
        author=user,
        origin=origin,
        came_from=came_from,
        pins=dict(pins or {}),
        plan=shown.text,
        **recorded,
    )
    supersede(revision, user)
    args = {"stack": wish.name, "revision": revision.pk, PLANNED_ON: shown.state}
    operation = request_operation(environment, user, "deploy_stack", _title(revision), args)
    Revision.objects.filter(pk=revision.pk).update(operation=operation)
    action, back = AUDITED.get(origin, "stack.update" if updating else "stack.deploy"), {"came_from": came_from}
    requested(action, operation, stack, revision=n, **(back if came_from else {}))
    return operation


def _title(revision: Revision) -> str:
    name = revision.stack.name
    return {
        Origin.DEPLOY: f"Deploy stack {name}",
        Origin.ROLLBACK: f"Roll stack {name} back to revision {revision.came_from}",
        Origin.REDEPLOY: f"Deploy stack {name} again",
    }.get(Origin(revision.origin), f"Update stack {name} to revision {revision.n}")


def _with_earlier(wish: Wish, preview: recipes.Preview, earlier: Revision | None) -> Wish:
    """With what was made for the stack before, as far as this file expects it too: it may be gone some day."""
    if earlier is None:
        return wish

    def expected(found: list[Any], names: Iterable[str]) -> set[str]:
        return {one.name for one in found if one.external} & set(names)

    def kept(found: list[Any], kind: str) -> dict[str, bytes]:
        given = contents_of(earlier, kind)
        return {name: given[name] for name in expected(found, given)}

    return replace(
        wish,
        networks=wish.networks | expected(preview.networks, earlier.wishes.get("networks", ())),
        volumes=wish.volumes | expected(preview.volumes, earlier.wishes.get("volumes", ())),
        secrets={**kept(preview.secrets, "secrets"), **wish.secrets},
        configs={**kept(preview.configs, "configs"), **wish.configs},
    )


def _recorded(wish: Wish) -> dict[str, Any]:
    """What a revision keeps of a wish."""
    return {
        "compose": wish.compose,
        "answers": {key: value for key, value in wish.answers.items() if value != ""},
        "files": {path: b64encode(data).decode() for path, data in wish.files.items()},
        "overlays": [{"name": name, "compose": text} for name, text in wish.overlays],
        "wishes": {
            "networks": sorted(wish.networks),
            "volumes": sorted(wish.volumes),
            "anew": wish.anew,
            "secret_names": sorted(secret_names(wish.answers) if wish.secret_names is None else wish.secret_names),
        },
        "contents": {
            kind: {name: stored(data) for name, data in given.items()}
            for kind, given in (("secrets", wish.secrets), ("configs", wish.configs))
        },
        "version": wish.version,
        "version_digest": wish.version_digest,
    }


def _stack(environment: Environment, wish: Wish, *, updating: bool) -> Stack:
    name = wish.name
    stack, made = Stack.objects.get_or_create(environment=environment, name=name)
    if not made and not updating:
        raise UserError(f"A stack called {name} exists. Update it, or choose another name.", "name")
    if stack.state == StackState.REMOVING:
        raise UserError(f"{name} is being removed; wait until it is gone.", "name")
    came = {
        "recipe": wish.recipe,
        "source": _still_there(wish.source),
        "version": wish.version,
        "version_digest": wish.version_digest,
    }
    Stack.objects.filter(pk=stack.pk).update(state=StackState.PLANNING, sentence="", settled_at=None, **came)
    return stack


def _still_there(source: CatalogRecipe | None) -> CatalogRecipe | None:
    """The recipe, kept from leaving until the stack leads to it; catalogs are removed and read anew meanwhile."""
    if source is None:
        return None
    return CatalogRecipe.objects.select_for_update().only("pk").filter(pk=source.pk).first()


@transaction.atomic
def remove_stack(environment: Environment, user: User, name: str) -> Operation:
    """Queue the removal of a stack, also of one that was made outside the platform."""
    environment = locked(environment)
    services = json.loads(environment.snapshot.services)
    known = Stack.objects.filter(environment=environment, name=name)
    if not known.exists() and not any(service["stack"] == name for service in services):
        raise UserError(f"There is no stack called {name}.")
    environment.operations.filter(
        kind="deploy_stack", args__stack=name, state__in=(OperationState.QUEUED, OperationState.RUNNING)
    ).update(cancel_requested=True)
    waiting = environment.operations.filter(
        kind="remove_stack", args__stack=name, state__in=(OperationState.QUEUED, OperationState.RUNNING)
    )
    if waiting.exists():
        raise UserError(f"{name} is being removed already.")
    known.update(state=StackState.REMOVING, sentence="", settled_at=None)
    operation = request_operation(environment, user, "remove_stack", f"Remove stack {name}", {"stack": name})
    requested("stack.remove", operation, known.first(), name=name)
    return operation
