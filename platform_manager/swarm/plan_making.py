"""Make a plan: what the Docker CLI would order, compared with what the swarm has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from platform_manager.engines.rehearsal import Given, Recorded, Rehearsal

from .plan import Change, Item, Kind, Plan
from .plan_fields import CONTAINER, Fields, Names, fields
from .rotation import is_rotated
from .snapshot import MTU_OPTION, STACK_LABEL, Json, mapping, part, sequence, text

__all__ = ["Masks", "planned"]

MASK = "***"
CHANGED = " (changed)"
VALUE_CHARACTERS = 2_000
CHANGES = 500
ORDER = ("network", "volume", "secret", "config", "service")
# Changes of these leave running tasks alone, and the second ones where these still fit.
GENTLE = re.compile(r"replicas|deploy\.labels\..*|(update|rollback)_config\..*")
MOVING = re.compile(r"constraints|preferences")
# A config or secret with new content gets its name with a digest of that content.
ROTATED = re.compile(r"(.+)-[0-9a-f]{8}")
FIRST = "The platform makes it before the stack."
UNUSED = "Nothing in the stack uses it any more. It stays."
EARLIER = "An earlier content: it goes once nothing uses it."
FIXED = "The swarm does not change {}: remove the stack and deploy it again."
DIGESTS = "Images are compared by name and tag; their digests are resolved on deploying."
UNSEEN = "The swarm does not tell what a secret holds: a change of its content is not seen here."


@dataclass(frozen=True)
class Masks:
    """``masked`` hides secrets in any text, ``secret_name`` knows by a variable's name that its value is one."""

    masked: Callable[[str], str] = str
    secret_name: Callable[[str], bool] = lambda name: False


def planned(
    rehearsal: Rehearsal,
    stack: str,
    *,
    given: Given | None = None,
    wished_volumes: Iterable[str] = (),
    volumes: Iterable[str] = (),
    masks: Masks | None = None,
    secrets_compared: bool = False,
) -> Plan:
    """``given`` and ``wished_volumes`` are made by the platform first; ``volumes`` are those the hosts have.

    ``secrets_compared``: a secret that changed has another name by now, so one of the same name is the same.
    """
    maker = _Maker(rehearsal, stack, given or Given(), masks or Masks())
    items = [
        *maker.wished(wished_volumes),
        *maker.networks(),
        *maker.contents("secrets"),
        *maker.contents("configs"),
        *maker.services(),
        *maker.volumes(set(volumes), set(wished_volumes)),
    ]
    items.sort(key=lambda item: (_quiet(item), ORDER.index(item.kind), item.name))
    items = [replace(item, name=maker.masks.masked(item.name), note=maker.masks.masked(item.note)) for item in items]
    return Plan(tuple(items), maker.notes(secrets_compared))


