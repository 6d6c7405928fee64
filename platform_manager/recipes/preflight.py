"""What stands against a deployment in this environment, what has no effect there, and what is dangerous.

Takes an interpolated file whose structure is valid, and yields (severity, path, message, offer).
"""

from collections.abc import Iterator
from typing import Any

from platform_manager.recipes import checks, constraints
from platform_manager.recipes.checks import Compose, dig, section
from platform_manager.recipes.facts import EnvironmentFacts
from platform_manager.recipes.names import MAX_OBJECT_NAME, service_name_problem, stack_name_problem
from platform_manager.recipes.problems import Path, Severity, dotted
from platform_manager.recipes.recipe import clean_path, leaves_recipe
from platform_manager.recipes.shorthand import Port, ports
from platform_manager.recipes.words import IGNORED

Finding = tuple[Severity, Path, str, str]
_BUILT_IN_NETWORKS = ("host", "bridge", "none", "default")


def inspect(value: Compose, facts: EnvironmentFacts, files: set[str]) -> Iterator[Finding]:
    """All findings; ``files`` are the recipe's own, by clean path."""
    yield from _names(value, facts)
    yield from _ignored(value)
    yield from _files(value, files)
    yield from _externals(value, facts)
    yield from _ports(value, facts)
    yield from _placement(value, facts)
    yield from _danger(value)


def _error(path: Path, message: str, offer: str = "") -> Finding:
    return Severity.ERROR, path, message, offer


def _warning(path: Path, message: str, offer: str = "") -> Finding:
    return Severity.WARNING, path, message, offer


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


def service_ports(service: Compose) -> list[tuple[int, Port]]:
    """Published ports with the index of the entry they come from; entries that can't be read are left out."""
    found: list[tuple[int, Port]] = []
    for index, entry in enumerate(service.get("ports") or []):
        if isinstance(entry, dict):
            published, target = int(entry.get("published") or 0), int(entry.get("target") or 0)
            protocol, mode = entry.get("protocol") or "tcp", entry.get("mode") or "ingress"
            found.append((index, Port(published, target, protocol, mode)))
        else:
            found += [(index, port) for port in _short_ports(entry)]
    return found


def _short_ports(entry: Any) -> list[Port]:
    try:
        return ports(str(int(entry)) if isinstance(entry, float) else str(entry))
    except ValueError:
        return []


def _names(value: Compose, facts: EnvironmentFacts) -> Iterator[Finding]:
    stack = facts.stack_name
    if stack and (problem := stack_name_problem(stack)):
        yield _error(("name",), problem)
    elif stack in facts.existing_stacks:
        yield _error(("name",), f"There is already a stack named '{stack}' here. Choose another name.")
    for name in services(value):
        if problem := service_name_problem(stack, name):
            yield _error(("services", name), problem)
    for kind in ("configs", "secrets"):
        for name, declared in section(value, kind).items():
            full = swarm_name(name, declared, stack)
            if len(full) > MAX_OBJECT_NAME and not is_external(declared):
                message = f"'{full}' has {len(full)} characters, at most {MAX_OBJECT_NAME} go."
                yield _error((kind, name), message)


def _ignored(value: Compose) -> Iterator[Finding]:
    for name, service in services(value).items():
        for key in service:
            if key in IGNORED and key != "privileged":
                message = f"services.{name}.{key} has no effect: {IGNORED[key]}."
                yield _warning(("services", name, key), message)
        if "restart" in service:
            message = (
                f"services.{name}.restart: tasks of a stack follow deploy.restart_policy; "
                "this older key is used only when that is absent."
            )
            yield _warning(("services", name, "restart"), message)


