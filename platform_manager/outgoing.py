"""Requests to addresses that users give: clouds, catalogs, logos.

They may not reach what only this machine and its neighbours can: loopback, link-local and private addresses, unless
the operator allows it. The address that counts is the one the connection was really made to, so neither a
redirect nor a name that changes its address between two looks gets past. Where all goes through a proxy, the proxy
looks up names and has to guard what they lead to: names and addresses that speak for themselves are refused here.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import (
    BaseHTTPResponse,
    HTTPConnectionPool,
    HTTPSConnectionPool,
    PoolManager,
    ProxyManager,
    Retry,
    Timeout,
)
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    LocationParseError,
    LocationValueError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
)
from urllib3.util import parse_url
from urllib3.util.connection import allowed_gai_family, create_connection

from platform_manager.errors import UserError
from platform_manager.reachable import is_inside, may_be_reached

POOL = 32
# For all addresses of a name together, and the least for each.
CONNECT_SECONDS = 10
LEAST_SECONDS = 1.0
READ_SECONDS = 20
REDIRECTS = 3
MOST_BYTES = 32 * 2**20
CHUNK_BYTES = 64 * 2**10


class Forbidden(NewConnectionError):
    """The address is one that users may not reach."""


class ForbiddenName(requests.ConnectionError):
    """The same, of a name or literal address that a proxy would have been asked for."""


class TooLong(requests.RequestException):
    """The answer is longer than :data:`MOST_BYTES`."""


def _connect(connection: HTTPConnection, private: bool, deadline: Deadline | None) -> socket.socket:
    """A socket to the first address of its name that answers, before anything was sent.

    All addresses together have the time of one connection: a name may have any number of dead ones. Each gets an
    equal share of what is left, so that one that answers is found behind them.
    """
    addresses = _addresses(connection)
    if not private:
        # Before connecting: whether anybody listens at a neighbour's port is nobody's business either.
        for address in addresses:
            _check_address(connection, address)
    timeout = Timeout.resolve_default_timeout(connection.timeout)
    seconds = min(CONNECT_SECONDS if timeout is None else timeout, deadline.left if deadline else CONNECT_SECONDS)
    made = _first(connection, addresses, seconds)
    made.settimeout(timeout)
    if not private:
        _check_peer(connection, made)
    return deadline.admit(connection, made) if deadline else made


def _is_refused(url: str) -> bool:
    """Whether a proxy is not asked for it. A user in it has no use, but that proxies may read another host there."""
    parts = parse_url(url)
    return parts.auth is not None or is_inside(parts.host or "")


def _addresses(connection: HTTPConnection) -> list[str]:
    host = connection._dns_host.strip("[]")
    try:
        found = socket.getaddrinfo(host, connection.port, allowed_gai_family(), socket.SOCK_STREAM)
    except UnicodeError:
        raise LocationParseError(f"'{host}', label empty or too long") from None
    except socket.gaierror as error:
        raise NameResolutionError(connection.host, connection, error) from error
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


def _first(connection: HTTPConnection, addresses: list[str], seconds: float) -> socket.socket:
    ends, failure = time.monotonic() + seconds, OSError("no address")
    for number, address in enumerate(addresses):
        left = ends - time.monotonic()
        if left <= 0:
            break
        share = min(left, max(left / (len(addresses) - number), LEAST_SECONDS))
        place, options = (address, connection.port), connection.socket_options
        try:
            return create_connection(place, share, connection.source_address, options)
        except OSError as error:
            failure = error
    if isinstance(failure, TimeoutError):
        message = f"Connection to {connection.host} timed out. (connect timeout={seconds:g})"
        raise ConnectTimeoutError(connection, message) from failure
    raise NewConnectionError(connection, f"Failed to establish a new connection: {failure}") from failure


def _check_address(connection: HTTPConnection, address: str) -> None:
    if not may_be_reached(address):
        raise Forbidden(connection, f"{connection.host} is at {address}, which is not a public address.")


def _check_peer(connection: HTTPConnection, made: socket.socket) -> None:
    """Closed and refused when it leads to where nobody may."""
    try:
        _check_address(connection, str(made.getpeername()[0]))
    except Forbidden:
        made.close()
        raise


class Deadline:
    """Ends connections after so many seconds, also those whose server sends a byte now and then."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.over = False
        self._ends = time.monotonic() + seconds
        self._sockets: list[socket.socket] = []
        self._connections: list[HTTPConnection] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    @property
    def left(self) -> float:
        """Seconds."""
        return max(self._ends - time.monotonic(), 0.0)

    def admit(self, connection: HTTPConnection, made: socket.socket) -> socket.socket:
        """The socket, which ends with the time; TLS takes it over, so what is kept is a second handle on it."""
        with self._lock:
            if self.over:
                made.close()
                raise NewConnectionError(connection, f"{self.seconds:g} seconds are over.")
            self._sockets.append(made.dup())
            self._connections.append(connection)
        return made

    def close(self) -> None:
        self._timer.cancel()
        with self._lock:
            for handle in self._sockets:
                handle.close()
            # Libraries leave those open whose answers they did not want.
            for connection in self._connections:
                connection.close()
            self._sockets.clear()
            self._connections.clear()

    def _end(self) -> None:
        with self._lock:
            self.over = True
            for handle in self._sockets:
                with suppress(OSError):  # It has ended by itself.
                    handle.shutdown(socket.SHUT_RDWR)


class _Proxied(ProxyManager):
    """Refuses what may not be reached at each hop; the connections themselves go to the proxy."""

    private = False

    def urlopen(  # type: ignore[override]
        self, method: str, url: str, redirect: bool = True, **kw: Any
    ) -> BaseHTTPResponse:
        if not self.private and _is_refused(url):
            raise ForbiddenName("This is no public address.")
        return super().urlopen(method, url, redirect=redirect, **kw)


