"""The Docker CLI in a sandbox: it is the reference for compose files on a swarm, and it reads too much.

It sees the compose file, the files and the variables it is given, and nothing else of ours. What the sandbox
can't stop is an absolute path in the compose file (``configs: file: /etc/hostname`` is read with our rights):
the caller refuses those before. An exit code of 0 says that the engine took the orders, not that anything
runs.
"""

import asyncio
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from platform_manager.engines.sandbox import PATH, Finished, room, run
from platform_manager.errors import PlatformError, UserError

COMPOSE = "compose.yaml"
STACK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

CliResult = Finished
ResolveImage = Literal["always", "changed", "never"]


async def stack_deploy(
    socket: Path,
    stack: str,
    compose: str,
    *,
    files: Mapping[str, bytes] | None = None,
    variables: Mapping[str, str] | None = None,
    allowed: re.Pattern[str] = VARIABLE,
    prune: bool = True,
    resolve_image: ResolveImage = "always",
    registry_auth: bytes | None = None,
    timeout: float = 120,
) -> CliResult:
    """``docker stack deploy`` on the engine behind ``socket``; returns as soon as the orders are given.

    ``files``: contents by name, relative to the compose file. ``variables``: for ``${...}``, with names that
    fully match ``allowed``. ``registry_auth``: a config.json with "auths" alone, sent on to the hosts.
    The result's errors are part of its output.
    """
    if not STACK.fullmatch(stack):
        raise UserError("A stack's name has at most 63 letters, digits, - and _.", field="name")
    arguments = ["stack", "deploy", "-c", COMPOSE, "--resolve-image", resolve_image]
    if (await asyncio.to_thread(features)).detach:
        arguments.append("--detach=true")
    if prune:
        arguments.append("--prune")
    if registry_auth:
        arguments.append("--with-registry-auth")
    with room(with_compose(compose, files), variables or {}, allowed, registry_auth) as place:
        return await run(docker(), "-H", f"unix://{socket}", *arguments, stack, room=place, timeout=timeout, merge=True)


async def stack_config(
    compose: str,
    *,
    files: Mapping[str, bytes] | None = None,
    variables: Mapping[str, str] | None = None,
    allowed: re.Pattern[str] = VARIABLE,
    timeout: float = 20,
) -> CliResult:
    """The compose file as the CLI understands it; to validate only, for its output can't be deployed again.

    PlatformError when the CLI is too old to know it.
    """
    if not (await asyncio.to_thread(features)).config:
        raise PlatformError("The installed Docker CLI has no 'stack config': install version 28 or newer.")
    with room(with_compose(compose, files), variables or {}, allowed) as place:
        return await run(docker(), "stack", "config", "-c", COMPOSE, room=place, timeout=timeout)


@dataclass(frozen=True)
class Features:
    """What the installed CLI knows."""

    detach: bool
    config: bool


@cache
def features() -> Features:
    """Asked once of the CLI's own help."""
    return Features("--detach" in help_of("stack", "deploy"), "\n  config " in help_of("stack"))


def help_of(*command: str) -> str:
    """The CLI's help for a command, without an engine or a configuration."""
    asked = [docker(), "-H", "unix:///nonexistent", *command, "--help"]
    environment = {"PATH": PATH, "HOME": "/nonexistent"}
    return subprocess.run(  # noqa: S603
        asked, env=environment, capture_output=True, text=True, timeout=20, check=False
    ).stdout


@cache
def docker() -> str:
    """The CLI's path."""
    if found := shutil.which("docker", path=PATH):
        return found
    raise PlatformError("The Docker CLI is missing on the platform's machine: install it.")


def with_compose(compose: str, files: Mapping[str, bytes] | None) -> dict[str, bytes]:
    """All files of a run."""
    if files and COMPOSE in files:
        raise UserError(f"A file next to the compose file can't be named {COMPOSE}.", field="files")
    return {**(files or {}), COMPOSE: compose.encode(errors="replace")}
