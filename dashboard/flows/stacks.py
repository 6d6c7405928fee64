"""Preview, deploy, update and remove stacks."""

from __future__ import annotations

import json
from collections.abc import Mapping

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max

from dashboard.models import Environment, HostState, Operation, OperationState, Revision, Stack, StackState
from platform_manager import recipes
from platform_manager.errors import UserError
from platform_manager.swarm import snapshot as records

from .request import locked, request_operation, requested

LIVE = (HostState.ACTIVE, HostState.RECONNECTING, HostState.DISCONNECTED)


def environment_facts(environment: Environment, stack_name: str) -> recipes.EnvironmentFacts:
    """What the swarm has now, as far as a recipe can depend on it."""
    row = environment.snapshot
    nodes = records.load(records.Node, row.nodes)
    networks = records.load(records.Network, row.networks)
    services = records.load(records.Service, row.services)
    return recipes.EnvironmentFacts(
        networks={network.name for network in networks},
        volumes={volume.name for volume in records.load(records.Volume, row.volumes)},
        published_ports=_published(services, stack_name),
        hosts=[
            recipes.HostFacts(
                name=node.hostname, role=node.role, labels=node.labels, hostname=node.hostname, arch=node.arch
            )
            for node in nodes
        ],
        secrets=set(json.loads(row.secrets)),
        configs=set(json.loads(row.configs)),
        mtu=environment.swarm_mtu or 1500,
        stack_name=stack_name,
        existing_stacks=set(environment.stacks.values_list("name", flat=True)),
    )


def _published(services: list[records.Service], stack_name: str) -> dict[tuple[int, str], str]:
    found = {}
    for service in services:
        if service.stack == stack_name:
            continue
        for port in service.ports:
            published, _, rest = port.split(" ")[0].partition(":")
            if published.isdigit() and rest:
                found[(int(published), rest.partition("/")[2] or "tcp")] = service.name
    return found


def preview_stack(
    environment: Environment, *, name: str, compose: str, answers: Mapping[str, str], updating: bool = False
) -> recipes.Preview:
    """What a deployment would do; problems stand in it, none is raised for the recipe's content."""
    facts = environment_facts(environment, name)
    if updating:
        facts.existing_stacks.discard(name)
    return recipes.preview(recipes.parse(compose), answers, facts)


@transaction.atomic
def deploy_stack(
    environment: Environment,
    user: User,
    *,
    name: str,
    compose: str,
    answers: Mapping[str, str],
    recipe: str = "",
    updating: bool = False,
) -> Operation:
    """Record a revision and queue its deployment; UserError with the first error of the preview."""
    environment = locked(environment)
    name = name.strip()
    if not environment.hosts.filter(state__in=LIVE).exclude(node_id="").exists():
        raise UserError("This environment has no swarm yet: add a host first.")
    preview = preview_stack(environment, name=name, compose=compose, answers=answers, updating=updating)
    errors = [problem for problem in preview.problems if problem.severity == "error"]
    if errors:
        raise UserError(errors[0].message, "name" if errors[0].path == "name" else "compose")
    stack = _stack(environment, name, recipe, updating)
    answered = {key: value for key, value in answers.items() if value != ""}
    n = (stack.revisions.aggregate(last=Max("n"))["last"] or 0) + 1
    revision = Revision.objects.create(stack=stack, n=n, compose=compose, answers=answered, author=user)
    title = f"Update stack {name} to revision {n}" if updating else f"Deploy stack {name}"
    operation = request_operation(environment, user, "deploy_stack", title, {"stack": name, "revision": revision.pk})
    Revision.objects.filter(pk=revision.pk).update(operation=operation)
    requested("stack.update" if updating else "stack.deploy", operation, stack, revision=n)
    return operation


def _stack(environment: Environment, name: str, recipe: str, updating: bool) -> Stack:
    stack, made = Stack.objects.get_or_create(environment=environment, name=name, defaults={"recipe": recipe})
    if not made and not updating:
        raise UserError(f"A stack called {name} exists. Update it, or choose another name.", "name")
    if stack.state == StackState.REMOVING:
        raise UserError(f"{name} is being removed; wait until it is gone.", "name")
    unfinished = environment.operations.filter(
        kind="deploy_stack", args__stack=name, state__in=(OperationState.QUEUED, OperationState.RUNNING)
    )
    if unfinished.exists():
        raise UserError(f"A deployment of {name} is under way. Wait for it, or cancel it first.", "name")
    Stack.objects.filter(pk=stack.pk).update(state=StackState.PLANNING, sentence="", settled_at=None)
    return stack


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
