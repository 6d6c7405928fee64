"""What a cloud driver is: the one Protocol behind which hosts come to be, and its values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True)
class BootstrapSpec:
    """What a new machine has to know to enrol and to open its link.

    ``join_url`` holds the one-time token; ``hub_host_key`` is one line in known-hosts form without the host
    ("ssh-ed25519 AAAA..."); ``mtu`` None means: take the one measured on the machine. ``engine_options`` are
    merged into the engine's daemon.json. With ``platform_key``, a public key in the form of OpenSSH, the machine
    dials nobody: it lets the owner of that key in, and all about joining and the hub may be empty.
    """

    join_url: str
    hub_host: str
    hub_port: int
    hub_host_key: str
    host_id: str
    token: str = field(repr=False)
    mtu: int | None = None
    docker_install_url: str = ""
    engine_options: Mapping[str, object] = field(default_factory=dict)
    platform_key: str = ""


@dataclass(frozen=True)
class MachineSpec:
    """One machine to create; ``name`` becomes its host name, ``options`` are the driver's own."""

    host_id: str
    environment_id: str
    operation_id: str
    name: str
    bootstrap: BootstrapSpec
    options: Mapping[str, object] = field(default_factory=dict)


class MachineState(StrEnum):
    BUILDING = "building"
    RUNNING = "running"
    STOPPED = "stopped"
    GONE = "gone"


@dataclass(frozen=True)
class Machine:
    host_id: str
    provider_id: str
    addresses: tuple[str, ...]
    state: MachineState


class Driver(Protocol):
    """Brings machines up and down. Every call may be repeated after a crash at any moment.

    All methods raise :class:`platform_manager.errors.PlatformError` for what a person should read.
    """

    name: str

    async def find(self, host_id: str) -> Machine | None:
        """The host's machine, or None when there is none (any more)."""
        ...

    async def create(self, spec: MachineSpec) -> Machine:
        """The host's machine, found or made; a half-made one is finished."""
        ...

    async def start(self, host_id: str) -> None:
        """Starts a stopped machine; nothing happens to a running one."""
        ...

    async def destroy(self, host_id: str) -> None:
        """Removes the machine and its volumes; nothing happens when it is gone already."""
        ...

    async def destroy_environment(self, environment_id: str) -> None:
        """Removes what the environment's machines shared (network, security group), once they are gone."""
        ...

    async def list_machines(self, environment_id: str | None = None) -> list[Machine]:
        """This installation's machines, of one environment or of all."""
        ...

    async def console(self, host_id: str, lines: int = 200) -> str:
        """The machine's last console lines, as text; "" when it has none."""
        ...
