"""Which addresses are the public internet's, and which only this machine and its neighbours can reach."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

# Names of one's own machine and network, whatever they lead to.
INSIDE = ("localhost", "localdomain", "local", "internal")
# Gateways make addresses of IPv4 of these, neighbours' too.
NAT64 = IPv6Network("64:ff9b::/96")


def may_be_reached(address: str) -> bool:
    """Whether an IP address is one of the public internet."""
    found = _address(address)
    return found is not None and found.is_global and not found.is_multicast


def may_be_a_neighbour(address: str) -> bool:
    """Whether an IP address is another machine's: public, or in a private network."""
    found = _address(address)
    if found is None or found.is_loopback or found.is_link_local or found.is_unspecified:
        return False
    return not (found.is_multicast or found.is_reserved)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """The address that is really reached by it; None for what is none, such as a name."""
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if not isinstance(found, IPv6Address):
        return found
    translated = IPv4Address(int(found) % 2**32) if found in NAT64 else None
    return found.ipv4_mapped or found.sixtofour or translated or found


def is_inside(host: str) -> bool:
    """Whether a host speaks for itself as one that users may not reach: what names lead to is not looked up."""
    name = host.strip("[]").rstrip(".").lower()
    if ":" in name or "%" in name:
        return not may_be_reached(name)
    try:
        # "127.1" and "2130706433" are addresses too, for many a resolver.
        return not may_be_reached(socket.inet_ntoa(socket.inet_aton(name)))
    except (OSError, UnicodeError):
        return "." not in name or name.rpartition(".")[2] in INSIDE
