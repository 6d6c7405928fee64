"""A service's spec as flat fields, named as in compose files, with values as people write them.

What an engine fills in by itself is filled in here too, so that a spec that is sent and the one that is stored of it
give the same fields. A part of the spec that is not known here keeps its own dotted name: no change goes untold.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from .snapshot import STACK_LABEL, mapping, sequence

Json = Mapping[str, Any]
Fields = dict[str, str]

IMAGE_LABEL = "com.docker.stack.image"
CONTAINER = ("TaskTemplate", "ContainerSpec")
UNITS = (("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10))
NANO = 1_000_000_000
DURATIONS = (("h", 3600 * NANO), ("m", 60 * NANO), ("s", NANO), ("ms", 1_000_000), ("us", 1_000), ("ns", 1))


@dataclass(frozen=True)
class Names:
    """What ids and prefixes stand for: ``networks`` are names by id."""

    stack: str
    networks: Mapping[str, str] = field(default_factory=dict)


def fields(spec: Json, names: Names) -> Fields:
    """All that is set in a service's spec."""
    left = deepcopy(dict(spec))
    _fill_in(left)
    short = str(left.pop("Name", "")).removeprefix(f"{names.stack}_")
    found: Fields = {}
    for name, path, written in SIMPLE:
        value = _take(left, path)
        if _is_set(value) or (value == 0 and value is not False and name in ZERO_IS_SET):
            found[name] = written(value)
    for prefix, path in MAPS:
        for key, value in mapping(_take(left, path)).items():
            if key not in (STACK_LABEL, IMAGE_LABEL):
                found[f"{prefix}.{key}"] = str(value)
    _environment(found, _take(left, (*CONTAINER, "Env")))
    _mode(found, _take(left, ("Mode",)))
    _ports(found, _take(left, ("EndpointSpec", "Ports")))
    _mounts(found, _take(left, (*CONTAINER, "Mounts")))
    _networks(found, _take(left, ("TaskTemplate", "Networks")), names, short)
    for kind in ("Secret", "Config"):
        _files(found, _take(left, (*CONTAINER, f"{kind}s")), kind)
    for limit in map(mapping, sequence(_take(left, (*CONTAINER, "Ulimits")))):
        found[f"ulimits.{limit.get('Name')}"] = f"{limit.get('Soft', 0)}:{limit.get('Hard', 0)}"
    for path in UNTOLD:
        _take(left, path)
    _rest(found, left, "")
    return found


def size(value: Any) -> str:
    """Bytes as compose files write them: "50M" where it is a whole number of a unit."""
    if not isinstance(value, int):
        return str(value)
    return next((f"{value // unit}{sign}" for sign, unit in UNITS if value and value % unit == 0), f"{value} bytes")


def duration(value: Any) -> str:
    """Nanoseconds as compose files write them: "1m30s"."""
    if not isinstance(value, int) or value <= 0:
        return "0s" if value == 0 else str(value)
    parts = []
    for sign, unit in DURATIONS:
        if value >= unit:
            parts.append(f"{value // unit}{sign}")
            value %= unit
    return "".join(parts)


def cpus(value: Any) -> str:
    return f"{value / NANO:.9f}".rstrip("0").rstrip(".") if isinstance(value, int) else str(value)


def words(value: Any) -> str:
    """A command as a shell would take it."""
    return shlex.join(str(word) for word in value) if isinstance(value, list) else str(value)


def listed(value: Any) -> str:
    return ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)


