"""What the outer engine is told about a local host: the bodies of its container, network and volume."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from platform_manager.clouds.base import MachineSpec
from platform_manager.clouds.bootstrap import render
from platform_manager.errors import UserError

# The nested engine's own bridges stay away from the outer engine's, where the platform listens.
ENGINE_OPTIONS: Mapping[str, object] = {
    "bip": "10.201.0.1/24",
    "default-address-pools": [{"base": "10.201.0.0/16", "size": 24}],
    "storage-driver": "overlay2",
    "log-level": "warn",
    "log-opts": {"max-size": "10m", "max-file": "3"},
}

# In the order of their numbers. Engines before 23 do not know the last three.
CAPABILITY_NAMES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE "
    "NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT "
    "SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE "
    "AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ"
)

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_.-]+")


def short_id(identifier: str) -> str:
    return _NOT_IN_A_NAME.sub("", identifier.replace("-", ""))[-8:]


def container_name(installation: str, spec: MachineSpec) -> str:
    return f"pm-{installation}-{_NOT_IN_A_NAME.sub('-', spec.name)}-{short_id(spec.host_id)}"


def network_name(installation: str, environment_id: str) -> str:
    return f"pm-{installation}-env-{short_id(environment_id)}"


def network_body(installation: str, environment_id: str, mtu: int | None, labels: Mapping[str, str]) -> Any:
    """The engine allows two networks of one name but only one bridge of one: that makes it unique."""
    digest = hashlib.sha256(f"{installation}/{environment_id}".encode()).hexdigest()
    options = {"com.docker.network.bridge.name": f"pm-{digest[:12]}"}
    if mtu:
        options["com.docker.network.driver.mtu"] = str(mtu)
    return {
        "Name": network_name(installation, environment_id),
        "Driver": "bridge",
        "CheckDuplicate": True,
        "Options": options,
        "Labels": dict(labels),
    }


def container_body(
    spec: MachineSpec, image: str, network: str, volume: str, labels: Mapping[str, str], *, privileged: bool
) -> dict[str, Any]:
    """The body of /containers/create; ``options``: memory_bytes (int) and cpus (float) limit the host."""
    bootstrap = replace(spec.bootstrap, engine_options={**ENGINE_OPTIONS, **spec.bootstrap.engine_options})
    return {
        "Image": image,
        "Hostname": spec.name,
        "Cmd": ["sh", "-c", render(bootstrap)],
        "Env": ["PM_FOREGROUND=1"],
        "Labels": dict(labels),
        "StopTimeout": 30,
        "HostConfig": {
            "NetworkMode": network,
            "RestartPolicy": {"Name": "unless-stopped"},
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "5m", "max-file": "2"}},
            "Mounts": [{"Type": "volume", "Source": volume, "Target": "/var/lib/docker"}],
            **_limits(spec.options),
            **({"Privileged": True} if privileged else _unprivileged()),
        },
    }


def _limits(options: Mapping[str, object]) -> dict[str, int]:
    limits = {}
    try:
        if options.get("memory_bytes"):
            limits["Memory"] = int(str(options["memory_bytes"]))
        if options.get("cpus"):
            limits["NanoCpus"] = int(float(str(options["cpus"])) * 1e9)
    except ValueError:
        raise UserError("The limits memory_bytes and cpus of a local host have to be numbers.") from None
    return limits


def _unprivileged() -> dict[str, Any]:
    """What --privileged stands for, without the capabilities that this machine itself lacks."""
    return {
        "CapAdd": own_capabilities(),
        "SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined"],
        "MaskedPaths": [],
        "ReadonlyPaths": [],
        "DeviceCgroupRules": ["a *:* rwm"],
        "CgroupnsMode": "host",
        "Binds": ["/sys/fs/cgroup:/sys/fs/cgroup:rw"],
    }


def own_capabilities() -> list[str]:
    """Names of the capabilities in the machine's bounding set."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"^CapBnd:\s*([0-9a-f]+)$", status, re.MULTILINE)
    bits = int(found[1], 16) if found else 0
    return [name for number, name in enumerate(CAPABILITY_NAMES.split()) if bits >> number & 1]
