"""Addresses, archives and folders as sources of catalogs."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import stat
import tarfile
import time
import zipfile
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from servers import reply, serving

from platform_manager.catalogs.sources import address, archive, folder, gathering
from platform_manager.errors import PlatformError, ProviderError, UserError

FILES = {"readme.md": b"# Recipes\n", "web/docker-compose.yml": b"services: {}\n"}


def zipped(files: dict[str, bytes], top: str = "") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for path, data in files.items():
            file.writestr(top + path, data)
    return made.getvalue()


def tarred(files: dict[str, bytes], top: str = "", *members: tarfile.TarInfo) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as file:
        for path, data in files.items():
            entry = tarfile.TarInfo(top + path)
            entry.size = len(data)
            file.addfile(entry, io.BytesIO(data))
        for member in members:
            file.addfile(member)
    return made.getvalue()


@pytest.mark.parametrize("top", ["", "recipes-main/", "./"])
def test_archives_of_each_kind_hold_the_same_files(top: str) -> None:
    tar = tarred(FILES, top)
    for data in (zipped(FILES, top), tar, gzip.compress(tar), lzma.compress(tar)):
        assert archive.unpacked(data, "upload") == FILES


def test_a_folder_of_an_archive_can_be_named() -> None:
    data = zipped(FILES, "recipes-main/")
    assert archive.read(data, "a.zip", folder="web").tree == {"docker-compose.yml": b"services: {}\n"}
    with pytest.raises(UserError, match="no folder 'gone'"):
        archive.read(data, "a.zip", folder="gone")


def test_a_lone_list_or_compose_file_is_a_tree_of_itself() -> None:
    assert archive.unpacked(b"[]", "C:\\lists\\templates.json") == {"templates.json": b"[]"}


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a/../../b", "C:/x", "a\\b", "a/.git/config"])
def test_paths_that_lead_outside_are_left_out_and_named(path: str) -> None:
    for data in (zipped({**FILES, path: b"x"}), tarred({**FILES, path: b"x"})):
        fetched = archive.read(data, "upload")
        assert fetched.tree == FILES
        assert len(fetched.skipped) == 1


def test_links_and_devices_are_left_out_and_named() -> None:
    members = []
    for name, kind in {"link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE, "null": tarfile.CHRTYPE}.items():
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, "/etc/passwd"
        members.append(member)
    fetched = archive.read(tarred(FILES, "", *members), "a.tar")
    assert fetched.tree == FILES
    assert {line.path for line in fetched.skipped} == {"link", "hard", "null"}

    made = io.BytesIO(zipped(FILES))
    with zipfile.ZipFile(made, "a") as file:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
    fetched = archive.read(made.getvalue(), "a.zip")
    assert fetched.tree == FILES
    assert [line.path for line in fetched.skipped] == ["link"]


def test_bombs_are_stopped_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_UNPACKED", 2**20)
    monkeypatch.setattr(gathering, "MOST_BYTES", 2**20)
    zeros = {f"f{number}": bytes(2**19) for number in range(8)}
    tar = tarred(zeros)
    for data in (zipped(zeros), gzip.compress(tar), lzma.compress(tar)):
        assert len(data) < 2**16
        with pytest.raises(UserError, match="more than 1 MB"):
            archive.read(data, "bomb")


def test_one_large_file_does_not_cost_the_others() -> None:
    files = {**FILES, "large.bin": bytes(2**20 + 1)}
    for data in (zipped(files), gzip.compress(tarred(files))):
        fetched = archive.read(data, "upload")
        assert fetched.tree == FILES
        assert [line.path for line in fetched.skipped] == ["large.bin"]


def test_what_is_too_large_is_not_unpacked_at_all() -> None:
    """A small archive may hold thousands of such: what is broken in one is never seen."""
    data = bytearray(zipped({**FILES, "large.bin": bytes(2**20 + 1)}))
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        start = file.getinfo("large.bin").header_offset + 30 + len("large.bin")
    data[start : start + 8] = b"\xff" * 8

    fetched = archive.read(bytes(data), "a.zip")

    assert fetched.tree == FILES
    assert [line.path for line in fetched.skipped] == ["large.bin"]


def test_where_nothing_can_be_used_the_reason_is_told() -> None:
    large = b"#" * (gathering.MOST_FILE_BYTES + 1)
    for data, name in ((large, "list.json"), (zipped({"a/list.json": large}), "a.zip")):
        with pytest.raises(UserError, match=r"No file can be used\. .*list\.json: It is larger than 1 MB"):
            archive.read(data, name)


def test_too_many_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MOST_SEEN", 10)
    many = {f"f{number}": b"" for number in range(11)}
    for data in (zipped(many), tarred(many)):
        with pytest.raises(UserError, match="more than 10"):
            archive.read(data, "upload")


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.exe"])
def test_what_is_no_archive_is_refused_at_its_field(name: str) -> None:
    sound = {"a.zip": zipped(FILES), "a.tar.gz": gzip.compress(tarred(FILES))}.get(name, b"")
    for data in (b"", b"nonsense", sound[: len(sound) // 2], b"PK\x03\x04", b"\x1f\x8b", b"\xfd7zXZ\x00"):
        with pytest.raises(UserError) as caught:
            archive.read(data, name)
        assert caught.value.field == "upload"


def test_what_lies_at_an_address_comes_with_the_password_that_is_asked_for() -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        known = request.headers.get("Authorization") == "Basic YTpi"
        reply(request, b"[]" if known else b"", status=200 if known else 401)

    with serving(answer) as server:
        assert address.get(f"{server}/t.json", user="a", password="b", private=True) == b"[]"
        with pytest.raises(UserError, match="wants a user"):
            address.get(f"{server}/t.json", private=True)


def test_private_addresses_are_refused() -> None:
    with serving(lambda request: reply(request, b"[]")) as server, pytest.raises(UserError, match="private address"):
        address.get(server)


@pytest.mark.parametrize(
    ("status", "words"), [(404, "nothing at this address"), (500, "status 500"), (403, "user and a password")]
)
def test_other_answers_are_sentences(status: int, words: str) -> None:
    with serving(lambda request: reply(request, b"x", status=status)) as server, pytest.raises(PlatformError) as caught:
        address.get(server, private=True)
    assert words in str(caught.value)


def test_redirects_without_end_are_left() -> None:
    with (
        serving(lambda request: reply(request, b"", status=302, Location="/again")) as server,
        pytest.raises(UserError, match="without end"),
    ):
        address.get(server, private=True)


def test_nobody_there_and_no_such_name_are_sentences() -> None:
    with pytest.raises(ProviderError, match="could not be reached"):
        address.get("http://127.0.0.1:1/", private=True)
    with pytest.raises(UserError, match="No server named"):
        address.get("http://nowhere.invalid/", private=True)


def test_endless_and_dripping_answers_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "MOST_BYTES", 2**20)
    monkeypatch.setattr(address, "SECONDS", 0.4)

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        try:
            while True:
                request.wfile.write(b"a" * (2**16 if request.path == "/flood" else 1))
                if request.path != "/flood":
                    time.sleep(0.02)
        except OSError:
            return

    with serving(answer) as server:
        with pytest.raises(UserError, match="more than 1 MB"):
            address.get(f"{server}/flood", private=True)
        with pytest.raises(ProviderError, match="seconds"):
            address.get(f"{server}/drip", private=True)


def test_a_folder_is_read_without_what_links_lead_to(tmp_path: Path) -> None:
    top = tmp_path / "recipes"
    (top / "web").mkdir(parents=True)
    for path, data in FILES.items():
        (top / path).write_bytes(data)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("s")
    (top / "link").symlink_to("/etc/passwd")
    (top / "folder").symlink_to(tmp_path / "outside")
    os.mkfifo(top / "pipe")
    fetched = folder.read(top)
    assert fetched.tree == FILES
    assert {line.path for line in fetched.skipped} == {"link", "folder"}


def test_a_folder_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "gone", tmp_path / "file"):
        with pytest.raises(UserError) as caught:
            folder.read(path)
        assert caught.value.field == "address"
