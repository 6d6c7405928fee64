"""The Docker CLI as the reference: what ``docker stack config`` makes of a file."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

MTU_OPTION = "com.docker.network.driver.mtu"


def _has_config() -> bool:
    cli = shutil.which("docker")
    return bool(cli) and subprocess.run([cli, "stack", "config", "--help"], capture_output=True).returncode == 0


needs_cli = pytest.mark.skipif(not _has_config(), reason="this Docker CLI has no 'stack config' (25 and newer do)")


def stack_config(
    directory: Path, text: str, variables: Mapping[str, str], files: Mapping[str, bytes] | None = None
) -> tuple[dict[str, Any] | None, str]:
    """The file as the CLI understands it, without its version; or None and what the CLI said."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, data in (files or {}).items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(data)
    run = subprocess.run(
        ["docker", "stack", "config", "-c", "-"],
        input=text,
        cwd=directory,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        timeout=30,
    )
    if run.returncode:
        return None, run.stderr
    value = yaml.load(run.stdout.replace(str(directory), "DIR"), Loader=yaml.BaseLoader)  # noqa: S506
    value.pop("version", None)
    return value, ""


def without_mtu(value: dict[str, Any]) -> dict[str, Any]:
    """Networks without the MTU option, and without what is empty then: the CLI makes no difference."""
    networks = {}
    for name, network in (value.pop("networks", None) or {}).items():
        kept = dict(network or {})
        options = {k: v for k, v in (kept.pop("driver_opts", None) or {}).items() if k != MTU_OPTION}
        if options:
            kept["driver_opts"] = options
        if kept or name != "default":
            networks[name] = kept
    return {**value, "networks": networks}
