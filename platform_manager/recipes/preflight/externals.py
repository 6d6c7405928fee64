"""Networks and volumes that a file expects to exist."""

from collections.abc import Iterator

from platform_manager.recipes.checks import Compose, section
from platform_manager.recipes.facts import EnvironmentFacts
from platform_manager.recipes.names import object_name_problem

from .findings import Finding, error, warning
from .reading import is_external, swarm_name, used, used_networks

# Every engine has them; a service may join them without anybody making them.
BUILT_IN = ("host", "bridge", "none", "default")


def inspect(value: Compose, facts: EnvironmentFacts) -> Iterator[Finding]:
    yield from _networks(value, facts)
    yield from _volumes(value, facts)
    for kind in ("secrets", "configs"):
        for key in used(value, kind):
            declared = section(value, kind).get(key, {})
            name = swarm_name(key, declared, facts.stack_name)
            if is_external(declared) and (problem := object_name_problem(kind, name)):
                yield error((kind, key), problem)


def _networks(value: Compose, facts: EnvironmentFacts) -> Iterator[Finding]:
    declared = section(value, "networks")
    for key in used_networks(value):
        name = swarm_name(key, declared.get(key, {}), facts.stack_name)
        if not is_external(declared.get(key, {})) or name in BUILT_IN:
            continue
        driver = facts.network_drivers.get(name, "overlay")
        if name == "ingress":
            message = "No service can join 'ingress': the swarm keeps it for published ports. Use another network."
            yield error(("networks", key), message)
        elif name in facts.networks:
            if driver != "overlay":
                message = (
                    f"The network '{name}' exists with the driver {driver}, not overlay: services on different hosts "
                    "may not reach each other. Use an overlay network, or see that this is meant."
                )
                yield warning(("networks", key), message)
            elif declared[key].get("attachable") is True and name in facts.closed_networks:
                message = (
                    f"The network '{name}' is not attachable: services join it, containers that they start can't. "
                    "Make it anew as an attachable one, or use another network."
                )
                yield warning(("networks", key), message)
        elif name in facts.local_networks:
            message = (
                f"The network '{name}' is a manager's own ({facts.local_networks[name]}), and services join only those "
                f"of the swarm. Remove it there with 'docker network rm {name}', or use another network."
            )
            yield error(("networks", key), message)
        elif problem := object_name_problem("networks", name):
            yield error(("networks", key), f"The network '{name[:80]}' does not exist here, and can't. {problem}")
        elif name not in facts.wished_networks:
            message = f"The network '{name}' does not exist here. Let it be created first (attachable overlay)."
            yield error(("networks", key), message, f"create-network:{name}")


def _volumes(value: Compose, facts: EnvironmentFacts) -> Iterator[Finding]:
    declared = section(value, "volumes")
    for key in used(value, "volumes"):
        name = swarm_name(key, declared.get(key, {}), facts.stack_name)
        if not is_external(declared.get(key, {})) or name in facts.volumes:
            continue
        if problem := object_name_problem("volumes", name):
            yield error(("volumes", key), problem)
        elif name not in facts.wished_volumes:
            message = (
                f"The volume '{name}' does not exist yet: each host that runs a task starts with an empty one. "
                "Let it be created first, or check the name if it shall hold data already."
            )
            yield warning(("volumes", key), message, f"create-volume:{name}")
