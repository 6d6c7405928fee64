"""Catalogs, logos and registries through an HTTP proxy, which alone can look up their names."""

from __future__ import annotations

import base64
import json
import ssl
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import requests
from servers import commit, drip, git_backend, reply, serving

from dashboard.catalogs import logos
from platform_manager import environ, outgoing, reachable
from platform_manager.catalogs.sources import address, git
from platform_manager.engines import registry
from platform_manager.errors import ProviderError, UserError
from tests.support.http_proxy import Proxy, proxying

HOST = "lists.example.org"
FILES = {"web/docker-compose.yml": b"services: {}\n"}
PNG = b"\x89PNG\r\n\x1a\nsmall"


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with proxying() as made:
        yield made


def test_a_list_comes_through_the_proxy_over_http_and_https(proxy: Proxy, trusted: ssl.SSLContext) -> None:
    for scheme, tls in (("http", None), ("https", trusted)):
        with serving(lambda request: reply(request, request.path.encode()), tls) as url:
            proxy.lead(HOST, url)
            assert address.get(f"{scheme}://{HOST}/t.json?ref=main", proxy=proxy.address) == b"/t.json?ref=main"
    assert proxy.asked == [f"GET http://{HOST}/t.json?ref=main", f"CONNECT {HOST}:443"]


def test_a_repository_comes_through_the_proxy_over_http_and_https(
    proxy: Proxy, trusted: ssl.SSLContext, tmp_path: Path
) -> None:
    known = commit(tmp_path / "recipes", FILES)
    for scheme, tls in (("http", None), ("https", trusted)):
        with serving(git_backend(tmp_path), tls) as url:
            proxy.lead(HOST, url)
            repository = f"{scheme}://{HOST}/recipes/.git"
            assert git.fetch(repository, proxy=proxy.address).tree == FILES
            assert git.remote_commit(repository, proxy=proxy.address) == known


def test_a_password_reaches_the_server_behind_the_proxy(proxy: Proxy) -> None:
    given = "Basic " + base64.b64encode(b"ann:pa:ss").decode()

    def locked(request: BaseHTTPRequestHandler) -> None:
        reply(request, b"[]", status=200 if request.headers.get("Authorization") == given else 401)

    with serving(locked) as url:
        proxy.lead(HOST, url)
        assert address.get(f"http://{HOST}/t.json", user="ann", password="pa:ss", proxy=proxy.address) == b"[]"


INSIDE = """127.0.0.1 127.0.0.1. 127.1 2130706433 0x7f000001 10.0.0.5 169.254.169.254 [::1] [::ffff:10.0.0.1] localhost
LOCALHOST localhost. a.localhost intranet metadata.cloud.internal printer.local"""


@pytest.mark.parametrize("host", INSIDE.split())
def test_what_speaks_for_itself_as_private_is_not_asked_of_the_proxy(proxy: Proxy, host: str) -> None:
    for ask in (address.get, git.fetch):
        with pytest.raises(UserError, match="private address") as caught:
            ask(f"http://{host}/x", proxy=proxy.address)
        assert caught.value.field == "address"
    with outgoing.session(private=False, proxy=proxy.address) as session, pytest.raises(requests.ConnectionError) as no:
        session.get(f"http://{host}/x", timeout=5)
    assert outgoing.is_forbidden(no.value)
    assert proxy.asked == []


@pytest.mark.parametrize("host", ["lists.example.org", "93.184.216.34", "[2606:2800:220:1:248:1893:25c8:1946]"])
def test_names_and_public_addresses_are_left_to_the_proxy(host: str) -> None:
    assert not reachable.is_inside(host)


@pytest.mark.parametrize("target", ["http://127.0.0.1/x", "http://localhost:8080/x", "http://a@lists.example.org/x"])
def test_a_redirect_does_not_lead_inside_either(proxy: Proxy, target: str) -> None:
    def away(request: BaseHTTPRequestHandler) -> None:
        reply(request, b"", status=302, Location=target)

    with serving(away) as url:
        proxy.lead(HOST, url)
        with pytest.raises(UserError, match="private address"):
            address.get(f"http://{HOST}/t.json", proxy=proxy.address)
        with outgoing.session(private=False, proxy=proxy.address) as session, pytest.raises(requests.ConnectionError):
            session.get(f"http://{HOST}/t.json", timeout=5)
    assert set(proxy.asked) == {f"GET http://{HOST}/t.json"}


def test_what_an_operator_allowed_goes_through_the_proxy_too(proxy: Proxy) -> None:
    with serving(lambda request: reply(request, b"[]")) as url:
        proxy.lead("127.0.0.1", url)
        assert address.get(f"{url}/t.json", private=True, proxy=proxy.address) == b"[]"
    assert proxy.asked == [f"GET {url}/t.json"]


def test_a_proxy_that_is_away_or_refuses_is_named_with_its_setting(proxy: Proxy) -> None:
    for at in (proxy.address, "http://127.0.0.1:1"):
        for ask in (address.get, git.fetch):
            with pytest.raises(ProviderError, match=r"lists\.example\.org.*PM_CATALOG_PROXY"):
                ask(f"https://{HOST}/t.json", proxy=at)
        with pytest.raises(UserError, match=r"lists\.example\.org.*PM_CATALOG_PROXY"):
            registry.check(registry.Login(HOST, "ann", "pw"), private=False, proxy=at)


def test_time_is_over_behind_a_proxy_too(proxy: Proxy, trusted: ssl.SSLContext) -> None:
    began = time.monotonic()
    with serving(drip, trusted) as url:
        proxy.lead(HOST, url)
        with pytest.raises(ProviderError, match="did not send everything"):
            git.fetch(f"https://{HOST}/x", proxy=proxy.address, seconds=0.5)
    assert time.monotonic() - began < 3
    assert proxy.asked


def test_credentials_of_a_registry_are_tested_through_the_proxy(
    proxy: Proxy, trusted: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(tmp_path / "server.pem"))
    told = base64.b64encode(b"ann:right").decode()

    def answer(request: BaseHTTPRequestHandler) -> None:
        good = request.headers.get("Authorization") == f"Basic {told}"
        reply(request, json.dumps({}).encode(), status=200 if good else 401, WWW_Authenticate='Basic realm="x"')

    with serving(answer, trusted) as url:
        proxy.lead(HOST, url)
        registry.check(registry.Login(HOST, "ann", "right"), private=False, proxy=proxy.address)
        with pytest.raises(UserError, match="refused the user or the password"):
            registry.check(registry.Login(HOST, "ann", "wrong"), private=False, proxy=proxy.address)
    assert set(proxy.asked) == {f"CONNECT {HOST}:443"}


def test_logos_come_through_the_proxy(proxy: Proxy, settings: Any) -> None:
    settings.PM_CATALOG_PROXY = proxy.address
    with serving(lambda request: reply(request, PNG)) as url:
        proxy.lead(HOST, url)
        logo = f"http://{HOST}/logo.png"
        assert logos.fetch([logo, "http://127.0.0.1/logo.png"], private=False) == [(logo, PNG)]
    assert proxy.asked == [f"GET {logo}"]


@pytest.mark.parametrize(
    "value", ["proxy.example.org:3128", "https://p:1", "http://ann:s3cret@p:1", "http://p:1/x", "http://p"]
)
def test_a_setting_that_is_no_proxy_stops_the_start_without_a_password(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PM_CATALOG_PROXY", value)
    with pytest.raises(environ.BadSetting, match="PM_CATALOG_PROXY") as caught:
        environ.proxy("PM_CATALOG_PROXY")
    assert "s3cret" not in str(caught.value)