def told(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _preferences(value: Any) -> str:
    spreads = [mapping(mapping(one).get("Spread")).get("SpreadDescriptor") for one in sequence(value)]
    return ", ".join(f"spread {one}" for one in spreads)


Rule = tuple[str, tuple[str, ...], Callable[[Any], str]]


def _of(*path: str) -> tuple[str, ...]:
    return (*CONTAINER, *path)


def _updating(name: str, section: str) -> tuple[Rule, ...]:
    return (
        (f"{name}.parallelism", (section, "Parallelism"), told),
        (f"{name}.delay", (section, "Delay"), duration),
        (f"{name}.failure_action", (section, "FailureAction"), told),
        (f"{name}.monitor", (section, "Monitor"), duration),
        (f"{name}.max_failure_ratio", (section, "MaxFailureRatio"), told),
        (f"{name}.order", (section, "Order"), told),
    )


SIMPLE: tuple[Rule, ...] = (
    ("image", _of("Image"), told),
    ("entrypoint", _of("Command"), words),
    ("command", _of("Args"), words),
    ("hostname", _of("Hostname"), told),
    ("working_dir", _of("Dir"), told),
    ("user", _of("User"), told),
    ("group_add", _of("Groups"), listed),
    ("init", _of("Init"), told),
    ("tty", _of("TTY"), told),
    ("stdin_open", _of("OpenStdin"), told),
    ("read_only", _of("ReadOnly"), told),
    ("stop_signal", _of("StopSignal"), told),
    ("stop_grace_period", _of("StopGracePeriod"), duration),
    ("healthcheck.test", _of("Healthcheck", "Test"), words),
    ("healthcheck.interval", _of("Healthcheck", "Interval"), duration),
    ("healthcheck.timeout", _of("Healthcheck", "Timeout"), duration),
    ("healthcheck.start_period", _of("Healthcheck", "StartPeriod"), duration),
    ("healthcheck.start_interval", _of("Healthcheck", "StartInterval"), duration),
    ("healthcheck.retries", _of("Healthcheck", "Retries"), told),
    ("extra_hosts", _of("Hosts"), listed),
    ("dns", _of("DNSConfig", "Nameservers"), listed),
    ("dns_search", _of("DNSConfig", "Search"), listed),
    ("dns_opt", _of("DNSConfig", "Options"), listed),
    ("cap_add", _of("CapabilityAdd"), listed),
    ("cap_drop", _of("CapabilityDrop"), listed),
    ("isolation", _of("Isolation"), told),
    ("resources.limits.cpus", ("TaskTemplate", "Resources", "Limits", "NanoCPUs"), cpus),
    ("resources.limits.memory", ("TaskTemplate", "Resources", "Limits", "MemoryBytes"), size),
    ("resources.limits.pids", ("TaskTemplate", "Resources", "Limits", "Pids"), told),
    ("resources.reservations.cpus", ("TaskTemplate", "Resources", "Reservations", "NanoCPUs"), cpus),
    ("resources.reservations.memory", ("TaskTemplate", "Resources", "Reservations", "MemoryBytes"), size),
    ("restart_policy.condition", ("TaskTemplate", "RestartPolicy", "Condition"), told),
    ("restart_policy.delay", ("TaskTemplate", "RestartPolicy", "Delay"), duration),
    ("restart_policy.max_attempts", ("TaskTemplate", "RestartPolicy", "MaxAttempts"), told),
    ("restart_policy.window", ("TaskTemplate", "RestartPolicy", "Window"), duration),
    ("constraints", ("TaskTemplate", "Placement", "Constraints"), listed),
    ("preferences", ("TaskTemplate", "Placement", "Preferences"), _preferences),
    ("max_replicas_per_node", ("TaskTemplate", "Placement", "MaxReplicas"), told),
    ("logging.driver", ("TaskTemplate", "LogDriver", "Name"), told),
    ("endpoint_mode", ("EndpointSpec", "Mode"), told),
    *_updating("update_config", "UpdateConfig"),
    *_updating("rollback_config", "RollbackConfig"),
)
MAPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("labels", _of("Labels")),
    ("deploy.labels", ("Labels",)),
    ("logging.options", ("TaskTemplate", "LogDriver", "Options")),
    ("sysctls", _of("Sysctls")),
)
# Where nought is something else than nothing.
ZERO_IS_SET = ("stop_grace_period", "restart_policy.delay", "restart_policy.max_attempts", "restart_policy.window")
# Chosen by engines and the CLI itself: no file says anything of them.
UNTOLD = (("TaskTemplate", "ForceUpdate"), ("TaskTemplate", "Runtime"), ("TaskTemplate", "Placement", "Platforms"))


def _fill_in(spec: dict[str, Any]) -> None:
    """What every engine adds to a spec that it stores."""
    endpoint = spec["EndpointSpec"] = mapping(spec.get("EndpointSpec"))
    endpoint["Mode"] = endpoint.get("Mode") or "vip"
    for section in ("UpdateConfig", "RollbackConfig"):
        if isinstance(config := spec.get(section), dict):
            config["Parallelism"] = str(config.get("Parallelism") or 0)
            config["FailureAction"] = config.get("FailureAction") or "pause"
            config["Order"] = config.get("Order") or "stop-first"
    task = mapping(spec.get("TaskTemplate"))
    if isinstance(policy := task.get("RestartPolicy"), dict):
        policy["Condition"] = policy.get("Condition") or "any"
        policy["MaxAttempts"] = policy.get("MaxAttempts") or 0
    container = mapping(task.get("ContainerSpec"))
    if container.get("Isolation") == "default":
        del task["ContainerSpec"]["Isolation"]
    if container.get("Init") is False:
        task["ContainerSpec"]["Init"] = "false"