class _Maker:
    def __init__(self, rehearsal: Rehearsal, stack: str, given: Given, masks: Masks) -> None:
        self.stack, self.given, self.masks = stack, given, masks
        self.before, self.declared = rehearsal.before, rehearsal.declared
        self.made: dict[str, list[Json]] = {kind: [] for kind in ("networks", "secrets", "configs", "services")}
        self.updated: dict[str, dict[str, Json]] = {kind: {} for kind in self.made}
        self.removed: list[str] = []
        for order in rehearsal.requests:
            self._sort(order)
        named = [*self.before.networks, *self.declared]
        self.names = Names(stack, {text(one.get("Id"), 64): text(one.get("Name"), 255) for one in named})
        # Names of configs and secrets whose content changes, with the names of what takes their place.
        self.rotated: dict[str, str] = {}

    def _sort(self, order: Recorded) -> None:
        _, kind, *rest = order.path.split("/")
        if order.method == "DELETE":
            self.removed.append(rest[0])
        elif rest == ["create"]:
            self.made[kind].append(order.body)
        else:
            self.updated[kind][rest[0]] = order.body

    def wished(self, volumes: Iterable[str]) -> Iterable[Item]:
        """What the platform makes before the stack."""
        for name in sorted(self.given.networks):
            yield Item("network", name, "create", note=FIRST)
        for name in sorted(volumes):
            yield Item("volume", name, "create", note=f"{FIRST[:-1]}, on every host.")
        for name in sorted(self.given.secrets):
            yield Item("secret", name, "create", note=FIRST)
        for name in sorted(self.given.configs):
            yield Item("config", name, "create", note=FIRST)

    def networks(self) -> Iterable[Item]:
        for body in self.made["networks"]:
            mtu = part(body, "Options", MTU_OPTION)
            yield Item("network", _name(body), "create", note=f"MTU {mtu} bytes." if mtu else "")
        declared = {_name(body): body for body in self.declared}
        joined = self._joined()
        for network in self.before.networks:
            name = text(network.get("Name"), 255)
            if name in declared:
                wanted = declared[name]
                changes = self._changes(_network_fields(network, wanted), _network_fields(wanted, wanted))
                yield Item("network", name, "keep", changes, FIXED.format("a network") if changes else "")
            elif mapping(network.get("Labels")).get(STACK_LABEL) == self.stack:
                # An adopted stack names its own networks as external ones.
                used = name in joined or network.get("Id") in joined
                yield Item("network", name, "keep", note="" if used else UNUSED)

    def _joined(self) -> set[str]:
        """What the services will have joined: names or ids of networks."""
        specs = [*self.made["services"], *self.updated["services"].values()]
        joined = (mapping(one) for spec in specs for one in sequence(part(spec, "TaskTemplate", "Networks")))
        return {text(one.get("Target"), 255) for one in joined}

    def contents(self, kind: Literal["secrets", "configs"]) -> Iterable[Item]:
        """Secrets or configs; what they hold is never told."""
        singular: Kind = "secret" if kind == "secrets" else "config"
        there = {text(one.get("ID"), 64): mapping(one.get("Spec")) for one in getattr(self.before, kind)}
        named = {_name(spec) for spec in there.values() if mapping(spec.get("Labels")).get(STACK_LABEL) == self.stack}
        kept = [_name(body) for body in self.updated[kind].values()]
        left = named - set(kept)
        for name in map(_name, self.made[kind]):
            old = sorted(one for one in left if _related(one, name))
            left -= set(old)
            if old:
                note = f"Content changed: {name} takes its place. The old one goes once nothing uses it."
                yield Item(singular, old[-1], "replace", note=note)
                yield from (Item(singular, one, "remove", note=EARLIER) for one in old[:-1])
            else:
                yield Item(singular, name, "create")
        for identifier, body in self.updated[kind].items():
            yield self._kept_content(singular, there.get(identifier, {}), body)
        used = self._used(kind)
        for name in sorted(left):
            if any(_related(name, one) for one in kept):
                yield Item(singular, name, "remove", note=EARLIER)
            else:
                # An adopted stack names its own secrets and configs as external ones.
                yield Item(singular, name, "keep", note="" if name in used else UNUSED)

    def _used(self, kind: Literal["secrets", "configs"]) -> set[str]:
        """Names of the secrets or configs that the services will have."""
        there, word = ("Secrets", "SecretName") if kind == "secrets" else ("Configs", "ConfigName")
        specs = [*self.made["services"], *self.updated["services"].values()]
        given = (mapping(one) for spec in specs for one in sequence(part(spec, *CONTAINER, there)))
        return {text(one.get(word), 255) for one in given}

    def _kept_content(self, kind: Kind, spec: Json, body: Json) -> Item:
        name = _name(body)
        # A secret's content is never told, so only that of configs can be compared.
        if kind == "config" and "Data" in spec and spec.get("Data") != body.get("Data", ""):
            self.rotated[f"configs/{name}"] = name
            return Item(kind, name, "replace", note="Content changed.")
        changes = self._changes(_labels(spec), _labels(body))
        return Item(kind, name, "update" if changes else "keep", changes)

    def services(self) -> Iterable[Item]:
        there = {text(one.get("ID"), 64): mapping(one.get("Spec")) for one in self.before.services}
        for body in self.made["services"]:
            told = fields(body, self.names)
            yield Item("service", _name(body), "create", note=f"{told.get('image', '')}, {_tasks(told)}.")
        for identifier, body in self.updated["services"].items():
            yield self._service(there.get(identifier, {}), body)
        for identifier in self.removed:
            note = "It is not in the file any more. Its volumes stay on their hosts."
            yield Item("service", _name(there.get(identifier, {})) or identifier, "remove", note=note)

    def _service(self, before: Json, after: Json) -> Item:
        old, new = fields(before, self.names), fields(after, self.names)
        if _same_image(old.get("image", ""), new.get("image", "")):
            old["image"] = new["image"]
        changes = self._changes(old, new, self._new_contents(after))
        if not changes:
            return Item("service", _name(after), "keep")
        if old.get("mode") != new.get("mode"):
            note = FIXED.format("the mode of a service")
        elif all(GENTLE.fullmatch(change.field) for change in changes):
            note = "Running tasks go on."
        elif all(GENTLE.fullmatch(change.field) or MOVING.fullmatch(change.field) for change in changes):
            note = "Tasks that no longer fit their hosts move."
        else:
            note = "Its tasks are replaced."
        return Item("service", _name(after), "update", changes, note)

    def _new_contents(self, spec: Json) -> Fields:
        """Fields that read the same and are not: configs whose content is new."""
        found = {}
        for one in map(mapping, sequence(part(spec, *CONTAINER, "Configs"))):
            name = text(one.get("ConfigName"), 255)
            if f"configs/{name}" in self.rotated:
                found[f"configs {part(one, 'File', 'Name') or name}"] = "new content"
        return found

    def _changes(self, old: Fields, new: Fields, hidden: Mapping[str, str] | None = None) -> tuple[Change, ...]:
        hidden = hidden or {}
        names = [*old, *(name for name in new if name not in old)]
        names = [name for name in names if old.get(name) != new.get(name) or name in hidden]
        found = []
        for name in names[:CHANGES]:
            before, after = self._shown(name, old.get(name)), self._shown(name, new.get(name))
            if before == after and after is not None:
                after = f"{after} ({hidden[name]})" if name in hidden else f"{after}{CHANGED}"
            found.append(Change(self.masks.masked(name), before, after))
        if more := len(names) - CHANGES:
            found += [Change(f"{more} more", "...", "...")] if more > 0 else []
        return tuple(found)

    def _shown(self, name: str, value: str | None) -> str | None:
        if value is None:
            return None
        prefix, dot, last = name.rpartition(".")
        if dot and prefix in ("environment", "labels", "deploy.labels", "logging.options") and value:
            value = MASK if self.masks.secret_name(last) else value
        value = self.masks.masked(value)
        return value if len(value) <= VALUE_CHARACTERS else f"{value[:VALUE_CHARACTERS]}…"

    def volumes(self, known: set[str], wished: set[str]) -> Iterable[Item]:
        """Volumes of the stack; tasks make them on their hosts."""
        old = self._volumes(mapping(one.get("Spec")) for one in self.before.services)
        new = self._volumes([*self.made["services"], *self.updated["services"].values()])
        for name in sorted(new - wished):
            if name in old or name in known:
                yield Item("volume", name, "keep")
            else:
                yield Item("volume", name, "create", note="Made on each host where a task uses it.")
        for name in sorted(old - new):
            yield Item(
                "volume", name, "keep", note="Nothing in the stack uses it any more. Its data stays on its hosts."
            )

    def _volumes(self, specs: Iterable[Json]) -> set[str]:
        found = set()
        for spec in specs:
            for mount in map(mapping, sequence(part(spec, *CONTAINER, "Mounts"))):
                if mount.get("Type") == "volume" and mount.get("Source"):
                    found.add(text(mount["Source"], 255))
        return found

    def notes(self, secrets_compared: bool) -> tuple[str, ...]:
        images = [text(part(one, "Spec", *CONTAINER, "Image"), 500) for one in self.before.services]
        found = [DIGESTS] if any("@sha256:" in image for image in images) else []
        found += [UNSEEN] if self.updated["secrets"] and not secrets_compared else []
        return tuple(found)


