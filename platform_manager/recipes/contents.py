"""What secrets, configs and files hold: any bytes, told in words where they are no text."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

# Measured with an engine 20.10: a swarm takes secrets of less than 500 KB, and configs of less than 1,000 KB.
LONGEST_SECRET = 500 * 1024 - 1
LONGEST_CONFIG = 1_000 * 1024 - 1


def text_of(data: bytes) -> str | None:
    """The text that it is, None for what pages can't show and diffs can't compare."""
    try:
        found = data.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in found else found


def described(data: bytes, *, digest: bool = True) -> str:
    """As in "binary, 1,234 bytes, sha256 0f3a…"; without a digest for secrets, which it would let others try."""
    kind = "text" if text_of(data) is not None else "binary"
    plain = f"{kind}, {len(data):,} byte{'' if len(data) == 1 else 's'}"
    return f"{plain}, sha256 {sha256(data).hexdigest()}" if digest else plain


def words_of(data: bytes) -> str:
    """As it could stand in what programs say, to be masked there."""
    found = text_of(data)
    return b64encode(data).decode() if found is None else found


def longest(kind: str) -> int:
    """The most bytes of a secret, or of a config; other files mostly become configs."""
    return LONGEST_SECRET if kind == "secret" else LONGEST_CONFIG


def size_problem(kind: str, size: int) -> str:
    """Why no swarm takes this many bytes as a secret or config, "" where it does."""
    word = "secrets" if kind == "secret" else "configs"
    if not size:
        return f"It is empty: a swarm takes no {word} without content."
    if size > longest(kind):
        return f"It has {size:,} bytes: a swarm takes {word} of at most {longest(kind):,} bytes."
    return ""
