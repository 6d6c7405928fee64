"""Logos: what counts as one, and fetching those that are elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dashboard.catalogs import logos
from dashboard.catalogs.logos import fetch, kind_of
from dashboard.models import Catalog
from platform_manager.catalogs.base import Logo
from tests import factories
from tests.catalog_pages.given_catalogs import Given, entry
from tests.catalogs.servers import drip, serving

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 40
SVG = b'<?xml version="1.0"?>\n<!-- c --><svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>'
BOMB = b'<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg">&b;</svg>'


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (SVG, "image/svg+xml"),
        (b"\x00\xff\x00", ""),
        (b"", ""),
        (b"<html><svg></svg></html>", ""),
        (b"<svg", ""),
        (BOMB, ""),
        (PNG + b"x" * 200_000, ""),
        (b"<!doctype html>", ""),
    ],
)
def test_only_pictures_that_browsers_draw_are_logos(data: bytes, kind: str) -> None:
    assert kind_of(data) == kind


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server: Server = self.server  # type: ignore[assignment]
        server.asked.append(self.path)
        body = server.pages.get(self.path)
        self.send_response(200 if body is not None else 404)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *anything: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    pages: dict[str, bytes]
    asked: list[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        server.pages, server.asked = (
            {"/a.png": PNG, "/b.svg": SVG, "/page": b"<html>", "/long": b"\x89PNG" * 90_000},
            [],
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_pictures_are_fetched_and_everything_else_is_left_out(server: Server) -> None:
    wanted = [f"{server.url}{path}" for path in ("/a.png", "/b.svg", "/page", "/long", "/none")]
    found = fetch([*wanted, "ftp://example.org/a.png", "http://127.0.0.1:1/", "http://["], private=True)
    assert dict(found) == {f"{server.url}/a.png": PNG, f"{server.url}/b.svg": SVG}


def test_private_addresses_are_not_asked(server: Server) -> None:
    assert fetch([f"{server.url}/a.png"], private=False) == []
    assert server.asked == []


def test_no_logo_is_waited_for_longer_than_allowed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logos, "LOGOS_SECONDS", 0)
    assert fetch([f"{server.url}/a.png"], private=True) == []


def test_a_server_that_says_a_byte_now_and_then_holds_no_worker(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logos, "LOGOS_SECONDS", 0.5)
    began = time.monotonic()
    with serving(drip) as url:
        found = fetch([f"{server.url}/a.png", f"{url}/b.png"], private=True)
    assert found == [(f"{server.url}/a.png", PNG)]
    assert time.monotonic() - began < 2.5


@pytest.mark.django_db
def test_a_logo_is_kept_while_its_address_is_the_same(server: Server) -> None:
    catalog = factories.catalog(private=True)

    def logo_after(commit: str, address: str) -> bytes:
        Given((entry("web", logo=Logo(address=address)),), commit).refreshed(Catalog.objects.get(pk=catalog.pk))
        return bytes(catalog.recipes.get().logo or b"")

    assert logo_after("c1", f"{server.url}/a.png") == PNG
    server.pages["/a.png"] = SVG
    assert logo_after("c2", f"{server.url}/a.png") == PNG
    assert logo_after("c3", f"{server.url}/b.svg") == SVG
    assert logo_after("c4", f"{server.url}/none") == b""
    assert server.asked == ["/a.png", "/b.svg", "/none"]
