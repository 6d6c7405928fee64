"""Contents of secrets, configs and files as the deploy form sends them: typed, or of a file with any bytes.

A file comes as itself (``upload.KIND.NAME``), or read by the page's script, which sends no files while one types, in
base64 (``binary.KIND.NAME``). It counts before what was typed (``KIND.NAME``).
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.files.uploadedfile import UploadedFile

from platform_manager.recipes import contents

MOST = 200
MOST_LOOKED_AT = 10 * MOST
KINDS = ("secret", "config", "file")
BINARY, UPLOAD = "binary", "upload"
UNREADABLE = "The file could not be read. Choose it once more."
# Base64 takes four letters for three bytes.
MOST_LETTERS = 4 * (contents.LONGEST_CONFIG // 3 + 2)

# A kind and a name.
Mark = tuple[str, str]


@dataclass(frozen=True)
class Contents:
    """By kind and name; ``files`` are those that came as files, ``errors`` say what is wrong with one."""

    given: Mapping[Mark, bytes] = field(default_factory=dict)
    files: frozenset[Mark] = frozenset()
    errors: Mapping[Mark, str] = field(default_factory=dict)

    def of(self, kind: str) -> dict[str, bytes]:
        return {name: data for (one, name), data in self.given.items() if one == kind}


def read_contents(data: Mapping[str, Any], files: Mapping[str, Any]) -> Contents:
    given: dict[Mark, bytes] = {}
    errors: dict[Mark, str] = {}
    came: set[Mark] = set()
    for mark, file in _marked(files, UPLOAD):
        if isinstance(file, UploadedFile) and len(came) < MOST:
            came.add(mark)
            _take(mark, _read(file), given, errors)
    for mark, letters in _marked(data, BINARY):
        if letters and mark not in came and len(came) < MOST:
            came.add(mark)
            _take(mark, _decoded(str(letters)), given, errors)
    for mark, typed in _marked(data, ""):
        if typed and mark not in came and len(given) < MOST:
            _take(mark, str(typed).replace("\r\n", "\n").encode(errors="replace"), given, errors)
    return Contents(given, frozenset(came), errors)


def _marked(data: Mapping[str, Any], prefix: str) -> Iterator[tuple[Mark, Any]]:
    for key in list(data)[:MOST_LOOKED_AT]:
        first, dot, rest = key.partition(".")
        if prefix and first != prefix:
            continue
        kind, dot, name = rest.partition(".") if prefix else (first, dot, rest)
        if kind in KINDS and dot:
            yield (kind, name), data[key]


def _take(mark: Mark, data: bytes | int | None, given: dict[Mark, bytes], errors: dict[Mark, str]) -> None:
    """``data`` is only a size where it is too much, and None where it is nothing that can be read."""
    if data is None:
        errors[mark] = UNREADABLE
        return
    size = data if isinstance(data, int) else len(data)
    if problem := contents.size_problem(mark[0], size):
        errors[mark] = problem
    if isinstance(data, bytes) and data:
        given[mark] = data


def _read(file: UploadedFile[Any]) -> bytes | int:
    size = file.size or 0
    return size if size > contents.LONGEST_CONFIG else bytes(file.read())


def _decoded(letters: str) -> bytes | int | None:
    if len(letters) > MOST_LETTERS:
        return len(letters) * 3 // 4
    try:
        return b64decode(letters, validate=True)
    except (binascii.Error, ValueError):
        return None
