"""A folder of the platform's machine."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from platform_manager.catalogs.sources.gathering import MOST_FILE_BYTES, Fetched, Gathering
from platform_manager.errors import UserError

MOST_DEPTH = 30
_LINK = "It is a symbolic link and was not followed."


def read(folder: Path) -> Fetched:
    """All files below a folder, links left out; UserError when it can't be read."""
    try:
        top = folder.resolve(strict=True)
    except (OSError, RuntimeError):
        raise UserError(f"There is no folder {folder} on the platform's machine.", "address") from None
    if not top.is_dir():
        raise UserError(f"{folder} is not a folder. Give the folder that the recipes lie in.", "address")
    gathering = Gathering("The folder")
    try:
        _walk(top, gathering)
    except PermissionError:
        raise UserError(f"The platform may not read all of {folder}. Give its user the right to.", "address") from None
    except OSError as error:
        raise UserError(f"{folder} could not be read: {error.strerror}.", "address") from None
    return gathering.fetched()


def _walk(top: Path, gathering: Gathering) -> None:
    """Opens each folder through its parent's handle: nothing that turns into a link meanwhile leads outside."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    handle = os.open(top, flags)
    try:
        _folder(handle, "", gathering, 0)
    finally:
        os.close(handle)


def _folder(handle: int, prefix: str, gathering: Gathering, depth: int) -> None:
    for name in sorted(os.listdir(handle)):
        path = f"{prefix}{name}"
        if name == ".git":
            continue
        kind = os.stat(name, dir_fd=handle, follow_symlinks=False).st_mode
        if stat.S_ISLNK(kind):
            gathering.skip(path, _LINK)
        elif stat.S_ISDIR(kind) and depth < MOST_DEPTH:
            gathering.look()
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
            try:
                _folder(inner, f"{path}/", gathering, depth + 1)
            finally:
                os.close(inner)
        elif stat.S_ISREG(kind) and (wanted := gathering.wants(path)):
            gathering.add(wanted, _content(name, handle))


def _content(name: str, handle: int) -> bytes:
    opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=handle)
    with os.fdopen(opened, "rb") as file:
        return file.read(MOST_FILE_BYTES + 1)
