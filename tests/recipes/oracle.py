"""The Docker CLI as the reference: what ``docker stack config`` makes of a file."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from recording_engine import recording

MTU_OPTION = "com.docker.network.driver.mtu"


# What CLI 28.2.2 said, for machines whose own is older than 25; PM_RECORD_REFERENCE=1 with a new one writes it anew.
RECORDED = Path(__file__).parent / "recorded" / "stack_config.json"


@cache
def knows_stack_config() -> bool:
    command = ["docker", "stack", "config", "-c", "-"]
    answered = subprocess.run(command, input=b"services: {a: {image: x}}", capture_output=True, check=False)
    return answered.returncode == 0


@cache
def recorded() -> dict[str, list[str]]:
    answers: dict[str, list[str]] = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    return answers


def stack_config(
    directory: Path, text: str | Sequence[str], variables: Mapping[str, str], files: Mapping[str, bytes] | None = None
) -> tuple[dict[str, Any] | None, str]:
    """The file (or several, merged) as the CLI understands it, without its version; or None and what the CLI said."""
    texts = [text] if isinstance(text, str) else list(text)
    question = repr((texts, sorted(variables.items()), sorted((files or {}).items())))
    key = hashlib.sha256(question.encode()).hexdigest()[:20]
    if knows_stack_config():
        answer, refusal = _asked(directory, texts, variables, files or {})
        if os.environ.get("PM_RECORD_REFERENCE"):
            recorded()[key] = [answer, refusal]
            RECORDED.write_text(json.dumps(dict(sorted(recorded().items())), indent=0) + "\n")
    assert key in recorded(), "not recorded: run these tests with PM_RECORD_REFERENCE=1 and a Docker CLI of 25 or newer"
    if not knows_stack_config():
        answer, refusal = recorded()[key]
    if refusal:
        return None, refusal
    value = yaml.load(answer, Loader=yaml.BaseLoader)  # noqa: S506
    value.pop("version", None)
    return value, ""


def understood(
    directory: Path, texts: Sequence[str], variables: Mapping[str, str], files: Mapping[str, bytes] | None = None
) -> dict[str, Any] | None:
    """What the installed CLI makes of these files, MTU aside, in terms of its own; None when it refuses.

    One that does not know ``stack config`` deploys to an engine that records its orders.
    """
    if not knows_stack_config():
        return _deployed(directory, list(texts), variables, files or {})
    answer, refusal = _asked(directory, list(texts), variables, files or {})
    if refusal:
        return None
    value = yaml.load(answer, Loader=yaml.CBaseLoader)  # noqa: S506
    value.pop("version", None)
    return without_mtu(value)


def _deployed(
    directory: Path, texts: list[str], variables: Mapping[str, str], files: Mapping[str, bytes]
) -> dict[str, Any] | None:
    directory.mkdir(parents=True, exist_ok=True)
    with recording(directory / "engine") as engine:
        command = ["-H", f"unix://{directory}/engine", "stack", "deploy", "--resolve-image", "never"]
        if _run(directory, command, texts, variables, files, "shop").returncode:
            return None
        for (kind, _), order in engine.orders.items():
            if kind == "networks":
                order["Options"] = {k: v for k, v in (order.get("Options") or {}).items() if k != MTU_OPTION}
        return {f"{kind} {name}": order for (kind, name), order in engine.orders.items()}


def _run(
    directory: Path,
    command: list[str],
    texts: list[str],
    variables: Mapping[str, str],
    files: Mapping[str, bytes],
    *arguments: str,
) -> subprocess.CompletedProcess[str]:
    directory.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(data)
    options = []
    for number, text in enumerate(texts):
        (directory / f"compose-{number}.yml").write_text(text)
        options += ["-c", f"compose-{number}.yml"]
    return subprocess.run(
        [shutil.which("docker") or "docker", *command, *options, *arguments],
        cwd=directory,
        env=dict(variables),
        capture_output=True,
        text=True,
        timeout=30,
    )


def _asked(
    directory: Path, texts: list[str], variables: Mapping[str, str], files: Mapping[str, bytes]
) -> tuple[str, str]:
    """The CLI's answer, or its refusal."""
    run = _run(directory, ["stack", "config"], texts, variables, files)
    if run.returncode:
        return "", run.stderr.replace(str(directory), "DIR") or "refused"
    return run.stdout.replace(str(directory), "DIR"), ""


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
