"""Requests to addresses that users give."""

from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import requests
from urllib3.exceptions import HTTPError

from platform_manager import outgoing, reachable
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


@contextmanager
def addresses(*, dead: int, live: bool) -> Iterator[int]:
    """A port at which the first addresses of a name accept nobody; the last answers. Only Linux drops so."""
    with ExitStack() as stack:
        server = stack.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Neighbour))
        found = [f"127.0.0.{n}" for n in range(2, 2 + dead)]
        for address in found:
            listener = stack.enter_context(socket.create_server((address, server.server_port), backlog=0))
            # The one that may wait for being accepted; to all others nobody answers.
            stack.enter_context(socket.create_connection(listener.getsockname()))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.shutdown)
        named = [*found, "127.0.0.1"] if live else found
        places = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, server.server_port)) for one in named]
        plain = socket.getaddrinfo

        def look_up(host: str, *args: Any, **kwargs: Any) -> Any:
            return places if host == "many.example.org" else plain(host, *args, **kwargs)

        stack.enter_context(pytest.MonkeyPatch.context()).setattr(socket, "getaddrinfo", look_up)
        yield server.server_port


@pytest.mark.parametrize("seconds", [None, 20.0])
def test_the_addresses_of_a_name_share_the_time_of_one_connection(seconds: float | None) -> None:
    with addresses(dead=6, live=False) as port, outgoing.session(private=True, seconds=seconds) as session:
        began = time.monotonic()
        with pytest.raises(requests.ConnectTimeout):
            session.get(f"http://many.example.org:{port}/", timeout=0.5)
    assert time.monotonic() - began < 1.5


def test_an_address_that_answers_is_found_behind_dead_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "LEAST_SECONDS", 0.1)
    with addresses(dead=3, live=True) as port, outgoing.session(private=True) as session:
        assert session.get(f"http://many.example.org:{port}/", timeout=1).text == "ok"


def test_connecting_ends_with_the_time_for_all_requests() -> None:
    with addresses(dead=2, live=False) as port, outgoing.session(private=True, seconds=0.3) as session:
        began = time.monotonic()
        with pytest.raises(requests.RequestException):
            session.get(f"http://many.example.org:{port}/", timeout=10)
    assert time.monotonic() - began < 3


def test_one_address_inside_among_those_of_a_name_is_enough_to_refuse_it(neighbour: str) -> None:
    with addresses(dead=1, live=True) as port, outgoing.session(private=False) as session:
        with pytest.raises(requests.ConnectionError) as caught:
            session.get(f"http://many.example.org:{port}/", timeout=5)
        assert outgoing.is_forbidden(caught.value)
    assert Neighbour.asked == 0


INSIDE = """127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 0.0.0.0 ::1 fe80::1%eth0 fd00::1
::ffff:10.0.0.1 2002:7f00:1:: 64:ff9b::10.0.0.1 224.0.0.1 100.64.0.1 nonsense"""


@pytest.mark.parametrize("address", INSIDE.split())
def test_addresses_that_nobody_may_reach(address: str) -> None:
    assert not reachable.may_be_reached(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_addresses_of_the_internet(address: str) -> None:
    assert reachable.may_be_reached(address)
