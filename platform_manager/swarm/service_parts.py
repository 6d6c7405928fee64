"""Parts of a service's spec as a compose file says them; what has no place there is told by :func:`unspeakable`."""

from __future__ import annotations

from typing import Any

from .snapshot import Json, mapping, number, part, sequence, text

NANO = 1_000_000_000
_UNITS = (("h", 3600 * NANO), ("m", 60 * NANO), ("s", NANO), ("ms", 1_000_000), ("us", 1000), ("ns", 1))
# In the container's spec, with what a compose file calls them.
_TEXTS = {"Hostname": "hostname", "Dir": "working_dir", "User": "user", "StopSignal": "stop_signal"}
_LISTS = {"Command": "entrypoint", "Args": "command", "CapabilityAdd": "cap_add", "CapabilityDrop": "cap_drop"}
_FLAGS = {"TTY": "tty", "OpenStdin": "stdin_open", "ReadOnly": "read_only"}


def escaped(value: Any) -> Any:
    """Text, and all text in lists and mappings, with each ``$`` doubled: nothing of it is a variable."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, list):
        return [escaped(item) for item in value]
    if isinstance(value, dict):
        return {key: escaped(item) for key, item in value.items()}
    return value


def duration(nanoseconds: object) -> str:
    """As a compose file writes it, exactly: "90s", "1500ms"; "0s" for nothing."""
    left = number(nanoseconds)
    unit, size = next(((unit, size) for unit, size in _UNITS if left and left % size == 0), ("s", NANO))
    return f"{left // size}{unit}"


def plain_of(container: Json) -> dict[str, Any]:
    """What a container's spec and a compose service have in common."""
    found: dict[str, Any] = {}
    for name, word in _TEXTS.items():
        if container.get(name):
            found[word] = escaped(text(container[name]))
    for name, word in _LISTS.items():
        if container.get(name):
            found[word] = escaped(sequence(container[name]))
    found |= {word: True for name, word in _FLAGS.items() if container.get(name) is True}
    if isinstance(container.get("Init"), bool):
        found["init"] = container["Init"]
    if container.get("StopGracePeriod") is not None:
        found["stop_grace_period"] = duration(container["StopGracePeriod"])
    if container.get("Sysctls"):
        found["sysctls"] = escaped(mapping(container["Sysctls"]))
    if limits := [mapping(limit) for limit in sequence(container.get("Ulimits"))]:
        found["ulimits"] = {
            text(limit.get("Name"), 40): {"soft": number(limit.get("Soft")), "hard": number(limit.get("Hard"))}
            for limit in limits
        }
    return found | _resolving(container) | _healthcheck(mapping(container.get("Healthcheck")))


def _resolving(container: Json) -> dict[str, Any]:
    """Names of hosts, and who resolves others."""
    found: dict[str, Any] = {}
    hosts = [text(entry, 500).split() for entry in sequence(container.get("Hosts"))]
    if hosts:
        found["extra_hosts"] = [escaped(f"{name}:{words[0]}") for words in hosts for name in words[1:]]
    for name, word in (("Nameservers", "dns"), ("Search", "dns_search")):
        if servers := sequence(part(container, "DNSConfig", name)):
            found[word] = escaped(servers)
    return found


def _healthcheck(given: dict[str, Any]) -> dict[str, Any]:
    if not given:
        return {}
    if given.get("Test") == ["NONE"]:
        return {"healthcheck": {"disable": True}}
    found: dict[str, Any] = {}
    if given.get("Test"):
        found["test"] = escaped(sequence(given["Test"]))
    words = {"Interval": "interval", "Timeout": "timeout", "StartPeriod": "start_period"}
    found |= {word: duration(given[name]) for name, word in words.items() if given.get(name)}
    if given.get("Retries"):
        found["retries"] = number(given["Retries"])
    return {"healthcheck": found}


def ports_of(spec: Json) -> list[dict[str, Any]]:
    found = []
    for port in sequence(part(spec, "EndpointSpec", "Ports")):
        entry = {"target": number(part(port, "TargetPort")), "protocol": text(part(port, "Protocol"), 8) or "tcp"}
        if published := number(part(port, "PublishedPort")):
            entry["published"] = published
        entry["mode"] = text(part(port, "PublishMode"), 10) or "ingress"
        found.append(entry)
    return found


def mount_of(given: Json) -> dict[str, Any]:
    """A mount but for the volume it names."""
    kind = text(given.get("Type"), 20)
    found: dict[str, Any] = {"type": kind}
    if given.get("Source"):
        found["source"] = escaped(text(given["Source"]))
    found["target"] = escaped(text(given.get("Target")))
    if given.get("ReadOnly") is True:
        found["read_only"] = True
    if propagation := text(part(given, "BindOptions", "Propagation"), 20):
        found["bind"] = {"propagation": propagation}
    if part(given, "VolumeOptions", "NoCopy") is True:
        found["volume"] = {"nocopy": True}
    if size := number(part(given, "TmpfsOptions", "SizeBytes")):
        found["tmpfs"] = {"size": size}
    if consistency := text(given.get("Consistency"), 20):
        found["consistency"] = consistency
    return found