def _files(value: Compose, files: set[str]) -> Iterator[Finding]:
    for path, name in file_references(value):
        if leaves_recipe(name):
            message = f"{dotted(path)}: '{name}' lies outside the recipe. Add the file to the recipe."
            yield _error(path, message)
        elif clean_path(name) not in files:
            yield _error(path, f"{dotted(path)}: the recipe has no file '{name}'. Add it.")
    for kind in ("configs", "secrets"):
        for name, declared in section(value, kind).items():
            if not (is_external(declared) or declared.get("file") or declared.get("driver")):
                message = f"{kind}.{name} has neither a 'file' nor 'external: true'. Add one."
                yield _error((kind, name), message)
    for name, service in services(value).items():
        for index, entry in enumerate(service.get("volumes") or []):
            source = _bind_source(entry)
            if source and not source.startswith("/"):
                message = (
                    f"services.{name}.volumes[{index}]: '{source}' is a path that hosts do not have. "
                    "Use a named volume, or a config for a file."
                )
                yield _error(("services", name, "volumes", index), message)


def file_references(value: Compose) -> Iterator[tuple[Path, str]]:
    """The files that the CLI would read while deploying."""
    for kind in ("configs", "secrets"):
        for name, declared in section(value, kind).items():
            if declared.get("file") and not is_external(declared):
                yield (kind, name, "file"), declared["file"]
    for name, service in services(value).items():
        listed = service.get("env_file") or []
        for index, file in enumerate([listed] if isinstance(listed, str) else listed):
            path: Path = ("services", name, "env_file")
            yield (path if isinstance(listed, str) else (*path, index)), file


def _bind_source(entry: Any) -> str:
    try:
        mount = checks.read_mount(entry)
    except ValueError:
        return ""
    return mount.source if mount.type == "bind" else ""


def _externals(value: Compose, facts: EnvironmentFacts) -> Iterator[Finding]:
    declared = section(value, "networks")
    for key in used_networks(value):
        network = declared.get(key, {})
        name = swarm_name(key, network, facts.stack_name)
        if is_external(network) and name not in facts.networks and name not in _BUILT_IN_NETWORKS:
            message = f"The network '{name}' does not exist here. Create it first (attachable overlay)."
            yield _error(("networks", key), message, f"create-network:{name}")
    for kind, existing in (("secrets", facts.secrets), ("configs", facts.configs)):
        for key in _used(value, kind):
            entry = section(value, kind).get(key, {})
            name = swarm_name(key, entry, facts.stack_name)
            if existing is not None and is_external(entry) and name not in existing:
                message = f"The {kind[:-1]} '{name}' does not exist here. Create it first."
                yield _error((kind, key), message, f"create-{kind[:-1]}:{name}")
    for key, entry in section(value, "volumes").items():
        name = swarm_name(key, entry, facts.stack_name)
        if is_external(entry) and name not in facts.volumes:
            message = f"The volume '{name}' does not exist yet: hosts that run a task start with an empty one."
            yield _warning(("volumes", key), message)


def _used(value: Compose, kind: str) -> list[str]:
    used: dict[str, None] = {}
    for service in services(value).values():
        for entry in service.get(kind) or []:
            used[entry.get("source", "") if isinstance(entry, dict) else entry] = None
    return list(used)


def _ports(value: Compose, facts: EnvironmentFacts) -> Iterator[Finding]:
    taken: dict[tuple[int, str], tuple[str, str]] = {}
    for name, service in services(value).items():
        listed = service_ports(service)
        for index, port in listed:
            path: Path = ("services", name, "ports", index)
            if not port.published:
                continue
            mark = (port.published, port.protocol)
            shown = f"{port.published}/{port.protocol}"
            if mark in facts.published_ports:
                message = f"Port {shown} is in use by '{facts.published_ports[mark]}'. Publish another port."
                yield _error(path, message)
            if mark in taken and (taken[mark][1], port.mode) == ("host", "host") and taken[mark][0] != name:
                message = f"'{taken[mark][0]}' and '{name}' both take port {shown} of a host: no host can run both."
                yield _warning(path, message)
            elif mark in taken:
                both = f"'{taken[mark][0]}' and '{name}'" if taken[mark][0] != name else f"'{name}' twice"
                yield _error(path, f"Port {shown} is published by {both}. Give one of them another port.")
            taken.setdefault(mark, (name, port.mode))
        if dig(service, ("deploy", "endpoint_mode")) == "dnsrr" and any(p.mode == "ingress" for _, p in listed):
            message = f"The service '{name}' has endpoint_mode dnsrr, so its ports need 'mode: host'."
            yield _error(("services", name, "ports"), message)


