"""What secrets and configs hold, in words, and what a swarm takes of it."""

import pytest
from looking import only, problems, service

from platform_manager.recipes import Severity, contents


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"a", "text, 1 byte"), (b"x" * 1234, "text, 1,234 bytes"), ("ü\n".encode(), "text, 3 bytes")]
    + [(data, f"binary, {len(data)} bytes") for data in (b"\xff\xfe", b"a\0b", "ü".encode("latin-1") + b"ber")],
)
def test_content_is_told_without_being_shown(data: bytes, words: str) -> None:
    assert contents.described(data, digest=False) == words
    assert contents.described(data).startswith(f"{words}, sha256 ")


@pytest.mark.parametrize(("kind", "most"), [("secret", 511_999), ("config", 1_023_999)])
def test_files_of_the_recipe_fit_the_swarm(kind: str, most: int) -> None:
    text = service(f"{kind}s: [own]") + f"{kind}s: {{own: {{file: ./own.bin}}}}"
    assert problems(text, {"own.bin": b"\xff" * most}) == []
    for size, words in ((most + 1, f"{kind}s of at most {most:,} bytes"), (0, "without content")):
        found = only(text, {"own.bin": b"\xff" * size})
        assert (found.severity, found.path, found.line) == (Severity.ERROR, f"{kind}s.own.file", 2)
        assert words in found.message


def test_a_file_for_variables_may_be_empty() -> None:
    assert problems(service("env_file: [own.env]"), {"own.env": b""}) == []
