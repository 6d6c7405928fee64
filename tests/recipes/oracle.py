"""The Docker CLI as the reference: what ``docker stack config`` makes of a file."""

import os
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

MTU_OPTION = "com.docker.network.driver.mtu"


@cache
def check_cli() -> None:
    """An old CLI refuses everything, which is not what a test of refusals asks for."""
    answered = subprocess.run(["docker", "stack", "config", "--help"], capture_output=True, check=False)
    assert answered.returncode == 0, "the tests need a Docker CLI with 'stack config': install 25 or newer"


def stack_config(
    directory: Path, text: str, variables: Mapping[str, str], files: Mapping[str, bytes] | None = None
) -> tuple[dict[str, Any] | None, str]:
    """The file as the CLI understands it, without its version; or None and what the CLI said."""
    check_cli()
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
