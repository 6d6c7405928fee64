"""What a file asks of hosts that reaches beyond its own containers."""

import re
from collections.abc import Iterator
from posixpath import normpath

from platform_manager.recipes.checks import Compose, section
from platform_manager.recipes.facts import EnvironmentFacts
from platform_manager.recipes.problems import Danger, Path, Severity

from .findings import Finding, danger, error
from .reading import is_external, mounts, services, swarm_name, used_networks

SOCKETS = ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock")
_SOCKET_NAME = re.compile(r"(docker|docker\.raw|containerd|podman|crio)\.sock")
# Leads to any folder there is, by root, cwd or fd.
_PROCESS = re.compile(r"/proc/(self|thread-self|[0-9]+)(/|$)")
# Each host fills these in, so what stands there now says nothing of where it leads.
TEMPLATE = "{{"
# What containers have anyway.
DEFAULT_CAPABILITIES = {
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW"),
    *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
}
# Kinds of file systems that come from elsewhere; all others show something of the host.
FOREIGN_TYPES = ("tmpfs", "nfs", "nfs4", "cifs", "smb3")


def inspect(value: Compose, facts: EnvironmentFacts) -> Iterator[Finding]:
    for name, service in services(value).items():
        yield from _privileges(name, service, facts)
        yield from _mounts(name, service, facts)
    yield from _host_network(value, facts)
    for key, volume in section(value, "volumes").items():
        if not is_external(volume):
            yield from _volume(key, volume, facts)


def _privileges(name: str, service: Compose, facts: EnvironmentFacts) -> Iterator[Finding]:
    path: Path = ("services", name)
    if service.get("privileged"):
        message = f"The service '{name}' asks for a privileged container. A swarm ignores that; it may not work."
        yield danger(facts, [Danger.PRIVILEGED], (*path, "privileged"), message, Severity.WARNING)
    asked = [str(one).upper().removeprefix("CAP_") for one in service.get("cap_add") or []]
    added = [one for one in dict.fromkeys(asked) if one not in DEFAULT_CAPABILITIES]
    if added:
        plural = "ies" if len(added) > 1 else "y"
        message = f"The service '{name}' asks for the capabilit{plural} {', '.join(added)} on its host."
        yield danger(facts, [Danger.CAPABILITIES], (*path, "cap_add"), message)


def _mounts(name: str, service: Compose, facts: EnvironmentFacts) -> Iterator[Finding]:
    for index, mount in mounts(service):
        path: Path = ("services", name, "volumes", index)
        if mount.type == "npipe":
            message = f"The service '{name}' mounts a named pipe, which only Windows has; the hosts run Linux. "
            yield error(path, f"{message}Mount /var/run/docker.sock, or remove it.")
        elif mount.type == "bind" and mount.source.startswith("/"):
            kinds, words = _folder(mount.source)
            yield danger(facts, kinds, path, f"The service '{name}' asks for {words}")


def _folder(source: str) -> tuple[list[Danger], str]:
    """The dangers of a folder or file of a host, the largest first, and what to say of it."""
    any_folder = [Danger.DOCKER_SOCKET, Danger.HOST_FOLDERS]
    if TEMPLATE in source or "/../" in f"{source}/" or _PROCESS.match(clean := _clean(source)):
        return any_folder, f"{source} of its host: it can lead anywhere there, to the Docker socket too."
    if clean in SOCKETS or _SOCKET_NAME.fullmatch(clean.rpartition("/")[2].lower()):
        return [Danger.DOCKER_SOCKET], "the Docker socket, and with it the whole host."
    if any(socket.startswith(clean.rstrip("/") + "/") for socket in SOCKETS):
        return any_folder, f"{source} of its host. The Docker socket lies in it, and with it the whole host."
    return [Danger.HOST_FOLDERS], f"{source} of its host."


def _clean(path: str) -> str:
    return "/" + normpath(path).lstrip("/")


def _host_network(value: Compose, facts: EnvironmentFacts) -> Iterator[Finding]:
    declared = section(value, "networks")
    for key in used_networks(value):
        network = declared.get(key, {})
        if is_external(network) and swarm_name(key, network, facts.stack_name) == "host":
            message = "The network 'host' lets services use the network of their host, all its ports included."
            yield danger(facts, [Danger.HOST_NETWORK], ("networks", key), message)


def _volume(key: str, volume: Compose, facts: EnvironmentFacts) -> Iterator[Finding]:
    options = {str(name): str(option) for name, option in (volume.get("driver_opts") or {}).items()}
    driver = str(volume.get("driver") or "local")
    if not _shows_host(driver, options):
        return
    device = options.get("device", "")
    kinds, words = [Danger.HOST_FOLDERS, Danger.DOCKER_SOCKET], "by its 'driver_opts'"
    if device.startswith("/"):
        kinds, words = list(dict.fromkeys([*_folder(device)[0], Danger.HOST_FOLDERS])), f"({device})"
    yield danger(facts, kinds, ("volumes", key), f"The volume '{key}' shows a folder of its host {words}.")


def _shows_host(driver: str, options: dict[str, str]) -> bool:
    if any(TEMPLATE in option for option in options.values()):
        return True
    if driver != "local":
        return any(option.startswith("/") for option in options.values())
    if not options.get("type") and not options.get("device"):
        return False
    return options.get("type") not in FOREIGN_TYPES or "bind" in options.get("o", "")