@contextmanager
def pool_manager(*, private: bool, seconds: float, proxy: str = "") -> Iterator[tuple[PoolManager, Deadline]]:
    """For libraries that speak HTTP through urllib3: guarded as a session is, redirects too, over in ``seconds``.

    ``proxy`` is the address of an HTTP proxy that everything goes through.
    """
    deadline = Deadline(seconds)
    words: dict[str, Any] = {
        "retries": Retry(total=REDIRECTS, redirect=REDIRECTS, connect=0, read=0, other=0, raise_on_redirect=True),
        "timeout": Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        "ca_certs": DEFAULT_CA_BUNDLE_PATH,
        "cert_reqs": "CERT_REQUIRED",
    }
    pools = _Proxied(proxy, **words) if proxy else PoolManager(**words)
    if isinstance(pools, _Proxied):
        pools.private = private
    pools.pool_classes_by_scheme = _pools(private or bool(proxy), deadline)
    try:
        yield pools, deadline
    finally:
        pools.clear()
        deadline.close()


def _pools(private: bool, deadline: Deadline | None) -> dict[str, type[HTTPConnectionPool]]:
    class Connection(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _connect(self, private, deadline)

    class TlsConnection(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _connect(self, private, deadline)

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = TlsConnection

    return {"http": Pool, "https": TlsPool}


class _Adapter(HTTPAdapter):
    """Connects within :data:`CONNECT_SECONDS`, also where an answer may take longer."""

    def __init__(
        self,
        private: bool,
        trust: ssl.SSLContext | None,
        retries: Retry | int,
        deadline: Deadline | None,
        proxied: bool,
    ) -> None:
        self._private = private
        self._trust = trust
        self._deadline = deadline
        self._proxied = proxied
        super().__init__(pool_maxsize=POOL, max_retries=retries)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        if self._trust is not None:
            kwargs["ssl_context"] = self._trust
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self._private, self._deadline)

    def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> Any:
        if self._trust is not None:
            kwargs["ssl_context"] = self._trust
        manager = super().proxy_manager_for(proxy, **kwargs)
        if self._deadline is not None:
            manager.pool_classes_by_scheme = _pools(True, self._deadline)
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        if self._proxied and not self._private and _is_refused(request.url or ""):
            raise ForbiddenName("This is no public address.", request=request)
        seconds = kwargs.get("timeout")
        if isinstance(seconds, int | float):
            kwargs["timeout"] = (min(seconds, CONNECT_SECONDS), seconds)
        try:
            response = super().send(request, *args, **kwargs)
        except LocationValueError as error:
            # A name with a part that is too long for one is only found when it is looked up.
            raise requests.exceptions.InvalidURL(str(error), request=request) from error
        if self._deadline is not None and self._deadline.over:
            # A connection that was ended looks like the end of an answer.
            response.close()
            raise requests.Timeout(f"{self._deadline.seconds:g} seconds are over.", request=request)
        if response.is_redirect:
            # Who follows it would read what comes with it to its end, however far that is.
            response.close()
            vars(response).update(_content=b"", _content_consumed=True)
        return response


class _Session(requests.Session):
    """Reads answers up to :data:`MOST_BYTES`: whose server it is, nobody knows."""

    deadline: Deadline | None = None

    def close(self) -> None:
        super().close()
        if self.deadline is not None:
            self.deadline.close()

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        if kwargs.get("stream"):
            return super().send(request, **kwargs)
        response = super().send(request, **{**kwargs, "stream": True})
        body = bytearray()
        for chunk in response.iter_content(CHUNK_BYTES):
            body += chunk
            if len(body) > MOST_BYTES:
                response.close()
                raise TooLong("The answer is too long.", request=request)
        response._content = bytes(body)
        return response


def session(
    *, private: bool, ca: str = "", retries: Retry | int = 0, seconds: float | None = None, proxy: str = ""
) -> requests.Session:
    """A session that takes nothing from its environment (proxies, .netrc); ``private``: may go anywhere.

    ``ca`` is a bundle in PEM that counts besides the public ones. UserError where it is none. ``seconds`` are for all
    requests together: a timeout of a request is only one of each read. ``proxy`` is the address of an HTTP proxy that
    everything goes through.
    """
    trust = _trust(ca) if ca else None
    made = _Session()
    made.trust_env = False
    made.deadline = Deadline(seconds) if seconds is not None else None
    if proxy:
        made.proxies = {"http": proxy, "https": proxy}
    adapter = _Adapter(private, trust, retries, made.deadline, bool(proxy))
    for scheme in ("http://", "https://"):
        made.mount(scheme, adapter)
    return made


def _trust(ca: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=ca)
    except (ssl.SSLError, ValueError):
        raise UserError("The CA bundle holds no certificate in PEM form (-----BEGIN CERTIFICATE-----).", "ca") from None


def is_forbidden(error: BaseException | None) -> bool:
    """Whether a request failed because its address may not be reached."""
    return caused_by(error, Forbidden) or caused_by(error, ForbiddenName)


def is_of_proxy(error: BaseException | None) -> bool:
    """Whether a request failed at the proxy: nobody answers there, or it does not let it through."""
    return caused_by(error, ProxyError) or caused_by(error, requests.exceptions.ProxyError)


def caused_by(error: BaseException | None, kind: type[BaseException]) -> bool:
    """Whether an error of this kind is behind the error, whichever way libraries wrapped it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, kind):
            return True
        inside = [getattr(error, "reason", None), *error.args, error.__cause__, error.__context__]
        error = next((one for one in inside if isinstance(one, BaseException)), None)
    return False
