"""The security group of an environment: what it lets in, and how it is kept right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openstack.connection import Connection
from openstack.exceptions import ConflictException

from .marks import Mark, marked

EVERYBODY = "0.0.0.0/0"
SSH = 22


@dataclass(frozen=True)
class Rule:
    """What is let in: from everywhere within ``source``, or, where that is "", from the group's own members."""

    protocol: str
    first: int
    last: int
    source: str = ""

    @property
    def ssh(self) -> bool:
        return bool(self.source) and (self.protocol, self.first, self.last) == ("tcp", SSH, SSH)


# What swarm nodes say to each other: control plane, gossip, overlay networks.
MEMBERS = [Rule("tcp", 2377, 2377), Rule("tcp", 7946, 7946), Rule("udp", 7946, 7946), Rule("udp", 4789, 4789)]


@dataclass(frozen=True)
class Openings:
    """What the group lets in besides its members.

    ``ssh_from`` is the platform's address, in CIDR form, where links are direct; "" lets nobody in by SSH,
    None says nothing about it.
    ``published`` are all ports that shall be open; None says nothing about them.
    """

    ssh_from: str | None = None
    published: frozenset[Rule] | None = None

    def wanted(self) -> list[Rule]:
        ssh = [Rule("tcp", SSH, SSH, self.ssh_from)] if self.ssh_from else []
        order = sorted(self.published or (), key=lambda rule: (rule.first, rule.protocol, rule.source))
        return [*MEMBERS, *ssh, *order]

    def unwished(self, rule: Rule) -> bool:
        """Whether a rule that the platform made has to go."""
        if rule.ssh:
            return self.ssh_from is not None and rule.source != self.ssh_from
        return bool(rule.source) and self.published is not None and rule not in self.published


@dataclass(frozen=True)
class Group:
    """A group as it is: the platform's rules, and those that somebody else made, None for one of another shape.

    ``added`` and ``removed`` are what had to be done for it to be right.
    """

    id: str
    ours: tuple[Rule, ...]
    others: tuple[Rule | None, ...] = ()
    added: tuple[Rule, ...] = ()
    removed: tuple[Rule, ...] = ()

    @property
    def published(self) -> list[Rule]:
        """The ports that the platform opened."""
        return [rule for rule in self.ours if rule.source and not rule.ssh]


def published(option: object) -> frozenset[Rule] | None:
    """The rules of a machine's option ``open_ports``, a list of protocol, port and source each; None without it."""
    if not isinstance(option, Sequence):
        return None
    return frozenset(Rule(str(protocol), int(port), int(port), str(source)) for protocol, port, source in option)


def put_right(cloud: Connection, mark: Mark, openings: Openings, *, name: str = "") -> Group | None:
    """The environment's group with the rules that are wished and no more; None where there is none.

    With a ``name`` it is made where it is missing. Rules without the environment's mark stay: somebody else made them.
    """
    groups = marked(cloud.network.security_groups(), mark)
    if not groups and not name:
        return None
    group: Any = groups[0] if groups else cloud.network.create_security_group(name=name, description=mark.description())
    found = [one for one in group.security_group_rules if one["direction"] == "ingress"]
    ours = {str(one["id"]): rule for one in _made_here(found, mark) if (rule := _rule(one, str(group.id)))}
    others = tuple(_rule(one, str(group.id)) for one in found if str(one["id"]) not in ours)
    missing = [rule for rule in openings.wanted() if rule not in {*ours.values(), *others}]
    for rule in missing:
        _let_in(cloud, str(group.id), rule, mark)
    unwished = {rule_id: rule for rule_id, rule in ours.items() if openings.unwished(rule)}
    for rule_id in unwished:
        cloud.network.delete_security_group_rule(rule_id, ignore_missing=True)
        del ours[rule_id]
    return Group(str(group.id), (*ours.values(), *missing), others, tuple(missing), tuple(unwished.values()))


def _made_here(found: Iterable[Mapping[str, Any]], mark: Mark) -> list[Mapping[str, Any]]:
    return [one for one in found if mark.same_place(Mark.of_description(one.get("description")))]


def _rule(found: Mapping[str, Any], group: str) -> Rule | None:
    """None for a rule unlike those that are made here, such as one that lets in another group's members."""
    first, last, of_group = found["port_range_min"], found["port_range_max"], found["remote_group_id"]
    if first is None or last is None or found["ethertype"] != "IPv4" or found.get("remote_address_group_id"):
        return None
    if of_group:
        return Rule(str(found["protocol"]), first, last) if of_group == group else None
    return Rule(str(found["protocol"]), first, last, found["remote_ip_prefix"] or EVERYBODY)


def _let_in(cloud: Connection, group: str, rule: Rule, mark: Mark) -> None:
    source = {"remote_ip_prefix": rule.source} if rule.source else {"remote_group_id": group}
    try:
        cloud.network.create_security_group_rule(
            security_group_id=group,
            direction="ingress",
            ether_type="IPv4",
            protocol=rule.protocol,
            port_range_min=rule.first,
            port_range_max=rule.last,
            description=mark.description(),
            **source,
        )
    except ConflictException as error:
        if "already exists" not in f"{error.message} {error.details}":
            raise  # such as of a quota that is used up
        # Another host's step made the same rule meanwhile.


def deleted(cloud: Connection, mark: Mark) -> bool:
    """Deletes the environment's group; False while servers still use it."""
    for group in marked(cloud.network.security_groups(), mark):
        try:
            cloud.network.delete_security_group(group.id, ignore_missing=True)
        except ConflictException:
            return False
    return True
