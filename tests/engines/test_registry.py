"""Signing in at image registries, on a registry faked at HTTP."""

from __future__ import annotations

import json
import time
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_manager import environ
from platform_manager.engines.registry import DEFAULT_KEY, Login, auths, check, checked_server, server_of
from platform_manager.errors import UserError
from tests.catalogs.servers import drip, serving
from tests.engines.fake_registry import Registry, running


@pytest.fixture
def server() -> Iterator[str]:
    with running() as name:
        yield name


def refused(server: str, way: str, *, wrong: bool = False) -> UserError:
    Registry.way = way
    with pytest.raises(UserError) as caught:
        check(Login(server, "ann", "wrong" if wrong else "pässword"), private=True)
    return caught.value


@pytest.mark.parametrize("way", ["basic", "bearer", "open"])
def test_good_credentials_are_taken_whatever_way_the_registry_asks(server: str, way: str) -> None:
    Registry.way = way
    assert check(Login(server, "ann", "pässword"), private=True)


def test_a_file_without_certificates_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PM_REGISTRY_CA_FILE", str(tmp_path / "ca.crt"))
    for text in (None, "no certificate"):
        if text:
            (tmp_path / "ca.crt").write_text(text)
        with pytest.raises(environ.BadSetting, match=r"PM_REGISTRY_CA_FILE=.* is not a file"):
            environ.certificates("PM_REGISTRY_CA_FILE")


def test_a_registry_that_takes_anybody_proves_nothing(server: str) -> None:
    Registry.way = "careless"
    assert not check(Login(server, "ann", "pässword"), private=True)


@pytest.mark.parametrize("way", ["basic", "bearer", "open"])
def test_a_wrong_password_is_said_at_its_field(server: str, way: str) -> None:
    error = refused(server, way, wrong=True)
    assert error.field == "password"
    assert "refused the user or the password" in str(error)
    assert "wrong" not in str(error)


@pytest.mark.parametrize("way", ["page", "missing", "moved", "nonsense"])
def test_what_is_no_registry_is_called_so(server: str, way: str) -> None:
    error = refused(server, way)
    assert error.field == "server"
    assert "not an image registry" in str(error)


@pytest.mark.parametrize(("way", "words"), [("broken", "status 503"), ("busy", "less often")])
def test_a_registry_that_has_trouble_is_not_the_users_mistake(server: str, way: str, words: str) -> None:
    error = refused(server, way)
    assert error.field == ""
    assert words in str(error)


def test_a_registry_that_says_a_byte_now_and_then_holds_nobody() -> None:
    began = time.monotonic()
    with serving(drip) as url, pytest.raises(UserError, match="does not answer"):
        check(Login(url.removeprefix("http://"), "ann", "password"), private=True, seconds=0.3)
    assert time.monotonic() - began < 2


def test_a_name_that_no_server_can_have_is_said_at_its_field() -> None:
    with pytest.raises(UserError, match="does not answer") as caught:
        check(Login(f"{'a' * 70}.example.org", "ann", "password"), private=False)
    assert caught.value.field == "server"


def test_credentials_are_sent_on_to_no_address_without_tls(server: str) -> None:
    assert "https://" in str(refused(server, "elsewhere"))


def test_a_private_address_is_asked_only_where_the_operator_allows_it(server: str) -> None:
    with pytest.raises(UserError, match="PM_PRIVATE_REGISTRIES"):
        check(Login(server, "ann", "pässword"), private=False)
    assert Registry.seen == []


def test_a_registry_that_does_not_answer_is_named(server: str) -> None:
    with pytest.raises(UserError, match=r"127.0.0.1:1 does not answer"):
        check(Login("127.0.0.1:1", "ann", "x"), private=True)


def test_a_registry_without_tls_is_not_trusted(server: str) -> None:
    name = f"0.0.0.0:{server.partition(':')[2]}"
    with pytest.raises(UserError) as caught:
        check(Login(name, "ann", "pässword"), private=True)
    assert caught.value.field == "server"
    assert Registry.seen == []


@pytest.mark.parametrize(
    ("image", "server"),
    [
        ("whoami", "docker.io"),
        ("demo/whoami:1", "docker.io"),
        ("registry.example.org/demo/whoami:1", "registry.example.org"),
        ("registry.example.org:5000/whoami@sha256:abc", "registry.example.org:5000"),
        ("localhost/whoami", "localhost"),
    ],
)
def test_an_image_says_which_registry_it_comes_from(image: str, server: str) -> None:
    assert server_of(image) == server


def test_the_cli_is_given_only_what_the_images_need() -> None:
    logins = [
        Login("registry.example.org", "ann", "pw:1"),
        Login("docker.io", "bob", "x"),
        Login("other.org", "c", "y"),
    ]
    config = json.loads(auths(logins, ["registry.example.org/a", "whoami"]) or b"")
    assert set(config) == {"auths"}
    assert set(config["auths"]) == {"registry.example.org", DEFAULT_KEY}
    assert b64decode(config["auths"]["registry.example.org"]["auth"]) == b"ann:pw:1"
    assert auths(logins, ["elsewhere.org/a"]) is None


@pytest.mark.parametrize(
    ("typed", "server"),
    [
        ("Registry.Example.org", "registry.example.org"),
        ("https://registry.example.org:5000/", "registry.example.org:5000"),
        (DEFAULT_KEY, "docker.io"),
        ("docker.io", "docker.io"),
    ],
)
def test_a_server_is_named_as_images_name_it(typed: str, server: str) -> None:
    assert checked_server(typed) == server


@pytest.mark.parametrize("typed", ["", "two words", "registry.example.org/team/image", "user@host", "a:b:c", "-x.org"])
def test_what_is_no_server_is_refused_at_its_field(typed: str) -> None:
    with pytest.raises(UserError) as caught:
        checked_server(typed)
    assert caught.value.field == "server"


def test_a_login_never_shows_its_password() -> None:
    assert "s3cret" not in repr(Login("registry.example.org", "ann", "s3cret"))
