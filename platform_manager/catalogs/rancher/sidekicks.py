"""Sidekicks and ``volumes_from``: containers that only hold data become named volumes, others can't be had."""

import re
import shlex

from platform_manager.catalogs.rancher.draft import Blocked, Draft, Service, parts
from platform_manager.catalogs.rancher.trees import plain, texts

_DATA_IMAGES = re.compile(r"(?:^|/)(?:alpine-volume|true|scratch|hello-world|data-?volume|volume)(?::|$)")
_BARE_IMAGES = re.compile(r"^(?:library/)?(?:busybox|alpine|ubuntu|debian|centos)(?::|$)")
_MAX_MOUNTS = 200
_IDLE = ("true", "echo", ":", "exit")


def settle(draft: Draft) -> None:
    """Raises :class:`Blocked` where containers must run together, or one before the other."""
    beside = _sidekicks(draft)
    held = {name for service in draft.services.values() for name in _volumes_from(draft, service)}
    data = {name for name in {*beside, *held} if name in draft.services and only_holds_data(draft.services[name])}
    for name, primary in beside.items():
        if name not in data and name in draft.services:
            raise Blocked(_sidekick_words(draft.services[name], primary))
    for service in list(draft.services.values()):
        if service.name not in data:
            _mount(draft, service, data)
    for name in sorted(data):
        del draft.services[name]
        draft.gone.add(name)


def _sidekicks(draft: Draft) -> dict[str, str]:
    found: dict[str, str] = {}
    for service in draft.services.values():
        for name in service.rancher_label("sidekicks").split(","):
            if name.strip():
                found[name.strip()] = service.name
    return found


def _sidekick_words(sidekick: Service, primary: str) -> str:
    if sidekick.rancher_label("container.start_once").lower() == "true":
        return (
            f"The service '{sidekick.name}' prepares '{primary}' on the same host before it starts (sidekick with "
            "io.rancher.container.start_once), and a swarm has no such order. Look for an image that prepares itself."
        )
    return (
        f"The service '{sidekick.name}' must run beside '{primary}' on the same host (io.rancher.sidekicks), which a "
        "swarm can't promise. Look for an image that holds both programs."
    )


def only_holds_data(service: Service) -> bool:
    """Whether the container does nothing but exist, so that others can use its folders."""
    if _DATA_IMAGES.search(service.image):
        return True
    words = [*_words(service.source.get("entrypoint")), *_words(service.source.get("command"))]
    if not words:
        return bool(_BARE_IMAGES.search(service.image))
    while len(words) > 2 and words[0].rpartition("/")[2] in ("sh", "bash", "ash") and words[1] == "-c":
        words = _words(words[2])
    return bool(words) and words[0].rpartition("/")[2] in _IDLE


def _words(value: object) -> list[str]:
    if isinstance(value, list):
        return texts(value)
    try:
        return shlex.split(plain(value))
    except ValueError:
        return plain(value).split()


def _volumes_from(draft: Draft, service: Service) -> list[str]:
    return [parts(draft.resolved(entry))[0] for entry in texts(service.source.get("volumes_from"))]


def _mount(draft: Draft, service: Service, data: set[str]) -> None:
    own = texts(service.source.get("volumes"))
    targets = {_target(entry) for entry in own}
    for entry in dict.fromkeys(texts(service.take("volumes_from"))):
        name, _, mode = draft.resolved(entry).partition(":")
        if name not in data:
            raise Blocked(
                f"The service '{service.name}' uses the folders of the container '{name}' (volumes_from), which a "
                "swarm may run on another host. Look for a recipe with named volumes."
            )
        for mount in _mounts(draft, name, data, set()):
            if _target(mount) not in targets:
                targets.add(_target(mount))
                if len(own) >= _MAX_MOUNTS:
                    raise Blocked(f"The service '{service.name}' mounts more than {_MAX_MOUNTS} volumes.")
                own.append(f"{mount}:ro" if mode == "ro" and len(parts(mount)) == 2 else mount)
    if own:
        service.source["volumes"] = own


def _mounts(draft: Draft, name: str, data: set[str], seen: set[str]) -> list[str]:
    """What a data container mounts, with names for the volumes that had none."""
    if name in seen or name not in data:
        return []
    seen.add(name)
    holder = draft.services[name]
    entries = texts(holder.source.get("volumes"))
    nameless = [entry for entry in entries if len(parts(entry)) == 1]
    mounts = [entry for entry in entries if len(parts(entry)) > 1]
    for place, path in enumerate(nameless):
        volume = name if len(nameless) == 1 else f"{name}-{_slug(path, place)}"
        draft.volumes.setdefault(volume, _declared(holder))
        mounts.append(f"{volume}:{path}")
        draft.tell(
            f"The data container '{name}' became the volume '{volume}'",
            "it lies on the disk of the host that runs the service, so let that be one host",
        )
    inherited = [mount for other in _volumes_from(draft, holder) for mount in _mounts(draft, other, data, seen)]
    if not mounts and not inherited:
        raise Blocked(
            f"The data container '{name}' does not say which folders it holds: only its image knows. "
            "Mend the recipe: list them under 'volumes'."
        )
    return mounts + inherited


def _declared(holder: Service) -> dict[str, str]:
    driver = plain(holder.source.get("volume_driver"))
    return {"driver": driver} if driver else {}


def _slug(path: str, place: int) -> str:
    words = re.sub(r"[^a-zA-Z0-9]+", "-", path).strip("-").lower()
    return words[-40:].strip("-") or str(place)


def _target(entry: str) -> str:
    cut = parts(entry)
    return cut[1] if len(cut) > 1 else cut[0]