def logging_of(template: Json) -> dict[str, Any]:
    driver = mapping(template.get("LogDriver"))
    found = {"driver": text(driver.get("Name"), 255), "options": escaped(mapping(driver.get("Options")))}
    return {key: value for key, value in found.items() if value}


def deploy_of(spec: Json, labels: dict[str, str]) -> dict[str, Any]:
    """The ``deploy`` section, with these labels of the service."""
    template = mapping(spec.get("TaskTemplate"))
    found = {
        **_mode(mapping(spec.get("Mode"))),
        "labels": escaped(labels),
        "endpoint_mode": "dnsrr" if part(spec, "EndpointSpec", "Mode") == "dnsrr" else "",
        "resources": _resources(mapping(template.get("Resources"))),
        "restart_policy": _restart(mapping(template.get("RestartPolicy"))),
        "placement": _placement(mapping(template.get("Placement"))),
        "update_config": _update(mapping(spec.get("UpdateConfig"))),
        "rollback_config": _update(mapping(spec.get("RollbackConfig"))),
    }
    return {key: value for key, value in found.items() if value not in ("", {}, None)}


def _mode(mode: dict[str, Any]) -> dict[str, Any]:
    if "Global" in mode:
        return {"mode": "global"}
    if "GlobalJob" in mode:
        return {"mode": "global-job"}
    if "ReplicatedJob" in mode:
        return {"mode": "replicated-job", "replicas": number(part(mode, "ReplicatedJob", "TotalCompletions"))}
    replicas = part(mode, "Replicated", "Replicas")
    return {} if replicas is None else {"replicas": number(replicas)}


def _resources(given: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for name, word in (("Limits", "limits"), ("Reservations", "reservations")):
        entry = mapping(given.get(name))
        part_found: dict[str, Any] = {}
        if cpus := number(entry.get("NanoCPUs")):
            part_found["cpus"] = f"{cpus / NANO:.9f}".rstrip("0").rstrip(".")
        if memory := number(entry.get("MemoryBytes")):
            part_found["memory"] = f"{memory}b"
        if pids := number(entry.get("Pids")):
            part_found["pids"] = pids
        if generic := _generic(sequence(entry.get("GenericResources"))):
            part_found["generic_resources"] = generic
        if part_found:
            found[word] = part_found
    return found


def _generic(given: list[Any]) -> list[dict[str, Any]]:
    specs = [mapping(part(one, "DiscreteResourceSpec")) for one in given]
    return [
        {"discrete_resource_spec": {"kind": escaped(text(spec.get("Kind"), 255)), "value": number(spec.get("Value"))}}
        for spec in specs
        if spec
    ]


def _restart(given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if given.get("Condition"):
        found["condition"] = text(given["Condition"], 20)
    if given.get("Delay") is not None:
        found["delay"] = duration(given["Delay"])
    if given.get("MaxAttempts") is not None:
        found["max_attempts"] = number(given["MaxAttempts"])
    if given.get("Window") is not None:
        found["window"] = duration(given["Window"])
    return found


def _placement(given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if constraints := sequence(given.get("Constraints")):
        found["constraints"] = escaped(constraints)
    spreads = [text(part(one, "Spread", "SpreadDescriptor"), 500) for one in sequence(given.get("Preferences"))]
    if spreads:
        found["preferences"] = [{"spread": escaped(spread)} for spread in spreads]
    if most := number(given.get("MaxReplicas")):
        found["max_replicas_per_node"] = most
    return found


def _update(given: dict[str, Any]) -> dict[str, Any]:
    if not given:
        return {}
    found: dict[str, Any] = {"parallelism": number(given.get("Parallelism"))}
    for name, word in (("Delay", "delay"), ("Monitor", "monitor")):
        if given.get(name):
            found[word] = duration(given[name])
    for name, word in (("FailureAction", "failure_action"), ("Order", "order")):
        if given.get(name):
            found[word] = text(given[name], 20)
    ratio = given.get("MaxFailureRatio")
    if isinstance(ratio, int | float) and ratio:
        found["max_failure_ratio"] = ratio
    return found


def unspeakable(spec: Json) -> list[str]:
    """What of a service no compose file can say, as sentences that go on after its name."""
    container = mapping(part(spec, "TaskTemplate", "ContainerSpec"))
    found = []
    if container.get("Groups"):
        found.append("additional groups can't be kept.")
    if part(container, "DNSConfig", "Options"):
        found.append("options of its name resolution can't be kept.")
    if any(mapping(container.get("Privileges")).values()):
        found.append("privileges (SELinux, credential specs, AppArmor, seccomp) can't be kept.")
    if any(part(one, "Runtime") is not None for one in sequence(container.get("Configs"))):
        found.append("configs for the runtime can't be kept.")
    if any(part(one, "Type") in ("cluster", "npipe", "image") for one in sequence(container.get("Mounts"))):
        found.append("mounts of cluster volumes, images and named pipes may not be kept.")
    if part(spec, "TaskTemplate", "Runtime") not in (None, "", "container"):
        found.append("its runtime is none of containers.")
    return found
