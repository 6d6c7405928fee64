"""Git repositories as sources of catalogs: real ones over http, and servers that mean harm."""

from __future__ import annotations

import base64
import hashlib
import struct
import time
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from servers import commit, git, git_backend, reply, serving

from platform_manager.catalogs.sources import git as source
from platform_manager.catalogs.sources import pack
from platform_manager.errors import PlatformError, ProviderError, UserError

FILES = {"readme.md": b"# Recipes\n", "web/docker-compose.yml": b"services: {}\n", "web/conf/a.json": b"{}"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    commit(tmp_path / "recipes", FILES)
    return tmp_path / "recipes"


@pytest.fixture
def address(repository: Path) -> Iterator[str]:
    with serving(git_backend(repository.parent)) as server:
        yield f"{server}/recipes/.git"


def test_the_files_of_the_default_branch_come_with_their_commit(repository: Path, address: str) -> None:
    fetched = source.fetch(address, private=True)
    assert fetched.tree == FILES
    assert fetched.commit == git(repository, "rev-parse", "HEAD")
    assert fetched.skipped == ()


def test_a_branch_a_tag_and_a_commit_are_found_by_name(repository: Path, address: str) -> None:
    first = git(repository, "rev-parse", "HEAD")
    git(repository, "tag", "--annotate", "v1", "--message", "One")
    git(repository, "tag", "light")
    second = commit(repository, {"new.txt": b"new"})
    git(repository, "branch", "feature/x")
    for ref, expected in {"v1": first, "light": first, "feature/x": second, first: first, "": second}.items():
        assert source.fetch(address, ref=ref, private=True).commit == expected
        assert source.remote_commit(address, ref=ref, private=True) == expected


def test_a_subfolder_becomes_the_whole_tree(address: str) -> None:
    fetched = source.fetch(address, folder="/web/", private=True)
    assert set(fetched.tree) == {"docker-compose.yml", "conf/a.json"}


def test_a_history_is_not_fetched(repository: Path, address: str) -> None:
    commit(repository, {"large.bin": bytes(300_000)})
    (repository / "large.bin").unlink()
    commit(repository, {"small.txt": b"small"})
    assert "large.bin" not in source.fetch(address, private=True).tree


def test_links_submodules_and_large_files_stay_out_and_are_named(repository: Path, address: str) -> None:
    (repository / "secrets").symlink_to("/etc")
    commit(repository.parent / "other", {"a.txt": b"a"})
    git(repository, "submodule", "--quiet", "add", str(repository.parent / "other"), "module")
    commit(repository, {"picture.iso": bytes(2**20 + 1)})
    fetched = source.fetch(address, private=True)
    assert set(fetched.tree) == {*FILES, ".gitmodules"}
    assert {line.path for line in fetched.skipped} == {"secrets", "module", "picture.iso"}


def test_asking_for_news_costs_no_files(repository: Path) -> None:
    asked: list[str] = []
    with serving(git_backend(repository.parent, asked)) as server:
        source.remote_commit(f"{server}/recipes/.git", private=True)
    assert 1 <= len(asked) <= 2


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"ref": "gone"}, "ref", "no branch or tag named 'gone'"),
        ({"ref": "a..b"}, "ref", "can't be the name"),
        ({"ref": "0" * 40}, "ref", "does not hand out this commit"),
        ({"folder": "nowhere"}, "folder", "no folder 'nowhere'"),
        ({"folder": "../x"}, "folder", "leads outside"),
        ({"private": False}, "address", "private address"),
    ],
)
def test_a_wrong_wish_is_answered_with_what_to_do(
    address: str, change: dict[str, object], field: str, words: str
) -> None:
    with pytest.raises(UserError, match=words) as caught:
        source.fetch(address, **{"private": True, **change})  # type: ignore[arg-type]
    assert caught.value.field == field


@pytest.mark.parametrize(
    "address",
    ["ssh://host/x", "file:///etc", "git@host:x", "http://", "/srv", "https://user:secret@h/x", "http://h:x/", ""],
)
def test_addresses_that_are_no_web_address_are_refused_without_a_secret(address: str) -> None:
    with pytest.raises(UserError) as caught:
        source.fetch(address, private=True)
    assert caught.value.field == "address"
    assert "secret" not in str(caught.value)


def test_an_empty_repository_is_said_to_be_empty(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "init", "--quiet")
    with serving(git_backend(tmp_path)) as server, pytest.raises(UserError, match="may be empty"):
        source.fetch(f"{server}/empty/.git", private=True)


def test_what_is_no_repository_is_said_to_be_none(tmp_path: Path) -> None:
    with serving(git_backend(tmp_path)) as server, pytest.raises(UserError, match="no git repository"):
        source.fetch(f"{server}/gone.git", private=True)
    with (
        serving(lambda request: reply(request, b"<html>", Content_Type="text/html")) as server,
        pytest.raises(UserError, match="no git repository"),
    ):
        source.fetch(f"{server}/page", private=True)


