"""What images need of the hosts they run on."""

from collections.abc import Iterator, Sequence

from platform_manager.recipes.checks import Compose
from platform_manager.recipes.constraints import read_constraint
from platform_manager.recipes.facts import EnvironmentFacts, HostFacts
from platform_manager.recipes.problems import Path, listed

from .findings import Finding, warning
from .placement import MAX_CONSTRAINTS, Fits
from .reading import services

MAP_COUNT = 262144
# By the last part of the repository's name. Each refuses to start, or fails under load, with the kernel's 65530.
NEED_MAP_COUNT = frozenset({"elasticsearch", "opensearch", "crate", "cratedb", "sonarqube"})
_AMD64 = ("x86_64", "amd64")


def inspect(value: Compose, facts: EnvironmentFacts, fits: Fits) -> Iterator[Finding]:
    yield from _map_count(value, fits)
    yield from _architecture(value, facts.hosts or (), fits)


def repository(image: str) -> str:
    """The last part of a repository's name: ``crate`` of ``registry.example.org/team/crate:4@sha256:...``."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0].lower()


def _map_count(value: Compose, fits: Fits) -> Iterator[Finding]:
    for name, service in services(value).items():
        image = str(service.get("image") or "")
        if repository(image) not in NEED_MAP_COUNT:
            continue
        # Hosts that do not tell were set up by the bootstrap script, which raises it.
        small = [host for host in fits[name] if 0 < host.max_map_count < MAP_COUNT]
        if small:
            message = (
                f"{image} needs vm.max_map_count={MAP_COUNT}; {listed(host.name for host in small)} "
                f"{'has' if len(small) == 1 else 'have'} less, and it may not start there. "
                f"Run 'sysctl -w vm.max_map_count={MAP_COUNT}' there as root."
            )
            yield warning(("services", name, "image"), message)


def _architecture(value: Compose, hosts: Sequence[HostFacts], fits: Fits) -> Iterator[Finding]:
    """One finding for all services: only a registry knows what an image is built for."""
    open_to = {name: fits[name] for name, one in services(value).items() if not _chooses_platform(one)}
    odd = {host.name: host.arch for allowed in open_to.values() for host in allowed if _is_odd(host)}
    names = [name for name, allowed in open_to.items() if any(map(_is_odd, allowed))]
    if not names:
        return
    elsewhere = any(host.arch.lower() in _AMD64 for host in hosts)
    remedy = ", or add the constraint node.platform.arch == x86_64" if elsewhere else ""
    message = (
        f"{listed(f'{host} is {arch}' for host, arch in odd.items())}, and many images are built for x86_64 only: "
        f"such tasks of {listed(names)} fail there. Check the images{remedy}."
    )
    path: Path = ("services", names[0], "image")
    yield warning(path, message)


def _is_odd(host: HostFacts) -> bool:
    return bool(host.arch) and host.arch.lower() not in _AMD64


def _chooses_platform(service: Compose) -> bool:
    placement = (service.get("deploy") or {}).get("placement") or {}
    for text in (placement.get("constraints") or [])[:MAX_CONSTRAINTS]:
        try:
            if read_constraint(text).key.lower() == "node.platform.arch":
                return True
        except ValueError:
            continue
    return False
