"""Networks that the stack brings, and neighbours on the ones it shares."""

from collections.abc import Iterator

from platform_manager.recipes.checks import Compose, dig, section
from platform_manager.recipes.facts import MTU_OPTION, EnvironmentFacts

from .findings import Finding, error, warning
from .reading import is_external, services, swarm_name, used_networks

# The engine makes these on one host only, and no service can use them.
LOCAL_DRIVERS = ("bridge", "host", "none", "null", "macvlan", "ipvlan")
# What an overlay without the option takes for the hosts' MTU.
NO_OPTION = 1500


def inspect(value: Compose, facts: EnvironmentFacts) -> Iterator[Finding]:
    declared = section(value, "networks")
    for key in used_networks(value):
        network = declared.get(key, {})
        if not is_external(network):
            yield from _own(key, network, facts)
    yield from _neighbours(value, facts)


def _own(key: str, network: Compose, facts: EnvironmentFacts) -> Iterator[Finding]:
    # While the stack has no name, what its networks will be called is not known.
    name = swarm_name(key, network, facts.stack_name) if facts.stack_name or network.get("name") else ""
    driver = network.get("driver") or "overlay"
    if driver in LOCAL_DRIVERS:
        message = (
            f"The network '{key}' has the driver {driver}, which stays on one host: no service can use it. "
            "Remove 'driver', or write overlay."
        )
        yield error(("networks", key, "driver"), message)
    elif name in facts.networks and (other := facts.network_stacks.get(name, facts.stack_name)) != facts.stack_name:
        whose = f"of the stack '{other}'" if other else "that is not this stack's"
        message = (
            f"There is a network '{name}' already {whose}. Write 'external: true' to join it, or choose another name."
        )
        yield error(("networks", key), message)
    elif name in facts.local_networks and name not in facts.networks:
        message = (
            f"A manager has a network '{name}' of its own ({facts.local_networks[name]}), and the swarm can't make one "
            f"of that name. Remove it there with 'docker network rm {name}', or choose another name."
        )
        yield error(("networks", key), message)
    else:
        yield from _as_it_is(key, name, network, facts)
        if driver == "overlay":
            yield from _mtu(key, name, network, facts)


def _as_it_is(key: str, name: str, network: Compose, facts: EnvironmentFacts) -> Iterator[Finding]:
    """The swarm changes no network that is there, and the CLI says nothing."""
    if name not in facts.networks:
        return
    driver = network.get("driver") or "overlay"
    existing = facts.network_drivers.get(name, driver)
    if existing != driver:
        message = f"The network '{name}' exists with the driver {existing}, and can't be changed to {driver} "
    elif network.get("attachable") is True and name in facts.closed_networks:
        message = f"The network '{name}' exists and is not attachable, which can't be changed "
    else:
        return
    message += "while it is in use: remove the stack and deploy it again."
    yield warning(("networks", key), message, "recreate")


def _mtu(key: str, name: str, network: Compose, facts: EnvironmentFacts) -> Iterator[Finding]:
    text = str((network.get("driver_opts") or {}).get(MTU_OPTION, facts.mtu))
    path = ("networks", key, "driver_opts", MTU_OPTION)
    if not (text.isascii() and text.isdecimal() and len(text) < 7):
        yield error(path, f"The MTU of the network '{key}' is '{text[:40]}'. Write a number, here {facts.mtu}.")
        return
    mtu = int(text)
    if mtu > facts.mtu:
        message = (
            f"The network '{key}' asks for MTU {mtu}, but the hosts carry {facts.mtu}: large packets would be lost. "
            f"Write {facts.mtu}, or leave the option out."
        )
        yield warning(path, message)
    existing = facts.network_mtus.get(name)
    if existing is not None and (existing or NO_OPTION) != (mtu or NO_OPTION):
        message = (
            f"The network '{name}' exists with MTU {existing or NO_OPTION} and can't be changed to {mtu} while it is "
            "in use: remove the stack and deploy it again."
        )
        yield warning(("networks", key), message, "recreate")


def _neighbours(value: Compose, facts: EnvironmentFacts) -> Iterator[Finding]:
    declared = section(value, "networks")
    for name, service in services(value).items():
        for key in service.get("networks") or ["default"]:
            network = declared.get(key, {})
            shared = swarm_name(key, network, facts.stack_name)
            if not is_external(network):
                continue
            attached = service.get("networks")
            aliases = dig(service, ("networks", key, "aliases")) or [] if isinstance(attached, dict) else []
            for alias in dict.fromkeys((name, *map(str, aliases))):
                if other := facts.neighbours.get(shared, {}).get(alias):
                    yield warning(("services", name, "networks"), _both(alias, shared, other))


def _both(alias: str, network: str, other: str) -> str:
    return (
        f"On the network '{network}' the name '{alias}' means '{other}' too: who calls it gets either of the two. "
        "Rename this service, or give it a network of its own."
    )
