"""Views of an interpolated file whose structure is valid."""

from collections.abc import Iterator
from typing import Any

from platform_manager.recipes import checks
from platform_manager.recipes.checks import Compose, section
from platform_manager.recipes.problems import Path
from platform_manager.recipes.shorthand import Mount, Port, ports

# A swarm publishes each port on each host: thousands are a mistake, and would fill the memory of who counts them.
MAX_PORTS = 1_000


def services(value: Compose) -> dict[str, Compose]:
    return section(value, "services")


def is_external(declared: Compose) -> bool:
    return declared.get("external") is True or isinstance(declared.get("external"), dict)


def swarm_name(name: str, declared: Compose, stack: str) -> str:
    """What a declared network, volume, config or secret is called on the swarm."""
    external = declared.get("external")
    if isinstance(external, dict) and external.get("name"):
        return str(external["name"])
    if declared.get("name"):
        return str(declared["name"])
    return name if is_external(declared) or not stack else f"{stack}_{name}"


def used_networks(value: Compose) -> list[str]:
    """The keys of the networks that services attach to; the implicit one is ``default``."""
    used: dict[str, None] = {}
    for service in services(value).values():
        for name in service.get("networks") or ["default"]:
            used[name] = None
    return list(used)


def used(value: Compose, kind: str) -> list[str]:
    """The keys of the ``configs`` or ``secrets`` that services get, or of the ``volumes`` that they mount."""
    found: dict[str, None] = {}
    for service in services(value).values():
        if kind == "volumes":
            found |= dict.fromkeys(mount.source for _, mount in mounts(service) if mount.type == "volume")
            continue
        for entry in service.get(kind) or []:
            found[entry.get("source", "") if isinstance(entry, dict) else entry] = None
    return list(found)


def mounts(service: Compose) -> Iterator[tuple[int, Mount]]:
    """Its mounts with the index of the entry they come from; entries that can't be read are left out."""
    for index, entry in enumerate(service.get("volumes") or []):
        try:
            yield index, checks.read_mount(entry)
        except ValueError:
            continue


def service_ports(service: Compose) -> list[tuple[int, Port]]:
    """Published ports with the index of the entry they come from; entries that can't be read are left out.

    Never more than :data:`MAX_PORTS` and one: a range in a hostile file may hold every port.
    """
    found: list[tuple[int, Port]] = []
    for index, entry in enumerate(service.get("ports") or []):
        if isinstance(entry, dict):
            published, target = int(entry.get("published") or 0), int(entry.get("target") or 0)
            protocol, mode = entry.get("protocol") or "tcp", entry.get("mode") or "ingress"
            found.append((index, Port(published, target, protocol, mode)))
        else:
            found += [(index, port) for port in _short_ports(entry)]
        if len(found) > MAX_PORTS:
            return found[: MAX_PORTS + 1]
    return found


def _short_ports(entry: Any) -> list[Port]:
    try:
        return ports(str(int(entry)) if isinstance(entry, float) else str(entry), most=MAX_PORTS + 1)
    except ValueError:
        return []


def file_references(value: Compose) -> Iterator[tuple[Path, str]]:
    """The files that the CLI would read while deploying."""
    for kind in ("configs", "secrets"):
        for name, declared in section(value, kind).items():
            if declared.get("file") and not is_external(declared):
                yield (kind, name, "file"), declared["file"]
    for name, service in services(value).items():
        entries = service.get("env_file") or []
        # Catalogs ask this of files that nobody has validated.
        listed = [entries] if isinstance(entries, str) else entries if isinstance(entries, list) else []
        for index, file in enumerate(listed):
            path: Path = ("services", name, "env_file")
            yield (path if isinstance(entries, str) else (*path, index)), file
