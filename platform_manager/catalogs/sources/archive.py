"""Archives that people upload, or that lie at an address: zip and tar, plain or compressed, and lone files."""

from __future__ import annotations

import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import Any

from platform_manager.catalogs.base import Tree
from platform_manager.catalogs.sources.gathering import (
    MOST_BYTES,
    MOST_FILE_BYTES,
    MOST_SEEN,
    Fetched,
    Gathering,
    too_large,
)
from platform_manager.errors import UserError

MOST_UNPACKED = 2 * MOST_BYTES
MOST_XZ_MEMORY = 128 * 2**20
LONE_FILES = (".json", ".yml", ".yaml")

_NOUN = "The archive"
_ZIP = b"PK\x03\x04"
_ZIP_ENTRY = b"PK\x01\x02"
_GZIP = b"\x1f\x8b"
_XZ = b"\xfd7zXZ\x00"
_TAR_MARK = (257, b"ustar")
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
    ValueError,
    LookupError,
)


def unpacked(data: bytes, name: str) -> Tree:
    """The files of an archive; the tree of :func:`read`."""
    return read(data, name).tree


def read(data: bytes, name: str, *, folder: str = "") -> Fetched:
    """The files of an archive by its content, or a lone list or compose file by its ``name``.

    One folder around everything is taken off. UserError, of the field ``upload``, when it can't be read.
    """
    gathering = Gathering(_NOUN)
    try:
        if data.startswith(_ZIP):
            _unzip(data, gathering)
        elif data.startswith((_GZIP, _XZ)) or data[_TAR_MARK[0] :].startswith(_TAR_MARK[1]):
            _untar(data, gathering)
        elif name.lower().endswith(LONE_FILES):
            gathering.add(PurePosixPath(name.replace("\\", "/")).name, data)
            return _filled(gathering)
        else:
            raise UserError(
                "This is no archive that can be read. Give a .zip, .tar, .tar.gz or .tar.xz, "
                "a template list (.json) or a compose file (.yml).",
                "upload",
            )
    except UserError as error:
        raise UserError(str(error), error.field or "upload") from None
    except _BROKEN:
        raise UserError("The archive is broken or cut off. Make it anew and upload it again.", "upload") from None
    return _within(_without_top(_filled(gathering)), folder)


def _filled(gathering: Gathering) -> Fetched:
    """UserError when nothing could be taken, with the reason where files were left out."""
    if gathering.tree:
        return gathering.fetched()
    if gathering.skipped:
        first = gathering.skipped[0]
        raise UserError(f"No file can be used. {first.path}: {first.sentence}", "upload")
    raise UserError("The archive has no files. Put the recipes in it.", "upload")


def _without_top(fetched: Fetched) -> Fetched:
    tops = {path.partition("/")[0] if "/" in path else "" for path in fetched.tree}
    if len(tops) != 1 or "" in tops:
        return fetched
    (top,) = tops
    return Fetched({path[len(top) + 1 :]: data for path, data in fetched.tree.items()}, "", fetched.skipped)


def _within(fetched: Fetched, folder: str) -> Fetched:
    chosen = Gathering(_NOUN, folder=folder)
    for path, data in fetched.tree.items():
        if wanted := chosen.wants(path):
            chosen.add(wanted, data)
    return Fetched(chosen.fetched().tree, "", fetched.skipped)


def _unzip(data: bytes, gathering: Gathering) -> None:
    if data.count(_ZIP_ENTRY) > MOST_SEEN:
        raise UserError("The archive has too many files. Use one with the recipes alone.")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            if entry.is_dir():
                gathering.look()
                continue
            path = gathering.wants(entry.filename.removeprefix("./"))
            if not path:
                continue
            if entry.flag_bits & 1:
                raise UserError("The archive has a password. Make one without.")
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                gathering.skip(path, "It is compressed in an unusual way and was left out.")
            elif stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
                gathering.skip(path, "It is a link or a device and was left out.")
            elif entry.file_size > MOST_FILE_BYTES:
                # Unpacked for nothing, thousands of them would take minutes. None unpacks to more than it says.
                gathering.skip(path, too_large())
            else:
                with archive.open(entry) as file:
                    gathering.add(path, file.read(MOST_FILE_BYTES + 1))


def _untar(data: bytes, gathering: Gathering) -> None:
    with tarfile.open(fileobj=_Capped(_inflating(data)), mode="r|") as archive:
        for member in archive:
            # tarfile keeps all it has seen.
            archive.members = []  # type: ignore[attr-defined]
            name = member.name.removeprefix("./")
            if member.isdir():
                gathering.look()
            elif path := gathering.wants(name):
                file = archive.extractfile(member) if member.isreg() and not member.issparse() else None
                if file is None:
                    gathering.skip(path, "It is a link or a device and was left out.")
                else:
                    gathering.add(path, file.read(MOST_FILE_BYTES + 1))


def _inflating(data: bytes) -> io.BufferedIOBase:
    if data.startswith(_GZIP):
        return gzip.GzipFile(fileobj=io.BytesIO(data))
    return io.BufferedReader(_Xz(data)) if data.startswith(_XZ) else io.BytesIO(data)


class _Xz(io.RawIOBase):
    """One xz stream; unlike lzma.open it does not take whatever memory the file asks for."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._inflater = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MOST_XZ_MEMORY)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._inflater.eof:
            return 0
        given, self._data = self._data, b""
        piece = self._inflater.decompress(given, len(buffer))
        if not piece and not self._inflater.eof:
            raise EOFError
        buffer[: len(piece)] = piece
        return len(piece)


class _Capped(io.RawIOBase):
    """What an archive grows to, up to a limit: a few kilobytes may unpack to anything."""

    def __init__(self, file: io.BufferedIOBase) -> None:
        self._file = file
        self._left = MOST_UNPACKED

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(min(size, self._left + 1) if size >= 0 else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise UserError(
                f"The archive unpacks to more than {MOST_UNPACKED // 2**20} MB. Use one with the recipes alone."
            )
        return data