def test_user_and_password_are_sent_and_their_lack_is_said(repository: Path) -> None:
    backend = git_backend(repository.parent)
    given = "Basic " + base64.b64encode(b"ann:pa:ss").decode()

    def locked(request: BaseHTTPRequestHandler) -> None:
        if request.headers.get("Authorization") == given:
            backend(request)
        else:
            reply(request, b"", status=401, WWW_Authenticate="Basic realm=x")

    with serving(locked) as server:
        address = f"{server}/recipes/.git"
        assert source.fetch(address, user="ann", password="pa:ss", private=True).tree == FILES
        for secret, words in {"": "wants a user", "wrong-one": "did not accept"}.items():
            with pytest.raises(UserError, match=words) as caught:
                source.fetch(address, user="ann", password=secret, private=True)
            assert caught.value.field == "password"
            assert "wrong-one" not in str(caught.value)


def test_a_password_does_not_follow_a_redirect_to_another_server(repository: Path) -> None:
    seen: list[str | None] = []
    backend = git_backend(repository.parent)

    def other(request: BaseHTTPRequestHandler) -> None:
        seen.append(request.headers.get("Authorization"))
        backend(request)

    with serving(other) as elsewhere:
        to = elsewhere

        def moved(request: BaseHTTPRequestHandler) -> None:
            reply(request, b"", status=302, Location=to + request.path)

        with serving(moved) as server:
            assert source.fetch(f"{server}/recipes/.git", user="a", password="b", private=True).tree == FILES
    assert set(seen) == {None}


def test_a_server_that_drips_is_left_when_the_time_is_over() -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(600):
            try:
                request.wfile.write(f"X-{number}: y\r\n".encode())
            except OSError:
                return
            time.sleep(0.05)

    began = time.monotonic()
    with serving(drip) as server, pytest.raises(ProviderError, match="did not send everything"):
        source.fetch(f"{server}/slow", private=True, seconds=0.4)
    assert time.monotonic() - began < 5


def test_a_server_that_sends_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MOST_BYTES", 2**20)

    def flood(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "application/x-git-upload-pack-advertisement")
        request.end_headers()
        line = b"fff0" + b"a" * 0xFFEC
        try:
            while True:
                request.wfile.write(line)
        except OSError:
            return

    with serving(flood) as server, pytest.raises(UserError, match="more than 1 MB"):
        source.fetch(f"{server}/flood", private=True)


@pytest.mark.parametrize(
    "body", [b"", b"zzzz", b"0000", b"0004", b"000eversion 2\n0000", b"001e# service=git-upload-pack\n"]
)
def test_nonsense_is_a_sentence(body: bytes) -> None:
    kind = "application/x-git-upload-pack-advertisement"
    with serving(lambda request: reply(request, body, Content_Type=kind)) as server, pytest.raises(PlatformError):
        source.fetch(f"{server}/nonsense", private=True)


def entry(kind: int, size: int, data: bytes) -> bytes:
    head, rest = [kind << 4 | size & 15], size >> 4
    while rest:
        head[-1] |= 0x80
        head.append(rest & 0x7F)
        rest >>= 7
    return bytes(head) + data


def packed(*entries: bytes) -> bytes:
    body = b"PACK" + struct.pack(">LL", 2, len(entries)) + b"".join(entries)
    return body + hashlib.sha1(body).digest()  # noqa: S324 - git's own


def test_packs_that_would_grow_are_refused_before_they_do() -> None:
    bomb = entry(3, 2**40, zlib.compress(bytes(1000)))
    growing = entry(3, 4, zlib.compress(b"base")) + b""
    delta = b"\x04" + b"\xff\xff\xff\xff\x0f" + b"\x90\x04"
    with pytest.raises(UserError, match="more than 192 MB"):
        pack.opened(packed(bomb))
    with pytest.raises(UserError, match="more than 192 MB"):
        pack.opened(packed(growing, entry(6, len(delta), bytes([len(growing)]) + zlib.compress(delta))))
    with pytest.raises(UserError, match="more than 192 MB"):
        pack.opened(b"PACK" + struct.pack(">LL", 2, 2**31))


def test_numbers_without_end_are_a_broken_pack() -> None:
    with pytest.raises(pack.BrokenPack):
        pack.opened(packed(b"\xb0" + b"\x80" * 100_000))


def test_a_sound_pack_opens() -> None:
    store = pack.opened(packed(entry(3, 4, zlib.compress(b"base"))))
    assert [store[sha].as_raw_string() for sha in store] == [b"base"]
