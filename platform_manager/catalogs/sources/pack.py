"""Packs of git objects from servers nobody knows: measured first, opened only when they stay small."""

from __future__ import annotations

from hashlib import sha1

from dulwich.object_store import MemoryObjectStore
from dulwich.pack import OFS_DELTA, REF_DELTA, read_pack_header_at, unpack_object_at

from platform_manager.errors import UserError

MOST_OBJECTS = 60_000
MOST_BYTES = 192 * 2**20
_HEADER_BYTES = 12
_CHECKSUM_BYTES = 20
_NUMBER_BYTES = 10


class BrokenPack(ValueError):
    """What the server sent is no pack."""


def opened(pack: bytes) -> MemoryObjectStore:
    """The pack's objects. UserError when it would grow too large, BrokenPack and dulwich's errors for a bad one."""
    _measure(pack)
    store = MemoryObjectStore()
    file, commit, abort = store.add_pack()
    try:
        file.write(pack)
    except BaseException:
        abort()
        raise
    commit()
    return store


def _measure(pack: bytes) -> None:
    """Adds up what the objects say they grow to: dulwich holds them to it, but takes any number for good."""
    _, objects = read_pack_header_at(pack)
    if objects > MOST_OBJECTS:
        raise _too_large()
    offset, grown = _HEADER_BYTES, 0
    for _ in range(objects):
        kind, size, _ = _number(pack, offset, first_bits=4)
        grown += size
        if grown > MOST_BYTES:
            raise _too_large()
        if kind == OFS_DELTA:
            _number(pack, _number(pack, offset, first_bits=4)[2])
        unpacked, offset = unpack_object_at(pack, offset, sha1)
        if kind in (OFS_DELTA, REF_DELTA):
            delta = b"".join(unpacked.decomp_chunks)
            grown += _number(delta, _number(delta, 0)[2])[1]
    if grown > MOST_BYTES:
        raise _too_large()
    if offset + _CHECKSUM_BYTES != len(pack):
        raise BrokenPack("The pack has another length than it says.")


def _number(data: bytes, start: int, *, first_bits: int = 7) -> tuple[int, int, int]:
    """A number in git's bytes of 7 bits each: (what stands above it in the first byte, the number, where it ends)."""
    number, shift, position = 0, 0, start
    kind = (data[start] >> 4) & 7 if start < len(data) else 0
    while position < len(data) and position - start < _NUMBER_BYTES:
        byte = data[position]
        bits = first_bits if position == start else 7
        number |= (byte & ((1 << bits) - 1)) << shift
        shift += bits
        position += 1
        if not byte & 0x80:
            return kind, number, position
    raise BrokenPack("The pack is cut off.")


def _too_large() -> UserError:
    return UserError(
        f"The repository holds more than {MOST_BYTES // 2**20} MB. Use one with the recipes alone, "
        "without pictures and programs."
    )
