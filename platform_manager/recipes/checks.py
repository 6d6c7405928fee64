"""What the CLI or the engine refuses although the structure is right: references, modes, sizes, images.

Works on an interpolated file that passed :mod:`platform_manager.recipes.validation`.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from platform_manager.recipes import shorthand
from platform_manager.recipes.problems import Path, dotted

Finding = tuple[Path, str]
Compose = dict[str, Any]

# Filled in on each host.
TEMPLATE = "{{"
_MOUNT_TYPES = ("volume", "bind", "tmpfs", "npipe", "cluster", "image")
_CHOICES: dict[tuple[str, ...], tuple[str, ...]] = {
    ("deploy", "mode"): ("replicated", "global", "replicated-job", "global-job"),
    ("deploy", "endpoint_mode"): ("vip", "dnsrr"),
    ("deploy", "restart_policy", "condition"): ("none", "on-failure", "any"),
    ("deploy", "update_config", "failure_action"): ("pause", "continue", "rollback"),
    ("deploy", "rollback_config", "failure_action"): ("pause", "continue", "rollback"),
}
_TEXTS: dict[tuple[str, ...], Callable[[str], object]] = {
    ("command",): shorthand.split_command,
    ("entrypoint",): shorthand.split_command,
    ("deploy", "resources", "limits", "cpus"): shorthand.check_cpus,
    ("deploy", "resources", "reservations", "cpus"): shorthand.check_cpus,
    ("deploy", "resources", "limits", "memory"): shorthand.check_size,
    ("deploy", "resources", "reservations", "memory"): shorthand.check_size,
    ("healthcheck", "interval"): shorthand.check_duration,
    ("healthcheck", "timeout"): shorthand.check_duration,
}


def check(value: Compose) -> Iterator[Finding]:
    for name, service in section(value, "services").items():
        path: Path = ("services", name)
        yield from _image(service, path)
        yield from _choices(service, path)
        yield from _texts(service, path)
        yield from _modes(service, path)
        yield from _ports(service, path)
        yield from _mounts(service, path, section(value, "volumes"))
        yield from _networks(service, path, section(value, "networks"))
        for kind in ("secrets", "configs"):
            yield from _references(service, path, kind, section(value, kind))
    yield from _declarations(value)


def section(value: Compose, name: str) -> dict[str, Any]:
    """A top-level mapping with ``null`` entries as empty ones."""
    found = value.get(name) or {}
    return {key: item or {} for key, item in found.items()} if isinstance(found, dict) else {}


def dig(value: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _image(service: Compose, path: Path) -> Iterator[Finding]:
    image = service.get("image")
    if not image:
        built = " A swarm does not build images: push one to a registry." if "build" in service else ""
        yield (*path, "image") if image is not None else path, f"The service '{path[1]}' has no image.{built}"
        return
    try:
        shorthand.check_image(image)
    except ValueError as error:
        yield (*path, "image"), f"The service '{path[1]}': {error}."


def _choices(service: Compose, path: Path) -> Iterator[Finding]:
    for keys, choices in _CHOICES.items():
        chosen = dig(service, keys)
        # Of all these the engine reads one in any case.
        if chosen and (str(chosen).lower() if keys[-1] == "endpoint_mode" else chosen) not in choices:
            place = (*path, *keys)
            yield place, f"{dotted(place)} can't be '{chosen}'; use one of: {', '.join(choices)}."


def _texts(service: Compose, path: Path) -> Iterator[Finding]:
    for keys, parse in _TEXTS.items():
        text = dig(service, keys)
        if not isinstance(text, str):
            continue
        try:
            if text or keys[-1] != "cpus":
                parse(text)
        except ValueError as error:
            yield (*path, *keys), f"{dotted((*path, *keys))}: {error}."


def _modes(service: Compose, path: Path) -> Iterator[Finding]:
    deploy = service.get("deploy") or {}
    if deploy.get("mode") in ("global", "global-job") and deploy.get("replicas") is not None:
        yield (
            (*path, "deploy", "replicas"),
            f"The service '{path[1]}' is {deploy['mode']}: it runs once on every host. Remove 'replicas'.",
        )
    if isinstance(deploy.get("replicas"), int) and deploy["replicas"] < 0:
        yield (*path, "deploy", "replicas"), f"The service '{path[1]}' can't have fewer than 0 replicas."
    health = service.get("healthcheck") or {}
    if health.get("disable") and health.get("test"):
        yield (
            (*path, "healthcheck"),
            "A healthcheck can't be disabled and have a test. Remove one of the two.",
        )
    restart = service.get("restart")
    if restart and "restart_policy" not in deploy and not _RESTART.fullmatch(restart):
        yield (
            (*path, "restart"),
            f"restart can't be '{restart}'; use no, always, on-failure or unless-stopped.",
        )


_RESTART = re.compile(r"no|always|unless-stopped|on-failure(:[0-9]+)?")


def _ports(service: Compose, path: Path) -> Iterator[Finding]:
    for index, entry in enumerate(service.get("ports") or []):
        if not isinstance(entry, dict):
            continue
        place: Path = (*path, "ports", index)
        for key in ("target", "published"):
            if not 0 <= entry.get(key, 0) <= 65535:
                yield (*place, key), f"{dotted((*place, key))} must be a port from 0 to 65535."
        if not entry.get("target"):
            yield place, f"{dotted(place)} has no target. Give the port inside the container."
        if entry.get("mode") not in (None, "", "ingress", "host"):
            yield (*place, "mode"), f"{dotted((*place, 'mode'))} must be ingress or host."
        if entry.get("protocol") not in (None, "", "tcp", "udp", "sctp"):
            yield (*place, "protocol"), f"{dotted((*place, 'protocol'))} must be tcp, udp or sctp."


def _mounts(service: Compose, path: Path, declared: Compose) -> Iterator[Finding]:
    for index, entry in enumerate(service.get("volumes") or []):
        place: Path = (*path, "volumes", index)
        try:
            mount = read_mount(entry)
        except ValueError as error:
            yield place, f"{dotted(place)}: {error}."
            continue
        cluster = mount.type == "cluster" and not mount.source.startswith("group:")
        if (mount.type == "volume" or cluster) and mount.source and mount.source not in declared:
            yield place, _undeclared("volume", mount.source, str(path[1]))
        elif reason := _mount_problem(mount, entry):
            yield place, f"{dotted(place)}: {reason}."


def _mount_problem(mount: shorthand.Mount, entry: Any) -> str:
    if mount.type not in _MOUNT_TYPES:
        return f"'{mount.type}' is no type of volume; use volume, bind or tmpfs"
    if mount.type in ("bind", "cluster", "image", "npipe") and not mount.source:
        return f"{'an' if mount.type == 'image' else 'a'} {mount.type} needs a source"
    if mount.type == "tmpfs" and mount.source:
        return "a tmpfs has no source; remove it"
    if not mount.target:
        return "there is no target; give the path inside the container"
    if not mount.target.startswith("/") and TEMPLATE not in mount.target and mount.type != "npipe":
        return _target_words(mount, entry)
    options = entry if isinstance(entry, dict) else {}
    wrong = [key for key in ("bind", "volume", "tmpfs") if key != mount.type and options.get(key) is not None]
    return f"'{wrong[0]}' options don't go with type '{mount.type}'" if wrong else ""


def _target_words(mount: shorthand.Mount, entry: Any) -> str:
    if isinstance(entry, str) and entry[:1].isalpha() and entry[1:2] == ":":
        return (
            f"'{entry}' is read as a path on the Windows drive {entry[0]}. "
            f"Give the volume '{entry[0]}' a name of two letters or more"
        )
    return f"the target '{mount.target}' must start at the root of the container; write /{mount.target.lstrip('./')}"


def read_mount(entry: Any) -> shorthand.Mount:
    """One entry of a service's ``volumes``, short or long; raises ValueError."""
    if isinstance(entry, str):
        return shorthand.mount(entry)
    return shorthand.Mount(
        str(entry.get("type") or "volume"),
        str(entry.get("source") or ""),
        str(entry.get("target") or ""),
        bool(entry.get("read_only")),
    )


