"""Container templates of Portainer lists as compose files of one service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from platform_manager.catalogs.guesses import slug_of
from platform_manager.catalogs.rancher.trees import write_tree
from platform_manager.recipes.plain import is_true, items_of, text_of
from platform_manager.recipes.questions import Question

MOST_ITEMS = 200
MOST_TEXT = 10_000

_PORT = re.compile(r"(?:(?P<host>[0-9.:-]+):)?(?P<target>[0-9-]+)(?:/(?P<protocol>tcp|udp|sctp))?", re.IGNORECASE)
_CONDITIONS = {"no": "none", "on-failure": "on-failure"}
# A default that holds one of these can't stand in ${NAME:-default}.
_UNSAFE_DEFAULT = re.compile(r"[}$\n]")


@dataclass(frozen=True)
class Container:
    """``notes`` are sentences on what a swarm does in another way."""

    compose: str
    notes: tuple[str, ...]


def compose_of(template: Mapping[str, Any], environment: Mapping[str, Question]) -> Container:
    """``environment`` are the template's questions by the name that the container gives them."""
    notes: list[str] = []
    service: dict[str, Any] = {"image": _image(template)}
    for key in ("command", "hostname"):
        if text := text_of(template.get(key))[:MOST_TEXT]:
            service[key] = _literal(text)
    if environment:
        service["environment"] = {name: _value(name, question) for name, question in environment.items()}
    if ports := _ports(template, notes):
        service["ports"] = ports
    volumes, declared = _volumes(template, notes)
    if volumes:
        service["volumes"] = volumes
    if labels := _labels(template):
        service["labels"] = labels
    _terminal(template, service, notes)
    networks = _network(text_of(template.get("network")).strip(), service)
    condition = _CONDITIONS.get(text_of(template.get("restart_policy")).lower())
    service["deploy"] = {"replicas": 1} | ({"restart_policy": {"condition": condition}} if condition else {})
    name = slug_of(text_of(template.get("name")) or text_of(template.get("title")))[:40].strip("-") or "app"
    value: dict[str, Any] = {"version": "3.8", "services": {name: service}}
    value |= {"volumes": dict.fromkeys(declared)} if declared else {}
    value |= {"networks": networks} if networks else {}
    return Container(write_tree(value), tuple(notes))


def _literal(text: str) -> str:
    return text.replace("$", "$$")


def _image(template: Mapping[str, Any]) -> str:
    image, registry = text_of(template.get("image")).strip(), text_of(template.get("registry")).strip().strip("/")
    return _literal(f"{registry}/{image}" if registry and not image.startswith(f"{registry}/") else image)[:MOST_TEXT]


def _value(name: str, question: Question) -> str | None:
    """None makes an entry that stays out of the container while nobody answers."""
    variable = question.variable
    if question.default and not _UNSAFE_DEFAULT.search(question.default):
        return f"${{{variable}:-{question.default}}}"
    return None if name == variable and not question.default else f"${{{variable}}}"


def _ports(template: Mapping[str, Any], notes: list[str]) -> list[str]:
    found = []
    for entry in items_of(template.get("ports"))[:MOST_ITEMS]:
        match = _PORT.fullmatch(text_of(entry).strip())
        if not match:
            notes.append(f"The port '{text_of(entry)[:60]}' can't be read and was left out.")
            continue
        host = (match["host"] or "").rpartition(":")[2]
        protocol = f"/{match['protocol'].lower()}" if match["protocol"] and match["protocol"].lower() != "tcp" else ""
        found.append(f"{host}:{match['target']}{protocol}" if host else f"{match['target']}{protocol}")
    return found


def _volumes(template: Mapping[str, Any], notes: list[str]) -> tuple[list[str], list[str]]:
    found: list[str] = []
    declared: list[str] = []
    for entry in items_of(template.get("volumes"))[:MOST_ITEMS]:
        described = entry if isinstance(entry, dict) else {"container": entry}
        target, source = text_of(described.get("container")).strip(), text_of(described.get("bind")).strip()
        if not target.startswith("/") or ":" in target + source:
            notes.append(f"The volume '{target[:60]}' can't be mounted and was left out.")
            continue
        if not source.startswith("/"):
            source = _fresh(slug_of(source) or slug_of(target) or "data", declared)
            declared.append(source)
        found.append(_literal(f"{source}:{target}") + (":ro" if is_true(described.get("readonly")) else ""))
    return found, declared


def _fresh(name: str, taken: list[str]) -> str:
    count, made = 1, name
    while made in taken:
        count += 1
        made = f"{name}-{count}"
    return made


def _labels(template: Mapping[str, Any]) -> dict[str, str]:
    entries = [entry for entry in items_of(template.get("labels"))[:MOST_ITEMS] if isinstance(entry, dict)]
    return {text_of(entry.get("name")): _literal(text_of(entry.get("value"))) for entry in entries if entry.get("name")}


def _terminal(template: Mapping[str, Any], service: dict[str, Any], notes: list[str]) -> None:
    if is_true(template.get("privileged")):
        notes.append("It asks for a privileged container. A swarm starts none, so it runs without the privileges.")
    if is_true(template.get("interactive")):
        service |= {"stdin_open": True, "tty": True}
        notes.append("It is meant to be used in a terminal, which a stack has none of: it runs, and waits.")


def _network(name: str, service: dict[str, Any]) -> dict[str, Any]:
    if name in ("", "bridge", "default", "none"):
        return {}
    key = slug_of(name) or "network"
    service["networks"] = [key]
    return {key: {"external": True, "name": _literal(name)}}
