"""Volumes: all that services mount is declared, without the drivers and options that only Rancher knows."""

import re

from platform_manager.catalogs.rancher.draft import Draft, Service, parts
from platform_manager.catalogs.rancher.trees import Tree, mapping, plain, settings, texts

_RANCHER_DRIVERS = re.compile(r"(?:rancher-.*|convoy.*|longhorn.*|secrets-bridge)")
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")


def attach(draft: Draft, service: Service) -> None:
    """The mounts of the new service, and the volumes that they need."""
    driver = plain(service.take("volume_driver"))
    mounts: list[str | Tree] = []
    for entry in dict.fromkeys(texts(service.take("volumes"))):
        cut = parts(entry)
        source = draft.resolved(cut[0]) if len(cut) > 1 else ""
        if _NAME.fullmatch(source):
            _declare(draft, source, {"driver": driver} if driver else {})
        mounts.append(entry)
    mounts += [_tmpfs(draft, entry) for entry in texts(service.take("tmpfs"))]
    shared = draft.resolved(service.take("shm_size"))
    if shared:
        mounts.append(_tmpfs(draft, f"/dev/shm:size={shared}"))  # noqa: S108 - a path in containers
    if mounts:
        service.made["volumes"] = mounts


_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def _tmpfs(draft: Draft, entry: str) -> Tree:
    path, _, options = draft.resolved(entry).partition(":")
    mount: Tree = {"type": "tmpfs", "target": path}
    size = re.search(r"(?:^|,)size=([0-9]{1,12})([kmgb]?)b?(?:,|$)", options.lower())
    if size:
        mount["tmpfs"] = {"size": int(size[1]) * _UNITS[size[2]]}
    return mount


def _declare(draft: Draft, name: str, undeclared: Tree) -> None:
    if name in draft.made_volumes:
        return
    declared = draft.volumes.get(name)
    draft.made_volumes[name] = _volume(draft, name, undeclared if declared is None else declared)


def _volume(draft: Draft, name: str, declared: Tree) -> Tree:
    made: Tree = {}
    external = declared.get("external")
    if external:
        wanted = plain(external.get("name")) if isinstance(external, dict) else ""
        made = {"external": True, "name": wanted} if wanted else {"external": True}
    if declared.get("per_container"):
        draft.tell(f"The volume '{name}' is not one per container any more", "replicas on one host share it")
    driver = plain(declared.get("driver"))
    if draft.resolved(driver) and not external:
        if _RANCHER_DRIVERS.fullmatch(draft.resolved(driver)):
            why = f"its driver '{draft.resolved(driver)}' exists on Rancher only"
            draft.tell(f"The volume '{name}' lies on the local disk of each host", why)
        else:
            made["driver"] = driver
            options = settings(declared.get("driver_opts"))
            if options:
                made["driver_opts"] = {key: value or "" for key, value in options.items()}
    return made


def secrets(draft: Draft) -> Tree:
    """The secrets that services use; what the file doesn't declare must exist already."""
    made: Tree = {}
    for service in draft.services.values():
        for entry in service.made.get("secrets", []):
            name = entry["source"] if isinstance(entry, dict) else entry
            external = draft.secrets.get(name, {}).get("external")
            wanted = plain(mapping({"secret": external})["secret"].get("name"))
            made[name] = {"external": True, "name": wanted} if wanted else {"external": True}
    return made
