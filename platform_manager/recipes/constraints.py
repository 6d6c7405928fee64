"""Placement constraints, matched as the swarm's scheduler does."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from platform_manager.recipes.facts import HostFacts

_SIGNS = r"a-zA-Z0-9:\-_.*()?+\[\]\\^$|/"
# The value begins with no space: there is one way only to read it.
_EXPRESSION = re.compile(
    rf"\s*(?P<key>[a-zA-Z_][a-zA-Z0-9_.-]+)\s*(?P<operator>==|!=)\s*(?P<value>[{_SIGNS}][\s{_SIGNS}]*)"
)
# Go reads no mask of four numbers.
_ADDRESSES = re.compile("[0-9a-fA-F.:]+(?:/[0-9]{1,3})?")


@dataclass(frozen=True)
class Constraint:
    key: str
    negated: bool
    value: str

    def __str__(self) -> str:
        return f"{self.key} {'!=' if self.negated else '=='} {self.value}"

    def matches(self, host: HostFacts) -> bool:
        if self.key.lower() == "node.ip":
            return self._matches_address(host.address)
        found = _attribute(self.key, host)
        if found is None:
            return False
        # Architectures too are compared as words: amd64 is not x86_64.
        return (found.lower() == self.value.lower()) is not self.negated

    def _matches_address(self, address: str) -> bool:
        """Of one address or of a subnet; what is neither matches no host at all, however it is compared."""
        if not _ADDRESSES.fullmatch(self.value):
            return False
        try:
            wanted = ip_network(self.value, strict=False)
        except ValueError:
            return False
        return _within(address, wanted) is not self.negated


def _within(address: str, wanted: IPv4Network | IPv6Network) -> bool:
    try:
        return ip_address(address) in wanted
    except ValueError:
        return False


def read_constraint(text: str) -> Constraint:
    """Raises ValueError with the reason in words."""
    match = _EXPRESSION.fullmatch(text)
    if not match:
        raise ValueError(f"'{text}' is no constraint; write for instance node.role == manager")
    return Constraint(match["key"], match["operator"] == "!=", match["value"].strip())


def known_key(key: str) -> bool:
    return _attribute(key, HostFacts("", "")) is not None


def _attribute(key: str, host: HostFacts) -> str | None:
    """None for a key the scheduler does not know: such a constraint matches no host at all."""
    lowered = key.lower()
    if lowered.startswith("node.labels."):
        return host.labels.get(key[len("node.labels.") :], "")
    if lowered.startswith("engine.labels."):
        return host.engine_labels.get(key[len("engine.labels.") :], "")
    simple = {
        "node.id": host.node_id,
        "node.hostname": host.hostname or host.name,
        "node.ip": host.address,
        "node.role": host.role,
        "node.platform.os": host.os,
        "node.platform.arch": host.arch,
    }
    return simple.get(lowered)