def _quiet(item: Item) -> int:
    """Last is what stays as it is without a word."""
    return 0 if item.action != "keep" else 1 if item.note else 2


def _name(spec: Json) -> str:
    return text(spec.get("Name"), 255)


def _related(one: str, other: str) -> bool:
    """Whether they are two contents of one secret or config."""
    found = [ROTATED.fullmatch(name) for name in (one, other)]
    same = found[0] and found[1] and found[0][1] == found[1][1]
    return bool(same) or is_rotated(one, other) or is_rotated(other, one)


def _tasks(told: Fields) -> str:
    if told.get("mode") == "global":
        return "a task on each host"
    count = told.get("replicas", "")
    return "a job" if not count else "1 task" if count == "1" else f"{count} tasks"


def _same_image(old: str, new: str) -> bool:
    """A file without a digest takes what the registry gives: that is no change of the file."""
    return bool(new) and "@" not in new and old.partition("@")[0] == new


def _labels(spec: Json) -> Fields:
    return {f"labels.{name}": str(value) for name, value in mapping(spec.get("Labels")).items()}


def _network_fields(network: Json, wanted: Json) -> Fields:
    """What a file says of a network, without what the swarm chose where ``wanted`` leaves that to it."""
    found = {"driver": text(network.get("Driver"), 100) or "overlay"}
    for name in ("Internal", "Attachable"):
        found[name.lower()] = "true" if network.get(name) is True else "false"
    for name, value in mapping(network.get("Options")).items():
        if not name.endswith("vxlanid_list"):
            found[f"driver_opts.{name}"] = str(value)
    if part(wanted, "IPAM", "Config"):
        configs = map(mapping, sequence(part(network, "IPAM", "Config")))
        found["ipam.subnets"] = ", ".join(text(one.get("Subnet"), 64) for one in configs)
    return found | _labels(network)
