"""Amounts and doubles that the engine takes no service with, although the structure is right.

It says so when the stack's networks and first services are made already: here they are refused before.
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from platform_manager.recipes import amounts
from platform_manager.recipes.checks import Compose, dig, read_mount, section
from platform_manager.recipes.problems import Path, dotted

Finding = tuple[Path, str]

_LEAST_CHECK = 0.001
# Engines read no mask of four numbers.
_SUBNET = re.compile("[^/%]+/[0-9]+")

_COUNTS = (
    ("healthcheck", "retries"),
    ("deploy", "update_config", "parallelism"),
    ("deploy", "rollback_config", "parallelism"),
    ("deploy", "restart_policy", "max_attempts"),
    ("deploy", "placement", "max_replicas_per_node"),
)
_PAUSES = (
    ("deploy", "update_config", "delay"),
    ("deploy", "update_config", "monitor"),
    ("deploy", "restart_policy", "delay"),
    ("deploy", "restart_policy", "window"),
)
_CHECK_TIMES = tuple(("healthcheck", key) for key in ("interval", "timeout", "start_period"))
_RATIO = ("deploy", "update_config", "max_failure_ratio")


def check(value: Compose, used_networks: list[str]) -> Iterator[Finding]:
    """Works on an interpolated file that passed :mod:`platform_manager.recipes.validation`."""
    for name, service in section(value, "services").items():
        path: Path = ("services", name)
        yield from _amounts(service, path)
        yield from _doubles(service, path)
    for name in used_networks:
        yield from _subnets(section(value, "networks").get(name, {}), ("networks", name))


def _amounts(service: Compose, path: Path) -> Iterator[Finding]:
    for keys in _COUNTS:
        if _number(service, keys) < 0:
            yield (*path, *keys), f"{dotted((*path, *keys))} can't be less than 0."
    for keys in _PAUSES:
        if _seconds(service, keys) < 0:
            yield (*path, *keys), f"{dotted((*path, *keys))} can't be less than 0 s."
    for keys in _CHECK_TIMES:
        seconds = _seconds(service, keys)
        if seconds and seconds < _LEAST_CHECK and not dig(service, ("healthcheck", "disable")):
            yield (*path, *keys), f"{dotted((*path, *keys))} must be 1ms or more, or 0s for the engine's own."
    if not 0 <= _number(service, _RATIO) <= 1:
        yield (*path, *_RATIO), f"{dotted((*path, *_RATIO))} must be a number from 0 to 1."
    for kind in ("limits", "reservations"):
        place = ("deploy", "resources", kind, "cpus")
        cpus = str(dig(service, place) or "")
        if cpus.startswith("-") and cpus.strip("-0."):
            yield (*path, *place), f"{dotted((*path, *place))} can't be less than 0."


def _number(service: Compose, keys: tuple[str, ...]) -> float:
    found = dig(service, keys)
    return found if isinstance(found, int | float) else 0


def _seconds(service: Compose, keys: tuple[str, ...]) -> float:
    found = dig(service, keys)
    return amounts.seconds_of(found) if isinstance(found, str) else 0


def _doubles(service: Compose, path: Path) -> Iterator[Finding]:
    targets: dict[str, set[str]] = {"volumes": set(), "configs": set(), "secrets": set()}
    for kind, seen in targets.items():
        for index, entry in enumerate(service.get(kind) or []):
            target = _target(kind, entry)
            if target and target in seen:
                place = (*path, kind, index)
                yield place, f"{dotted(place)}: something else is put at '{target}' already. Choose another target."
            seen.add(target)


def _target(kind: str, entry: Any) -> str:
    if kind == "volumes":
        try:
            return read_mount(entry).target
        except ValueError:
            return ""
    return str(entry.get("target") or entry.get("source") or "") if isinstance(entry, dict) else str(entry)


def _subnets(declared: Mapping[str, Any], path: Path) -> Iterator[Finding]:
    if declared.get("external"):
        return
    for index, entry in enumerate(dig(declared, ("ipam", "config")) or []):
        place = (*path, "ipam", "config", index)
        subnet = entry.get("subnet") or ""
        try:
            if not _SUBNET.fullmatch(subnet):
                raise ValueError
            ipaddress.ip_interface(subnet)
        except ValueError:
            yield place, f"{dotted(place)}: '{subnet}' is no subnet; write for instance 10.20.0.0/24."
