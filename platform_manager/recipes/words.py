"""What to say about keys that the swarm refuses or ignores, and what to write instead."""

from platform_manager.recipes.problems import Path

_RESOURCES = "set limits under deploy.resources instead"

# Refused by the Docker CLI before it looks at anything else.
FORBIDDEN = {
    "extends": "write the keys of the extended service here, or use a YAML anchor",
    "volume_driver": "declare a volume under the top-level 'volumes' and give the driver there",
    "volumes_from": "declare a named volume at the top level and mount it in both services",
    "cpu_quota": _RESOURCES,
    "cpu_shares": _RESOURCES,
    "cpuset": _RESOURCES,
    "mem_limit": _RESOURCES,
    "memswap_limit": _RESOURCES,
}

# Accepted, and without any effect on a swarm.
IGNORED = {
    "build": "a swarm runs ready images only; push the image to a registry",
    "cgroup_parent": "it has no counterpart on a swarm",
    "cgroupns_mode": "it has no counterpart on a swarm",
    "container_name": "swarm names containers itself; use the service name to reach it",
    "depends_on": "swarm starts services in any order; let the program wait for what it needs",
    "devices": "a swarm gives no devices to tasks",
    "domainname": "it has no counterpart on a swarm",
    "expose": "services of one network reach all ports of each other",
    "external_links": "use a shared external network instead",
    "ipc": "it has no counterpart on a swarm",
    "links": "services of one network find each other by name",
    "mac_address": "it has no counterpart on a swarm",
    "network_mode": "attach the service to a network under 'networks' instead",
    "pid": "it has no counterpart on a swarm",
    "privileged": "a swarm starts no privileged tasks; the service runs without the privileges",
    "security_opt": "it has no counterpart on a swarm",
    "shm_size": "mount a tmpfs at /dev/shm under 'volumes' instead",
    "tmpfs": "use a volume of type tmpfs under 'volumes' instead",
    "userns_mode": "it has no counterpart on a swarm",
}

# Known from newer or older compose files; the CLI refuses them as unknown.
_UNKNOWN_ROOT = {
    "name": "remove it; the stack is named when it is deployed",
    "include": "paste the included file here",
    "models": "the swarm does not know models; remove it",
}
_UNKNOWN_SERVICE = {
    "profiles": "remove it; all services of a stack are deployed",
    "platform": "use a placement constraint on node.platform.arch under deploy instead",
    "runtime": "set the default runtime on the host instead",
    "net": "use 'networks'",
    "cpus": _RESOURCES,
    "mem_reservation": _RESOURCES,
    "mem_swappiness": _RESOURCES,
    "cpu_percent": _RESOURCES,
    "cpu_count": _RESOURCES,
    "pids_limit": _RESOURCES,
    "scale": "use deploy.replicas instead",
    "log_driver": "use logging.driver instead",
    "log_opt": "use logging.options instead",
    "dockerfile": "a swarm runs ready images only; push the image to a registry",
    "pull_policy": "remove it; swarm pulls an image that a host lacks",
    "gpus": "reserve generic resources under deploy instead",
    "group_add": "it has no counterpart in version 3; set 'user' to 'uid:gid'",
    "storage_opt": "it has no counterpart on a swarm",
    "develop": "remove it; it is for development with docker compose",
    "annotations": "use labels instead",
}


def key_hint(path: Path) -> str:
    """Why the key at the end of ``path`` is refused, and what to do."""
    key = path[-1]
    hint = ""
    if len(path) == 1:
        hint = _UNKNOWN_ROOT.get(str(key), "")
    elif path[0] == "services" and len(path) == 3:
        hint = _UNKNOWN_SERVICE.get(str(key), "")
    elif path[0] in ("configs", "secrets") and key in ("content", "environment"):
        hint = "put the text in a file of the recipe and name it with 'file'"
    reason = f"a stack can't have the key '{key}'"
    return f"{reason}: {hint}." if hint else f"{reason} here. Check its spelling and indentation, or remove it."
