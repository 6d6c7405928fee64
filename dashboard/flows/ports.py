"""Open ports to the hosts of a cloud, and close them."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError, ip_address
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import transaction

from dashboard.models import Environment, Host, HostState, OpenPort, Operation, OperationState
from dashboard.models.openings import EVERYBODY
from dashboard.operations.clouds.drivers import OPENSTACK
from dashboard.operations.clouds.open_ports import NAME, Asked, who
from platform_manager.errors import UserError

from .request import locked, request_operation, requested

PORTS = range(1, 65_536)
MOST = 50
ENGINE = "it is the engine's own door, and who comes in there rules the host"
SWARM = "the hosts of the swarm use it among themselves, and nobody else may"
# What must never be open to others, and why.
KEPT = {
    22: "it is SSH, which the platform opens for itself where it needs to",
    2375: ENGINE,
    2376: ENGINE,
    2377: SWARM,
    4789: SWARM,
    7946: SWARM,
}
HOST_BITS = re.compile(r"has host bits set")


class Place(NamedTuple):
    """An address at which published ports of a host can be reached from outside its network."""

    host: str
    address: str


def cloud_hosts(environment: Environment) -> list[Host]:
    """The hosts that have a security group."""
    return list(environment.hosts.filter(driver=OPENSTACK).exclude(account=None))


def nothing_to_open(environment: Environment) -> str:
    """Why no port can be opened, as a sentence; "" where one can."""
    if cloud_hosts(environment):
        return ""
    if not environment.hosts.exists():
        return "The environment has no hosts yet. Ports are opened in the clouds where hosts are."
    return (
        "None of the hosts is in a cloud, so there is no security group to open a port in: published ports are "
        "reached as far as the hosts' own networks and firewalls allow."
    )


def places(environment: Environment) -> list[Place]:
    """Where open ports can be reached from outside: the hosts' floating IPs, or their own addresses if public."""
    alive = [host for host in cloud_hosts(environment) if host.state != HostState.REMOVING]
    return [Place(host.name, address) for host in alive for address in outside(host)]


def outside(host: Host) -> list[str]:
    """Its addresses that are reached from anywhere. A machine's own comes first, its floating IPs after it."""
    own, floating = host.addresses[:1], host.addresses[1:]
    return [str(address) for address in [*(one for one in own if _public(one)), *floating]]


def _public(address: object) -> bool:
    try:
        return ip_address(str(address)).is_global
    except ValueError:
        return False


def checked_port(port: int) -> int:
    if port not in PORTS:
        raise UserError("A port is a number from 1 to 65535.", "port")
    if port in KEPT:
        raise UserError(f"{port} can't be opened: {KEPT[port]}. Choose another port.", "port")
    return port


def checked_source(text: str) -> str:
    """A network in CIDR form out of what was typed; UserError says what is wrong with it."""
    typed = text.strip()
    if not typed:
        raise UserError("Write the network, such as 192.0.2.0/24, or the one address.", "source")
    try:
        return str(IPv4Network(typed))
    except (AddressValueError, NetmaskValueError, ValueError) as error:
        if HOST_BITS.search(str(error)):
            raise UserError(_host_bits(typed), "source") from None
    if ":" in typed:
        raise UserError("Only IPv4 networks can be let in, such as 192.0.2.0/24.", "source")
    raise UserError(f"{typed[:60]} is no network: write one such as 192.0.2.0/24, or an address.", "source")


def _host_bits(typed: str) -> str:
    address, network = typed.partition("/")[0], IPv4Network(typed, strict=False)
    return f"{typed} is an address within a network: write {network} for the network, or {address} for it alone."


def open_port(environment: Environment, user: User, *, protocol: str, port: int, source: str) -> Operation:
    """Ask to let ``source`` (as typed, or :data:`EVERYBODY`) in to a port, in each cloud where there are hosts."""
    if protocol not in OpenPort.Protocol.values:
        raise UserError("Choose TCP or UDP.", "protocol")
    return _open(environment, user, Asked(True, protocol, checked_port(port), checked_source(source)))


@transaction.atomic
def _open(environment: Environment, user: User, asked: Asked) -> Operation:
    environment = locked(environment)
    if sentence := nothing_to_open(environment):
        raise UserError(sentence)
    same = environment.open_ports.filter(protocol=asked.protocol, port=asked.port)
    if asked.source != EVERYBODY and same.filter(source=EVERYBODY).exists():
        raise UserError(f"{asked.port_word} is open to everybody: close that first.", "source")
    if environment.open_ports.count() >= MOST:
        raise UserError(f"{MOST} ports are open, which is the most: close some first.", "port")
    return _ask(environment, user, asked)


@transaction.atomic
def close_port(opening: OpenPort, user: User) -> Operation:
    """Ask to let nobody in any more who is let in by this."""
    environment = locked(opening.environment)
    return _ask(environment, user, Asked(False, opening.protocol, opening.port, opening.source))


def _ask(environment: Environment, user: User, asked: Asked) -> Operation:
    args = {"open": asked.open, "protocol": asked.protocol, "port": asked.port, "source": asked.source}
    unfinished = environment.operations.filter(
        kind=NAME, state__in=(OperationState.QUEUED, OperationState.RUNNING), cancel_requested=False
    )
    if any(operation.args == args for operation in unfinished):
        raise UserError(f"{asked.port_word} is being {asked.deed} already.")
    title = f"{'Open' if asked.open else 'Close'} {asked.port_word} to {who(asked.source)}"
    operation = request_operation(environment, user, NAME, title, args)
    action = "port.open" if asked.open else "port.close"
    requested(action, operation, name=asked.port_word, source=who(asked.source))
    return operation
