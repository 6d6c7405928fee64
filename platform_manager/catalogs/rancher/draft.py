"""A stack that is being written anew for a swarm: what it was, what it becomes, and what is to be said of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from platform_manager.catalogs.rancher.trees import Tree, mapping, plain, settings
from platform_manager.recipes.interpolation import SubstitutionError, interpolate

_MAX_TEXT = 1000
_SERVICE_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}")
RANCHER_LABEL = "io.rancher."
_PIECES = re.compile(r"\$\{[^}]{0,200}\}|.", re.DOTALL)


class Blocked(Exception):
    """The stack can't run on a swarm; ``str(error)`` is the sentence that says which part, why and what to do."""


@dataclass
class Service:
    """``source`` is its part of the compose file, ``extras`` that of rancher-compose.yml; ``made`` is the new one.

    Whoever deals with a key takes it out of ``source``. ``labels`` are all of its labels as text.
    """

    name: str
    source: Tree
    extras: Tree
    labels: dict[str, str]
    made: Tree = field(default_factory=dict)

    @property
    def image(self) -> str:
        return plain(self.source.get("image"))

    def take(self, key: str) -> Any:
        return self.source.pop(key, None)

    def rancher_label(self, name: str) -> str:
        """The value of a label of Rancher's own, which is named without its prefix."""
        return self.labels.get(RANCHER_LABEL + name, "").strip()

    def place(self, *keys: str) -> Tree:
        """The mapping at that place of the new service, made when absent."""
        found = self.made
        for key in keys:
            found = found.setdefault(key, {})
        return found


@dataclass
class Draft:
    """``volumes`` and ``secrets`` are those declared in the file; the ``made_`` ones go into the new file.

    ``aliases`` are the further names of services. ``stood_in`` maps what was only a way to others, such as a load
    balancer, to these; ``gone`` are all services that the new file does without.
    """

    services: dict[str, Service]
    answers: Mapping[str, str]
    volumes: Tree = field(default_factory=dict)
    secrets: Tree = field(default_factory=dict)
    made_volumes: Tree = field(default_factory=dict)
    made_networks: Tree = field(default_factory=dict)
    aliases: dict[str, dict[str, None]] = field(default_factory=dict)
    stood_in: dict[str, set[str]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    told: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)

    def resolved(self, value: Any) -> str:
        """The text with its variables answered, as it stands where that can't be; for short texts only."""
        text = plain(value)
        if len(text) > _MAX_TEXT:
            return text
        try:
            return interpolate(text, self.answers).strip()
        except SubstitutionError:
            return text.strip()

    def tell(self, what: str, why: str, service: str = "") -> None:
        """Keep a note; the same about several services becomes one sentence."""
        names = self.told.setdefault((what, why), {})
        if service:
            names[service] = None

    def drop(self, key: str, why: str, service: str) -> None:
        self.tell(f"Dropped '{key}'", why, service)

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(
            f"{what}{f' for {_listed(list(names))}' if names else ''}: {why}."
            for (what, why), names in self.told.items()
        )


def _listed(names: list[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}" if len(quoted) > 1 else quoted[0]


def begin(compose: Tree, rancher: Tree, answers: Mapping[str, str]) -> Draft:
    """Takes a compose file of version 1 or 2 apart, and rancher-compose.yml with it; raises :class:`Blocked`."""
    known = compose.get("services")
    found = known if isinstance(known, dict) else _services_of_version_1(compose)
    described = rancher.get("services")
    extras = mapping(described if isinstance(described, dict) else rancher)
    services = {}
    for name, source in mapping(found).items():
        if not _SERVICE_NAME.fullmatch(name):
            raise Blocked(f"'{name[:60]}' is no name for a service. Mend the recipe: use letters, digits, '-' and '_'.")
        labels = {key: item or "" for key, item in settings(source.get("labels")).items()}
        services[name] = Service(name, dict(source), dict(extras.get(name, {})), labels)
    draft = Draft(services, {name: answer for name, answer in answers.items() if len(answer) <= _MAX_TEXT})
    if isinstance(known, dict):
        draft.volumes = {draft.resolved(name): item for name, item in mapping(compose.get("volumes")).items()}
        draft.secrets = mapping(compose.get("secrets"))
    return draft


def _services_of_version_1(compose: Tree) -> Tree:
    others = ("version", "catalog", ".catalog", "volumes", "networks", "secrets")
    return {
        name: item
        for name, item in compose.items()
        if name not in others or (isinstance(item, dict) and {"image", "build"} & set(item))
    }


def parts(text: str) -> list[str]:
    """``text`` cut at its colons, those within ``${...}`` aside; texts too long to mean anything stay whole."""
    if len(text) > _MAX_TEXT:
        return [text]
    cut, found = "", []
    for piece in _PIECES.findall(text):
        if piece == ":":
            found.append(cut)
            cut = ""
        else:
            cut += piece
    return [*found, cut]
