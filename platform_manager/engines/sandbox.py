"""A place to run a program on hostile input: its own directory, no environment, limits and a process group."""

import asyncio
import json
import os
import resource
import shutil
import signal
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from platform_manager.errors import UserError

PATH = "/usr/local/bin:/usr/bin:/bin"
PREFIX = "platform-sandbox-"
OUTPUT_BYTES = 256 * 1024

# RLIMIT_DATA, not RLIMIT_AS: Go's runtime reserves a gigabyte of addresses that it never touches.
LIMITS = {
    resource.RLIMIT_DATA: 512 * 1024 * 1024,
    resource.RLIMIT_CPU: 60,
    resource.RLIMIT_FSIZE: 16 * 1024 * 1024,
    resource.RLIMIT_CORE: 0,
}


@dataclass(frozen=True)
class Room:
    """A fresh directory to run in, and one for configuration; what runs there has no environment."""

    directory: Path
    home: Path


@dataclass(frozen=True)
class Finished:
    """How a run ended; ``exit_code`` is negative when a signal ended it. Texts are cut at 256 KiB."""

    exit_code: int
    output: str
    errors: str
    timed_out: bool


@contextmanager
def room(files: Mapping[str, bytes], registry_auth: bytes | None = None) -> Iterator[Room]:
    """A room with exactly these files, removed at the end.

    UserError for a name that leads outside, and for a ``registry_auth`` (the config.json of the Docker CLI)
    that holds more than "auths".
    """
    sweep()
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-") as base:
        # The files get a directory of their own: none of them may pose as configuration in the home.
        work, home = Path(base, "work"), Path(base, "home")
        work.mkdir(0o700)
        home.mkdir(0o700)
        for name, content in files.items():
            write(work / safe_name(name), content)
        if registry_auth:
            (home / "config.json").write_bytes(auths_only(registry_auth))
        yield Room(work, home)


def sweep() -> None:
    """Remove the rooms of processes that were killed: passwords of registries and answers of recipes lie there."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        pid = path.name.removeprefix(PREFIX).partition("-")[0]
        with suppress(OSError):
            if pid.isdecimal() and not _runs(int(pid)) and path.lstat().st_uid == os.getuid():
                shutil.rmtree(path)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass
    return True


def write(path: Path, content: bytes) -> None:
    """A new file; UserError when its name is no use, as "a" next to "a/b"."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(content)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise UserError(f"The file name {path.name[:80]!r} can't be used ({reason}).", field="files") from None


def safe_name(name: str) -> str:
    """``name`` when it stays inside the directory it is joined to."""
    parts = name.split("/")
    if not name or "\0" in name or {"", ".", ".."} & set(parts):
        raise UserError(f"The file name {name!r} must be relative and stay inside the recipe.", field="files")
    return str(PurePosixPath(*parts))


def auths_only(registry_auth: bytes) -> bytes:
    """``registry_auth`` when it names credentials only, and no helper program to run."""
    try:
        config = json.loads(registry_auth)
    except ValueError:
        config = None
    if not isinstance(config, dict) or set(config) != {"auths"}:
        raise UserError('Registry credentials must be a JSON object with "auths" alone.')
    return registry_auth


async def run(program: str, *arguments: str, room: Room, timeout: float, merge: bool = False) -> Finished:
    """Run to the end or for ``timeout`` seconds; then, or when cancelled, the whole process group is killed.

    ``merge`` puts errors into the output, in the order they were written.
    """
    process = await started(program, *arguments, room=room, stderr=STDOUT if merge else PIPE)
    texts = bytearray(), bytearray()
    timed_out = False
    try:
        limit_resources(process.pid)
        async with asyncio.timeout(timeout):
            await asyncio.gather(collect(process.stdout, texts[0]), collect(process.stderr, texts[1]))
            await process.wait()
    except TimeoutError:
        timed_out = True
    finally:
        kill_group(process, timed_out)
        code = await process.wait()
    output, errors = (bytes(text).decode(errors="replace").replace("\0", "\ufffd") for text in texts)
    return Finished(code, output, errors, timed_out)


async def started(program: str, *arguments: str, room: Room, stderr: int) -> Process:
    """The running program in a process group of its own; none is left when that is cancelled."""
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            program,
            *arguments,
            cwd=room.directory,
            env={},
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=stderr,
            start_new_session=True,
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        # asyncio would kill the leader of the group alone, and then wait for the others to end by themselves.
        process = await starting
        kill_group(process, True)
        await process.wait()
        raise


def limit_resources(pid: int) -> None:
    """Set on the running child: that costs no further program, and runs nothing between fork and exec."""
    with suppress(ProcessLookupError):
        for limit, value in LIMITS.items():
            _, hard = resource.prlimit(pid, limit)
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.prlimit(pid, limit, (value, value))


async def collect(stream: asyncio.StreamReader | None, text: bytearray) -> None:
    """Read to the end, keep the first 256 KiB."""
    while stream and (piece := await stream.read(65536)):
        text += piece[: OUTPUT_BYTES - len(text)]


def kill_group(process: Process, certainly: bool) -> None:
    """End what is left; a group whose leader ended well in time has already closed its output."""
    if certainly or process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
