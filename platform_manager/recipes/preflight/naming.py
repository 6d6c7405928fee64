"""Names that the swarm would refuse only after parts of the stack are made, and names that stand for two things."""

from collections.abc import Iterator

from platform_manager.recipes.checks import Compose, section
from platform_manager.recipes.facts import EnvironmentFacts
from platform_manager.recipes.names import object_name_problem, service_name_problem, stack_name_problem
from platform_manager.recipes.problems import dotted

from . import collisions
from .findings import Finding, error, warning
from .reading import is_external, services, swarm_name, used, used_networks

PREDEFINED = ("host", "bridge", "none", "ingress")


def inspect(value: Compose, facts: EnvironmentFacts) -> Iterator[Finding]:
    yield from _stack(facts)
    # A name that no stack may have is said once, not with every name that would be made of it.
    stack = "" if stack_name_problem(facts.stack_name) else facts.stack_name
    for name in services(value):
        if problem := service_name_problem(stack, name):
            yield error(("services", name), problem)
    for kind in ("networks", "volumes", "configs", "secrets"):
        yield from _objects(value, kind, stack)
    yield from collisions.inspect(value, facts)


def _stack(facts: EnvironmentFacts) -> Iterator[Finding]:
    stack = facts.stack_name
    if stack and (problem := stack_name_problem(stack)):
        yield error(("name",), problem)
    elif stack in facts.existing_stacks:
        yield error(("name",), f"There is already a stack named '{stack}' here. Choose another name.")
    elif stack in facts.foreign_stacks:
        message = (
            f"A stack named '{stack}' runs here that was deployed outside the platform: its services would be "
            "replaced. Choose another name, or adopt it first and update it then."
        )
        yield error(("name",), message)


def _objects(value: Compose, kind: str, stack: str) -> Iterator[Finding]:
    declared = section(value, kind)
    if kind == "networks":
        # Only networks that services use are made.
        declared = {key: declared.get(key, {}) for key in used_networks(value)}
    elif kind == "volumes":
        mounted = set(used(value, kind))
        declared = {key: entry for key, entry in declared.items() if key in mounted}
    seen: dict[str, str] = {}
    for key, entry in declared.items():
        if is_external(entry):
            continue
        full = swarm_name(key, entry, stack)
        if kind == "networks" and full in PREDEFINED and (stack or entry.get("name")):
            remedy = "Write 'external: true' to use it." if full == "host" else "Choose another name."
            yield error((kind, key), f"'{full}' is a network that every host has already. {remedy}")
        elif problem := object_name_problem(kind, full):
            yield error((kind, key), problem)
        if full in seen:
            yield _twice(kind, key, seen[full], full)
        seen[full] = key


def _twice(kind: str, key: str, other: str, full: str) -> Finding:
    both = f"{dotted((kind, other))} and {dotted((kind, key))} are both named '{full}'"
    if kind in ("configs", "secrets"):
        return error((kind, key), f"{both}, and the swarm keeps one content a name. Give one another name.")
    what = "one volume" if kind == "volumes" else "one network, with the options of only one of them"
    return warning((kind, key), f"{both}: they are {what}. Give one another name if that is not meant.")
