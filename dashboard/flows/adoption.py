"""Stacks that were made outside the platform: take one over, and let one go, without touching what runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from dashboard.models import Environment, OperationState, Origin, Revision, Stack, StackState
from dashboard.models.auditing import record
from dashboard.models.hints import environment_group, hint
from dashboard.operations.masking import SECRET_NAME
from dashboard.operations.nodes.managers import managers, speaking
from platform_manager import wiring
from platform_manager.engines.errors import EngineError
from platform_manager.errors import UserError
from platform_manager.swarm import held, reconstruction, stacks, updates
from platform_manager.swarm.snapshot import Json, part, sequence, text

from .request import locked

LOOK_SECONDS = 30.0
Seen = tuple[list[Json], list[Json], list[Json], Mapping[str, str]]


def adopt(environment: Environment, user: User, name: str) -> Stack:
    """A stack of the platform's out of one that runs; its compose file is made out of its services.

    Nothing of it changes, and deploying it again changes nothing but labels. UserError where there is none, or where
    the platform has it already; ProviderError where no manager answers.
    """
    _check_unknown(environment, name)
    services, tasks, nodes, networks = _look(environment, name)
    if not services:
        raise UserError(f"There is no stack called {name} in the swarm.", "name")
    if (most := reconstruction.MOST_SERVICES) < len(services):
        raise UserError(f"{name} has {len(services)} services: only stacks of at most {most} can be adopted.", "name")
    made = reconstruction.reconstruct(
        services, networks, name, is_secret=lambda variable: SECRET_NAME.search(variable) is not None
    )
    # What became of updates before is not the platform's to tell.
    status = stacks.judge(updates.since(services, updates.told(services)), tasks, nodes)
    return _adopted(environment, user, name, made, services, status)


def _check_unknown(environment: Environment, name: str) -> None:
    if environment.stacks.filter(name=name).exists():
        raise UserError(f"{name} is a stack of the platform already.", "name")


def _look(environment: Environment, name: str) -> Seen:
    hosts = managers(environment)

    async def look() -> Seen:
        manager = await speaking(hosts)
        services, tasks, nodes = await stacks.read(manager, name)
        networks = {_id(found): text(part(found, "Name"), 255) for found in sequence(await manager.get("/networks"))}
        for target in {text(part(one, "Target"), 64) for service in services for one in _attached(service)}:
            if target not in networks:
                try:
                    networks[target] = text(part(await manager.get(f"/networks/{target}"), "Name"), 255) or target
                except EngineError:
                    networks[target] = target
        return services, tasks, nodes, networks

    return wiring.run(look(), LOOK_SECONDS)


def _attached(service: Json) -> list[Any]:
    return sequence(part(service, "Spec", "TaskTemplate", "Networks"))


def _id(found: object) -> str:
    return text(part(found, "Id") or part(found, "ID"), 64)


@transaction.atomic
def _adopted(
    environment: Environment,
    user: User,
    name: str,
    made: reconstruction.Reconstruction,
    services: list[Json],
    status: stacks.StackStatus,
) -> Stack:
    environment = locked(environment)
    _check_unknown(environment, name)
    now, state = timezone.now(), StackState(status.state.value)
    stack = Stack.objects.create(
        environment=environment, name=name, state=state, sentence=status.sentence, settled_at=now
    )
    Revision.objects.create(
        stack=stack,
        n=1,
        author=user,
        origin=Origin.ADOPTED,
        compose=made.compose,
        answers=made.answers,
        pins=made.pins,
        digests=held.images(services, name),
        updates_before=updates.told(services),
        wishes={"secret_names": sorted(made.answers)},
        plan="\n".join(made.notes),
        state=state,
        sentence=" ".join(made.notes) or status.sentence,
        finished_at=now,
    )
    record("stack.adopt", stack, by=user, services=len(services))
    hint(environment_group(environment.pk), what="rows")
    return stack


@transaction.atomic
def release(environment: Environment, user: User, name: str) -> None:
    """Forget a stack with its revisions, and leave it running. UserError while something is done to it."""
    environment = locked(environment)
    stack = environment.stacks.filter(name=name).first()
    if stack is None:
        raise UserError(f"There is no stack called {name}.", "name")
    unfinished = environment.operations.filter(
        args__stack=name, state__in=(OperationState.QUEUED, OperationState.RUNNING)
    )
    if unfinished.exists():
        raise UserError(f"Something is being done to {name}: wait until it has ended, or cancel it first.")
    record("stack.release", stack, by=user, revisions=stack.revisions.count())
    stack.delete()
    hint(environment_group(environment.pk), what="rows")
