"""What a plain ``docker stack deploy`` makes of a file, and the specs of what a swarm holds, to compare by."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.lab import until

Spec = dict[str, Any]


def cli(socket: Path, *words: str, cwd: Path | None = None, variables: Mapping[str, str] | None = None) -> str:
    """What the Docker CLI says on an engine; AssertionError where it refuses."""
    run = _run(socket, *words, cwd=cwd, variables=variables)
    assert run.returncode == 0, f"{' '.join(words)}: {run.stdout}{run.stderr}"
    return run.stdout


def _run(
    socket: Path, *words: str, cwd: Path | None = None, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    command = ["docker", "-H", f"unix://{socket}", *words]
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **(variables or {})}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False)


def remove(socket: Path, stack: str) -> None:
    """``docker stack rm``, repeated where the swarm had not let go of a network yet: the CLI gives up then."""

    def removed() -> bool:
        run = _run(socket, "stack", "rm", stack)
        assert run.returncode == 0 or "in use" in run.stderr, run.stderr
        return run.returncode == 0

    until(removed, what=f"the stack {stack} is removed", seconds=60, every=0.5)


def deploy(socket: Path, compose: Path, stack: str, variables: Mapping[str, str]) -> None:
    cli(socket, "stack", "deploy", "-c", compose.name, stack, cwd=compose.parent, variables=variables)


def services(socket: Path, stack: str) -> dict[str, Spec]:
    """The specs of a stack's services by name, with names instead of ids."""
    names = cli(socket, "service", "ls", "-q", "--filter", f"label=com.docker.stack.namespace={stack}").split()
    if not names:
        return {}
    networks = dict(
        line.split(" ", 1)
        for line in cli(socket, "network", "ls", "--no-trunc", "--format", "{{.ID}} {{.Name}}").splitlines()
    )
    found = [one["Spec"] for one in json.loads(cli(socket, "service", "inspect", *names))]
    return {spec["Name"]: _named(spec, networks) for spec in found}


def networks(socket: Path, stack: str) -> dict[str, Spec]:
    """The stack's own networks by name: driver, options and what containers may join."""
    label = f"label=com.docker.stack.namespace={stack}"
    ids = cli(socket, "network", "ls", "-q", "--no-trunc", "--filter", label).split()
    kept = ("Driver", "Options", "Attachable", "Internal", "EnableIPv6", "Labels")
    found = json.loads(cli(socket, "network", "inspect", *ids)) if ids else []
    for one in found:
        # Each swarm counts its own.
        one["Options"].pop("com.docker.network.driver.overlay.vxlanid_list", "")
    return {one["Name"]: {key: one[key] for key in kept} for one in found}


def contents(socket: Path, kind: str, stack: str) -> dict[str, Spec]:
    """The specs of a stack's configs or secrets by name."""
    ids = cli(socket, kind, "ls", "-q", "--filter", f"label=com.docker.stack.namespace={stack}").split()
    found = json.loads(cli(socket, kind, "inspect", *ids)) if ids else []
    return {one["Spec"]["Name"]: one["Spec"] for one in found}


def _named(value: Any, names: Mapping[str, str]) -> Any:
    """Ids differ from swarm to swarm; networks are told by their names, secrets and configs have theirs beside."""
    if isinstance(value, dict):
        return {key: _named(one, names) for key, one in value.items() if key not in ("SecretID", "ConfigID")}
    if isinstance(value, list):
        return [_named(one, names) for one in value]
    return names.get(value, value) if isinstance(value, str) else value