def _take(left: dict[str, Any], path: tuple[str, ...]) -> Any:
    """The value at the path, which is no longer there afterwards."""
    at: Any = left
    for key in path[:-1]:
        at = at.get(key)
        if not isinstance(at, dict):
            return None
    return at.pop(path[-1], None)


def _environment(found: Fields, value: Any) -> None:
    for entry in sequence(value):
        name, _, content = str(entry).partition("=")
        found[f"environment.{name}"] = content


def _mode(found: Fields, value: Any) -> None:
    mode = mapping(value)
    if isinstance(mode.get("Global"), dict):
        found["mode"] = "global"
    elif not mode or set(mode) == {"Replicated"}:
        found["mode"] = "replicated"
        count = mapping(mode.get("Replicated")).get("Replicas")
        found["replicas"] = str(1 if count is None else count)
    else:
        _rest(found, mode, "mode")


def _ports(found: Fields, value: Any) -> None:
    ports: dict[str, list[str]] = {}
    for port in map(mapping, sequence(value)):
        inside = f"{port.get('TargetPort', 0)}/{port.get('Protocol') or 'tcp'}"
        host = " on the host" if port.get("PublishMode") == "host" else ""
        ports.setdefault(inside, []).append(f"{port.get('PublishedPort') or 'any'}:{inside}{host}")
    for inside, published in ports.items():
        found[f"ports {inside}"] = ", ".join(sorted(published))


def _mounts(found: Fields, value: Any) -> None:
    for mount in map(mapping, sequence(value)):
        target, kind, source = mount.pop("Target", ""), mount.pop("Type", ""), mount.pop("Source", "")
        labels = mapping(mapping(mount.get("VolumeOptions")).get("Labels"))
        labels.pop(STACK_LABEL, None)
        if isinstance(options := mount.get("VolumeOptions"), dict):
            options["Labels"] = labels
        tmpfs = mapping(mount.pop("TmpfsOptions", None))
        parts = [source or (kind if kind == "tmpfs" else f"a new {kind}")]
        parts += [size(tmpfs["SizeBytes"])] if tmpfs.get("SizeBytes") else []
        parts += ["read-only"] if mount.pop("ReadOnly", False) else []
        more: Fields = {}
        _rest(more, mount, "")
        parts += [f"{name} {content}" for name, content in sorted(more.items())]
        found[f"volumes {target}"] = ", ".join(parts)


def _networks(found: Fields, value: Any, names: Names, short: str) -> None:
    for network in map(mapping, sequence(value)):
        target = str(network.get("Target", ""))
        name = names.networks.get(target, target)
        aliases = sorted({str(alias) for alias in sequence(network.get("Aliases"))} - {short})
        more: Fields = {}
        _rest(more, mapping(network.get("DriverOpts")), "")
        told = [f"as {', '.join(aliases)}"] if aliases else []
        told += [f"{key} {content}" for key, content in sorted(more.items())]
        found[f"networks {name}"] = ", ".join(["joined", *told])


def _files(found: Fields, value: Any, kind: str) -> None:
    for one in map(mapping, sequence(value)):
        file = mapping(one.get("File"))
        name = str(one.get(f"{kind}Name", ""))
        mode, uid, gid = file.get("Mode", 0o444), file.get("UID") or "0", file.get("GID") or "0"
        more = [f"mode {mode:04o}"] if isinstance(mode, int) and mode != 0o444 else []
        more += [f"owner {uid}:{gid}"] if (uid, gid) != ("0", "0") else []
        found[f"{kind.lower()}s {file.get('Name') or name}"] = ", ".join([name, *more])


def _is_set(value: Any) -> bool:
    return value not in (None, "", [], {}, 0)


def _rest(found: Fields, left: Any, path: str) -> None:
    """What nobody took, under its own name; what is empty is as good as absent."""
    if isinstance(left, Mapping):
        for key, value in left.items():
            _rest(found, value, f"{path}.{key}" if path else str(key))
    elif _is_set(left):
        found[path] = listed(left) if isinstance(left, list) else told(left)
