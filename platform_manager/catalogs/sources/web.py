"""Visits to the addresses of catalogs, and what to say when one fails."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import SplitResult, urlsplit

from urllib3 import BaseHTTPResponse, PoolManager
from urllib3.exceptions import HTTPError, MaxRetryError, NameResolutionError

from platform_manager.errors import PlatformError, ProviderError, UserError
from platform_manager.outgoing import Deadline, caused_by, is_forbidden, is_of_proxy, pool_manager

CHUNK_BYTES = 64 * 2**10
MOST_ADDRESS = 1000


def checked(address: str) -> str:
    """The address itself; UserError when it is not of http or https, or holds a password."""
    parts = _split(address)
    if address != address.strip() or len(address) > MOST_ADDRESS or any(ord(c) < 33 or ord(c) == 127 for c in address):
        raise UserError("The address has spaces or is too long. Copy it once more.", "address")
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError("Give an address that starts with https:// or http://.", "address")
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise UserError("The address holds a user or password: give user and password in their own fields.", "address")
    return address


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    return parts


def host_of(address: str) -> str:
    """The server of an address, with its port."""
    parts = _split(address)
    return parts.netloc.rpartition("@")[2][:200] if parts else ""


class Budget:
    """What one visit may still read, whatever number of answers it comes in."""

    def __init__(self, most_bytes: int, deadline: Deadline) -> None:
        self.most_bytes = most_bytes
        self.deadline = deadline
        self._left = most_bytes

    def spend(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise UserError(
                f"The server sent more than {self.most_bytes // 2**20} MB. "
                "Use an address with the recipes alone, without pictures and programs."
            )
        return data


@contextmanager
def visit(
    address: str, *, private: bool, seconds: float, most_bytes: int, proxy: str = ""
) -> Iterator[tuple[PoolManager, Budget]]:
    """Pools to ask with and what may be read; failures come out as UserError or ProviderError."""
    with pool_manager(private=private, seconds=seconds, proxy=proxy) as (pools, deadline):
        try:
            yield pools, Budget(most_bytes, deadline)
        except PlatformError as error:
            # A connection that was ended looks like the end of an answer, and that like many a thing.
            if deadline.over:
                raise too_slow(address, deadline) from error
            raise
        except (HTTPError, OSError) as error:
            raise refusal(error, address, deadline) from error
        if deadline.over:
            raise too_slow(address, deadline)


def refusal(error: BaseException, address: str, deadline: Deadline) -> PlatformError:
    """What to say of a request without an answer."""
    host = host_of(address)
    if is_forbidden(error):
        return UserError(
            f"{host} leads to a private address, which is not allowed for catalogs. "
            "Use a public one, or ask the operator to allow it.",
            "address",
        )
    if deadline.over or caused_by(error, TimeoutError):
        return too_slow(address, deadline)
    if is_of_proxy(error):
        return ProviderError(
            f"The platform's proxy does not answer, or does not lead to {host}. Check the spelling of the address; "
            "an operator can look at the proxy (PM_CATALOG_PROXY) and at what it lets through."
        )
    if caused_by(error, NameResolutionError) or caused_by(error, socket.gaierror):
        return UserError(f"No server named {host} was found. Check the spelling of the address.", "address")
    if caused_by(error, ssl.SSLError):
        return ProviderError(f"{host} has a certificate that can't be trusted, or speaks no TLS. Check the address.")
    if isinstance(error, MaxRetryError) and "redirect" in str(error.reason):
        return UserError(f"{host} leads on to other addresses without end. Check the address.", "address")
    return ProviderError(f"{host} could not be reached, or ended the connection. Check the address, or try later.")


def too_slow(address: str, deadline: Deadline) -> ProviderError:
    return ProviderError(
        f"{host_of(address)} did not send everything in {deadline.seconds:g} seconds. "
        "Try again later, or use a smaller source."
    )


def check_status(response: BaseHTTPResponse, address: str, *, signed_in: bool) -> None:
    """PlatformError for an answer that is none."""
    host = host_of(address)
    if response.status in (401, 403):
        raise not_let_in(host, signed_in)
    if response.status in (404, 410):
        raise UserError(f"{host} has nothing at this address (404). Check its spelling.", "address")
    if response.status != 200:
        raise ProviderError(f"{host} answered with status {response.status}. Try again later, or check the address.")


def not_let_in(host: str, signed_in: bool) -> UserError:
    if signed_in:
        return UserError(f"{host} did not accept this user and password. Check both, or make a new token.", "password")
    return UserError(f"{host} wants a user and a password or token. Give them in their own fields.", "password")
