"""Requests to addresses that users give: clouds, catalogs, logos.

They may not reach what only this machine and its neighbours can: loopback, link-local and private addresses, unless
the operator allows it. The address that counts is the one the connection was really made to, so neither a
redirect nor a name that changes its address between two looks gets past.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError

POOL = 32


class Forbidden(NewConnectionError):
    """The address is one that users may not reach."""


def may_be_reached(address: str) -> bool:
    """Whether an IP address is one of the public internet."""
    try:
        found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or found.sixtofour or found
    return found.is_global and not found.is_multicast


class _Guarded(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(self, super()._new_conn())


class _GuardedTls(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(self, super()._new_conn())


def _checked(connection: HTTPConnection, made: socket.socket) -> socket.socket:
    """The socket, before anything was sent; closed and refused when it leads to where nobody may."""
    address = str(made.getpeername()[0])
    if may_be_reached(address):
        return made
    made.close()
    raise Forbidden(connection, f"{connection.host} is at {address}, which is not a public address.")


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Guarded


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedTls


class GuardedAdapter(HTTPAdapter):
    """Sends requests to public addresses only."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


def session(*, private: bool) -> requests.Session:
    """A session that takes nothing from its environment (proxies, .netrc); ``private``: may go anywhere."""
    made = requests.Session()
    made.trust_env = False
    adapter = (HTTPAdapter if private else GuardedAdapter)(pool_maxsize=POOL)
    for scheme in ("http://", "https://"):
        made.mount(scheme, adapter)
    return made


def is_forbidden(error: BaseException | None) -> bool:
    """Whether a request failed because its address may not be reached."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, Forbidden):
            return True
        inner = next((arg for arg in error.args if isinstance(arg, BaseException)), None)
        error = getattr(error, "reason", None) or inner or error.__cause__ or error.__context__
    return False
