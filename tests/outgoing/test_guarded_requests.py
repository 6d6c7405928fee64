"""Requests to addresses that users give."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator

import pytest
import requests
from urllib3.exceptions import HTTPError

from platform_manager import outgoing
from tests.catalogs.servers import drip, reply, serving
from tests.support.lab import until


class Neighbour(http.server.BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def neighbour() -> Iterator[str]:
    Neighbour.asked = 0
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Neighbour) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_neighbour_is_not_asked_whatever_name_it_has(neighbour: str) -> None:
    with outgoing.session(private=False) as session:
        for address in (neighbour, neighbour.replace("localhost", "127.0.0.1")):
            with pytest.raises(requests.ConnectionError) as caught:
                session.get(address, timeout=5)
            assert outgoing.is_forbidden(caught.value)
    assert Neighbour.asked == 0


def test_an_operator_may_allow_neighbours(neighbour: str) -> None:
    with outgoing.session(private=True) as session:
        assert session.get(neighbour, timeout=5).text == "ok"


def test_libraries_on_urllib3_are_kept_from_neighbours_too(neighbour: str) -> None:
    with outgoing.pool_manager(private=False, seconds=5) as (pools, _), pytest.raises(HTTPError) as caught:
        pools.request("GET", neighbour)
    assert outgoing.is_forbidden(caught.value)
    assert Neighbour.asked == 0
    with outgoing.pool_manager(private=True, seconds=5) as (pools, _):
        assert pools.request("GET", neighbour).data == b"ok"


def test_nothing_is_asked_once_the_time_is_over(neighbour: str) -> None:
    with outgoing.pool_manager(private=True, seconds=0.01) as (pools, deadline):
        until(lambda: deadline.over, what="the time is over")
        with pytest.raises(HTTPError):
            pools.request("GET", neighbour)
    assert Neighbour.asked == 0


def test_nobody_there_is_not_taken_for_forbidden() -> None:
    with outgoing.session(private=True) as session, pytest.raises(requests.ConnectionError) as caught:
        session.get("http://127.0.0.1:1/", timeout=5)
    assert not outgoing.is_forbidden(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.1", "2130706433"])
def test_whether_anybody_listens_at_a_neighbour_is_not_told(host: str) -> None:
    with outgoing.session(private=False) as session, pytest.raises(requests.ConnectionError) as caught:
        session.get(f"http://{host}:1/", timeout=5)
    assert outgoing.is_forbidden(caught.value)


@pytest.mark.parametrize("private", [True, False])
def test_a_name_that_none_can_have_is_an_error_of_requests(private: bool) -> None:
    with outgoing.session(private=private) as session, pytest.raises(requests.RequestException):
        session.get(f"http://{'a' * 70}.example.org/", timeout=5)


def test_what_comes_with_a_redirect_is_not_read() -> None:
    sent = 0

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        nonlocal sent
        if request.path == "/there":
            reply(request, b"ok")
            return
        request.send_response(302)
        request.send_header("Location", "/there")
        request.end_headers()
        try:
            while sent < 400 * 2**20:
                sent += request.wfile.write(b"x" * 2**20)
        except OSError:
            return

    with serving(answer) as url, outgoing.session(private=True) as session:
        for stream in (True, False):
            assert session.get(f"{url}/here", timeout=5, stream=stream).text == "ok"
    assert sent < 50 * 2**20


def test_a_session_with_a_time_ends_servers_that_say_a_byte_now_and_then() -> None:
    began = time.monotonic()
    with (
        serving(drip) as url,
        outgoing.session(private=True, seconds=0.3) as session,
        pytest.raises(requests.RequestException),
    ):
        session.get(url, timeout=5)
    assert time.monotonic() - began < 2


def test_a_session_with_a_time_is_kept_from_neighbours_too(neighbour: str) -> None:
    with outgoing.session(private=False, seconds=5) as session, pytest.raises(requests.ConnectionError) as caught:
        session.get(neighbour, timeout=5)
    assert outgoing.is_forbidden(caught.value)
    assert Neighbour.asked == 0


INSIDE = """127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 0.0.0.0 ::1 fe80::1%eth0 fd00::1
::ffff:10.0.0.1 2002:7f00:1:: 64:ff9b::10.0.0.1 224.0.0.1 100.64.0.1 nonsense"""


@pytest.mark.parametrize("address", INSIDE.split())
def test_addresses_that_nobody_may_reach(address: str) -> None:
    assert not outgoing.may_be_reached(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_addresses_of_the_internet(address: str) -> None:
    assert outgoing.may_be_reached(address)