def _networks(service: Compose, path: Path, declared: Compose) -> Iterator[Finding]:
    wanted = service.get("networks") or []
    for index, name in enumerate(wanted):
        if name not in declared and name != "default":
            place = index if isinstance(wanted, list) else name
            yield (*path, "networks", place), _undeclared("network", name, str(path[1]))


def _references(service: Compose, path: Path, kind: str, declared: Compose) -> Iterator[Finding]:
    for index, entry in enumerate(service.get(kind) or []):
        name = entry.get("source", "") if isinstance(entry, dict) else entry
        if name not in declared:
            yield (*path, kind, index), _undeclared(kind[:-1], name, str(path[1]))


def _undeclared(kind: str, name: str, service: str) -> str:
    return (
        f"The service '{service}' uses the {kind} '{name}', which the file does not declare. "
        f"Add it under the top-level '{kind}s'."
    )


def _declarations(value: Compose) -> Iterator[Finding]:
    for kind in ("networks", "volumes", "secrets", "configs"):
        for name, declared in section(value, kind).items():
            path: Path = (kind, name)
            external = declared.get("external")
            if isinstance(external, dict) and external.get("name") and declared.get("name"):
                yield path, f"{dotted(path)} is named twice: keep 'name' and write 'external: true'."
            if kind == "volumes" and (external is True or isinstance(external, dict)):
                for key in ("driver", "driver_opts", "labels"):
                    if declared.get(key):
                        yield (
                            (*path, key),
                            f"The volume '{name}' is external and can't have '{key}'. Remove one.",
                        )
