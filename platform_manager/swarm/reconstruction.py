"""A compose file for a stack that was made elsewhere, out of the specs of its services.

Deploying it again with the Docker CLI gives the same specs, but for the labels the CLI writes itself. Networks,
secrets and configs are external ones by their names: they are there. What a compose file can't say stands in notes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from . import service_parts
from .snapshot import STACK_LABEL, Json, mapping, part, sequence, text

IMAGE_LABEL = "com.docker.stack.image"
MOST_SERVICES = 200
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./@-]*")
_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}


@dataclass
class Reconstruction:
    """``answers`` are the values of the variables in ``compose``, ``pins`` the images with digests by service."""

    compose: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    pins: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def reconstruct(
    services: Iterable[Json], networks: Mapping[str, str], stack: str, *, is_secret: Callable[[str], bool]
) -> Reconstruction:
    """``services`` as ``GET /services`` gives them, ``networks`` are names by id; ``is_secret`` judges a name.

    The values of variables whose names are secret become answers.
    """
    return _Reconstructor(networks, stack, is_secret).of(list(services)[:MOST_SERVICES])


class _Reconstructor:
    def __init__(self, networks: Mapping[str, str], stack: str, is_secret: Callable[[str], bool]) -> None:
        self.network_names, self.stack, self.is_secret = networks, stack, is_secret
        self.found = Reconstruction()
        self.sections: dict[str, dict[str, Any]] = {"networks": {}, "volumes": {}, "secrets": {}, "configs": {}}
        # Variables without a value somewhere: an answer of that name would fill them.
        self.blank: set[str] = set()

    def of(self, services: list[Json]) -> Reconstruction:
        self.blank = {name for service in services for name in _blank(service)}
        named = {self.key(text(part(service, "Spec", "Name"), 255)): service for service in services}
        written = {name: self.service(name, mapping(service.get("Spec"))) for name, service in sorted(named.items())}
        document = {"services": written, **{name: found for name, found in self.sections.items() if found}}
        self.found.compose = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)
        return self.found

    def key(self, name: str) -> str:
        """A name of the swarm's as the compose file calls it."""
        own = name.removeprefix(f"{self.stack}_")
        return own or name

    def service(self, name: str, spec: dict[str, Any]) -> dict[str, Any]:
        template = mapping(spec.get("TaskTemplate"))
        container = mapping(template.get("ContainerSpec"))
        for problem in service_parts.unspeakable(spec):
            self.found.notes.append(f"{name}: {problem}")
        written: dict[str, Any] = {"image": self.image(name, spec, container)}
        written |= service_parts.plain_of(container)
        environment = self.environment(name, sequence(container.get("Env")))
        whole = {
            "environment": environment,
            "networks": self.networks(name, sequence(template.get("Networks") or spec.get("Networks"))),
            "ports": service_parts.ports_of(spec),
            "volumes": [self.mount(mapping(one)) for one in sequence(container.get("Mounts"))],
            "secrets": [self.reference("secrets", "Secret", mapping(o)) for o in sequence(container.get("Secrets"))],
            "configs": [self.reference("configs", "Config", mapping(o)) for o in sequence(container.get("Configs"))],
            "logging": service_parts.logging_of(template),
            "labels": service_parts.escaped(_without_ours(container.get("Labels"))),
            "deploy": service_parts.deploy_of(spec, _without_ours(spec.get("Labels"))),
        }
        return written | {key: value for key, value in whole.items() if value}

    def image(self, name: str, spec: Json, container: Json) -> str:
        """As it was given; what the engine resolved becomes a pin."""
        resolved = text(container.get("Image"), 500)
        given = text(part(spec, "Labels", IMAGE_LABEL), 500)
        if "@" in resolved and resolved != given:
            self.found.pins[name] = resolved
        image: str = service_parts.escaped(given if given and resolved.startswith(given) else resolved.split("@")[0])
        return image

    def environment(self, name: str, entries: list[Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for entry in entries:
            key, equals, value = text(entry, 100_000).partition("=")
            if not equals:
                found[key] = None
            elif value and self.is_secret(key) and _ENV_NAME.fullmatch(key):
                found[key] = f"${{{self.variable(name, key, value)}}}"
            else:
                found[key] = service_parts.escaped(value)
        return found

    def variable(self, service: str, name: str, value: str) -> str:
        """The variable that holds a secret value and no other; it fills nothing that is to stay blank."""
        own = f"{re.sub('[^A-Za-z0-9]', '_', service).upper()}_{name}"
        own = own if _ENV_NAME.fullmatch(own) else f"_{own}"
        names = (name, own, *(f"{own}_{n}" for n in range(2, len(self.found.answers) + len(self.blank) + 3)))
        answers = self.found.answers
        chosen = next(one for one in names if one not in self.blank and answers.get(one, value) == value)
        answers[chosen] = value
        return chosen

    def networks(self, service: str, attached: list[Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for one in attached:
            target = text(part(one, "Target"), 255)
            name = self.network_names.get(target, target)
            key = self.declare("networks", name, {"external": True, "name": service_parts.escaped(name)})
            aliases = [text(alias, 255) for alias in sequence(part(one, "Aliases"))]
            if aliases and aliases[-1] == service:
                # The CLI adds the service's own name at the end.
                aliases = aliases[:-1]
            found[key] = {"aliases": service_parts.escaped(aliases)} if aliases else None
        if not attached:
            self.found.notes.append(f"{service}: it is in no network; deployed again, it is in one of its own.")
        return found

    def declare(self, section: str, name: str, entry: dict[str, Any]) -> str:
        """The key under which the file declares something of the swarm's."""
        entries = self.sections[section]
        key = self.key(name)
        if key in entries and entries[key] != entry:
            key = name
        entries.setdefault(key, entry)
        return key

    def reference(self, section: str, kind: str, given: dict[str, Any]) -> dict[str, Any]:
        name = text(given.get(f"{kind}Name"), 255)
        key = self.declare(section, name, {"external": True, "name": service_parts.escaped(name)})
        file = mapping(given.get("File"))
        found = {"source": key, "target": service_parts.escaped(text(file.get("Name"), 4000))}
        found |= {word: text(file[name], 40) for word, name in (("uid", "UID"), ("gid", "GID")) if file.get(name)}
        return found | ({"mode": file["Mode"]} if isinstance(file.get("Mode"), int) else {})

    def mount(self, given: dict[str, Any]) -> dict[str, Any]:
        found = service_parts.mount_of(given)
        options = mapping(given.get("VolumeOptions"))
        name = text(given.get("Source"), 4000)
        if found["type"] != "volume" or not name:
            return found
        labels = mapping(options.get("Labels"))
        if labels.get(STACK_LABEL) == self.stack:
            entry: dict[str, Any] = {"name": name, "labels": _without_ours(labels)}
            driver = mapping(options.get("DriverConfig"))
            entry |= {"driver": text(driver.get("Name"), 255), "driver_opts": mapping(driver.get("Options"))}
            entry = {key: service_parts.escaped(value) for key, value in entry.items() if value}
        else:
            entry = {"external": True, "name": service_parts.escaped(name)}
        found["source"] = self.declare("volumes", name, entry)
        return found


def _blank(service: Json) -> Iterator[str]:
    for entry in sequence(part(service, "Spec", "TaskTemplate", "ContainerSpec", "Env")):
        name, _, value = text(entry, 100_000).partition("=")
        if not value:
            yield name


def _without_ours(labels: object) -> dict[str, str]:
    """Labels but those that the CLI writes."""
    return {key: value for key, value in mapping(labels).items() if key not in (STACK_LABEL, IMAGE_LABEL)}


class _Dumper(yaml.SafeDumper):
    """Quotes whatever some parser may take for something else than text ("1e3", "0o7"), and shares nothing."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if plain else '"')


_Dumper.add_representer(str, _text)
