"""The Docker CLI in a sandbox: it is the reference for compose files on a swarm, and it reads too much.

It sees the compose files and the files it is given, and no environment at all: it would steer the CLI, and
fill in what a compose file leaves open. What the sandbox can't stop is an absolute path in the compose file
(``configs: file: /etc/hostname`` is read with our rights): the caller refuses those before. An exit code of 0
says that the engine took the orders, not that anything runs.
"""

import asyncio
import itertools
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from platform_manager.engines.sandbox import PATH, Finished, room, run
from platform_manager.errors import PlatformError, UserError

COMPOSE = "compose.yaml"
STACK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")

CliResult = Finished
ResolveImage = Literal["always", "changed", "never"]


async def stack_deploy(
    socket: Path,
    stack: str,
    compose: str,
    *,
    files: Mapping[str, bytes] | None = None,
    overlays: Sequence[str] = (),
    prune: bool = True,
    resolve_image: ResolveImage = "always",
    registry_auth: bytes | None = None,
    timeout: float = 120,
) -> CliResult:
    """``docker stack deploy`` on the engine behind ``socket``; returns as soon as the orders are given.

    ``files``: contents by name, relative to the compose file. ``overlays``: compose files merged over it in
    this order. ``registry_auth``: a config.json with "auths" alone, sent on to the hosts. The result's errors
    are part of its output.
    """
    if not STACK.fullmatch(stack):
        raise UserError("A stack's name has at most 63 letters, digits, - and _.", field="name")
    compose_files = named([compose, *overlays], files or {})
    arguments = ["stack", "deploy", *options(compose_files), "--resolve-image", resolve_image]
    if (await asyncio.to_thread(features)).detach:
        arguments.append("--detach=true")
    if prune:
        arguments.append("--prune")
    if registry_auth:
        arguments.append("--with-registry-auth")
    with room({**(files or {}), **compose_files}, registry_auth) as place:
        ours = ["--config", str(place.home), "-H", f"unix://{socket}"]
        return await run(docker(), *ours, *arguments, stack, room=place, timeout=timeout, merge=True)


async def stack_config(
    compose: str,
    *,
    files: Mapping[str, bytes] | None = None,
    overlays: Sequence[str] = (),
    timeout: float = 20,
) -> CliResult:
    """The compose files as the CLI understands them; to validate only, for its output can't be deployed again.

    PlatformError when the CLI is too old to know it.
    """
    if not (await asyncio.to_thread(features)).config:
        raise PlatformError("The installed Docker CLI has no 'stack config': install version 28 or newer.")
    compose_files = named([compose, *overlays], files or {})
    with room({**(files or {}), **compose_files}) as place:
        arguments = ["--config", str(place.home), "stack", "config", *options(compose_files)]
        return await run(docker(), *arguments, room=place, timeout=timeout)


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


def named(texts: Sequence[str], files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Compose files in their order, by names that no other file or folder has."""
    taken = {name.partition("/")[0] for name in files}
    names = (name for n in itertools.count() if (name := f"compose.{n}.yaml" if n else COMPOSE) not in taken)
    return {name: text.encode(errors="replace") for name, text in zip(names, texts, strict=False)}


def options(compose_files: Iterable[str]) -> list[str]:
    return [argument for name in compose_files for argument in ("-c", name)]
