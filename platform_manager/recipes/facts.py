"""What a preview needs to know about the environment a recipe would be deployed to."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

MTU_OPTION = "com.docker.network.driver.mtu"


@dataclass(frozen=True)
class Held:
    """What the ``tasks`` of one service on one host reserve together: ``cpus`` in cores, ``memory`` in bytes."""

    service: str
    stack: str
    tasks: int = 0
    cpus: float = 0.0
    memory: int = 0


@dataclass(frozen=True)
class HostFacts:
    """``role`` is ``manager`` or ``worker``; ``arch`` as the engine names it (``x86_64``, ``aarch64``).

    ``cpus`` counts cores, ``memory`` bytes and ``max_map_count`` maps of memory, 0 where that is unknown.
    ``held`` is what tasks that have not ended hold of them.
    """

    name: str
    role: str
    labels: Mapping[str, str] = field(default_factory=dict)
    hostname: str = ""
    arch: str = ""
    os: str = "linux"
    node_id: str = ""
    address: str = ""
    engine_labels: Mapping[str, str] = field(default_factory=dict)
    cpus: float = 0.0
    memory: int = 0
    max_map_count: int = 0
    held: tuple[Held, ...] = ()


@dataclass(frozen=True)
class EnvironmentFacts:
    """``published_ports`` maps (port, protocol) to the service of another stack that holds it everywhere.

    ``host_ports`` are those held on the hosts of the service's tasks only. ``networks`` are all of the swarm;
    of each ``network_drivers`` has the driver, ``network_mtus`` the MTU (0: none was set) and ``network_stacks`` the
    stack it belongs to (""); to ``closed_networks`` no container can be attached that is not a service's.
    ``local_networks``, by name with their driver, are a manager's alone. ``neighbours`` maps a network and a name on it
    to the service of another stack that it means. ``hosts`` are the ones that take tasks. ``owners`` has the stack
    ("", None where that is not known) of each of the ``services``, ``volumes``, ``secrets`` and ``configs``, by name.

    ``wished_…`` are external networks and volumes that the platform shall make first, ``given_…`` secrets and
    configs whose content is at hand. ``forbidden`` are the dangers that the operator forbids.

    ``existing_stacks`` are the platform's, ``foreign_stacks`` those of the swarm that somebody else deployed.

    ``secrets``, ``configs`` and ``hosts`` None means that nothing is known of them: nothing is checked then.
    """

    stack_name: str = ""
    mtu: int = 1450
    networks: set[str] = field(default_factory=set)
    volumes: set[str] = field(default_factory=set)
    secrets: set[str] | None = None
    configs: set[str] | None = None
    published_ports: Mapping[tuple[int, str], str] = field(default_factory=dict)
    hosts: list[HostFacts] | None = None
    existing_stacks: set[str] = field(default_factory=set)
    foreign_stacks: set[str] = field(default_factory=set)
    forbidden: frozenset[str] = frozenset()
    wished_networks: frozenset[str] = frozenset()
    wished_volumes: frozenset[str] = frozenset()
    given_secrets: frozenset[str] = frozenset()
    given_configs: frozenset[str] = frozenset()
    host_ports: Mapping[tuple[int, str], str] = field(default_factory=dict)
    network_drivers: Mapping[str, str] = field(default_factory=dict)
    network_mtus: Mapping[str, int] = field(default_factory=dict)
    network_stacks: Mapping[str, str] = field(default_factory=dict)
    neighbours: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    closed_networks: AbstractSet[str] = frozenset()
    local_networks: Mapping[str, str] = field(default_factory=dict)
    owners: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)


def without_stack(facts: EnvironmentFacts) -> EnvironmentFacts:
    """Once the stack itself is removed: its networks are gone, and what its tasks held of hosts is free."""
    stack = facts.stack_name
    hosts = [
        replace(host, held=tuple(one for one in host.held if not stack or one.stack != stack))
        for host in facts.hosts or ()
    ]
    own = {name for name, owner in facts.network_stacks.items() if stack and owner == stack}
    mtus = {name: mtu for name, mtu in facts.network_mtus.items() if name not in own}
    return replace(
        facts, hosts=None if facts.hosts is None else hosts, networks=facts.networks - own, network_mtus=mtus
    )


def with_provided(answers: Mapping[str, str], *, stack_name: str, mtu: int) -> dict[str, str]:
    """The answers that are not blank, completed by what the platform itself knows.

    Names in files are made of ``STACK_NAME``: no answer makes it another than the stack's.
    """
    given = {name: value for name, value in answers.items() if value != ""}
    return {"DOCKER_MTU": str(mtu), **given, **({"STACK_NAME": stack_name} if stack_name else {})}


def no_text(answers: Mapping[str, str]) -> list[str]:
    """The answers that no compose file can hold: with a NUL, or with half of a character."""
    return [name for name, text in answers.items() if "\0" in text or text != text.encode(errors="replace").decode()]


def no_text_words(name: str) -> str:
    return f"The answer {name} holds characters that are not text: remove them."