def _placement(value: Compose, facts: EnvironmentFacts) -> Iterator[Finding]:
    for name, service in services(value).items():
        deploy = service.get("deploy") or {}
        path: Path = ("services", name, "deploy")
        if deploy.get("replicas") == 0:
            yield _warning((*path, "replicas"), f"The service '{name}' has 0 replicas: it will not run.")
        wanted = []
        for index, text in enumerate(dig(deploy, ("placement", "constraints")) or []):
            place: Path = (*path, "placement", "constraints", index)
            try:
                wanted.append(constraints.read_constraint(text))
            except ValueError as error:
                yield _error(place, f"{dotted(place)}: {error}.")
                continue
            if not constraints.known_key(wanted[-1].key):
                message = (
                    f"{dotted(place)}: '{wanted[-1].key}' matches no host ever. "
                    f"Use node.labels.{wanted[-1].key}, node.role or node.hostname."
                )
                yield _warning(place, message)
        yield from _fitting_hosts(name, service, wanted, facts)


def _fitting_hosts(
    name: str, service: Compose, wanted: list[constraints.Constraint], facts: EnvironmentFacts
) -> Iterator[Finding]:
    if not facts.hosts:
        return
    fitting = [host for host in facts.hosts if all(constraint.matches(host) for constraint in wanted)]
    if not fitting:
        message = (
            f"No host fits the service '{name}' ({' and '.join(map(str, wanted))}): its tasks would wait. "
            "Change the constraint, or give a host the label."
        )
        yield _warning(("services", name, "deploy", "placement", "constraints"), message)
    replicas = dig(service, ("deploy", "replicas")) or 1
    on_hosts = [port for _, port in service_ports(service) if port.mode == "host" and port.published]
    if fitting and on_hosts and isinstance(replicas, int) and replicas > len(fitting):
        message = (
            f"The service '{name}' takes port {on_hosts[0].published} of its host, so {len(fitting)} of its "
            f"{replicas} replicas can run: one on each fitting host."
        )
        yield _warning(("services", name, "ports"), message)


def _danger(value: Compose) -> Iterator[Finding]:
    for name, service in services(value).items():
        path: Path = ("services", name)
        if service.get("privileged"):
            message = f"The service '{name}' asks for a privileged container. A swarm ignores that."
            yield Severity.DANGER, (*path, "privileged"), message, ""
        for capability in service.get("cap_add") or []:
            message = f"The service '{name}' asks for the capability {capability} on its host."
            yield Severity.DANGER, (*path, "cap_add"), message, ""
        for index, entry in enumerate(service.get("volumes") or []):
            if (source := _bind_source(entry)).startswith("/"):
                yield Severity.DANGER, (*path, "volumes", index), _bind_words(name, source), ""
    declared = section(value, "networks")
    for key in used_networks(value):
        if swarm_name(key, declared.get(key, {}), "") == "host" and is_external(declared.get(key, {})):
            message = "The network 'host' lets services use the host's own network."
            yield Severity.DANGER, ("networks", key), message, ""
    for key, volume in section(value, "volumes").items():
        options = volume.get("driver_opts") or {}
        if "bind" in str(options.get("o", "")) and str(options.get("device", "")).startswith("/"):
            message = f"The volume '{key}' is the folder {options['device']} of the host."
            yield Severity.DANGER, ("volumes", key), message, ""


def _bind_words(service: str, source: str) -> str:
    if clean_path(source) in ("/var/run/docker.sock", "/run/docker.sock"):
        return f"The service '{service}' gets the Docker socket, and with it the whole host."
    return f"The service '{service}' uses {source} of its host."
