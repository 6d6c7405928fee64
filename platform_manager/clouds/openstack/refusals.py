"""What a cloud's refusals mean, as sentences; raw answers never reach a person.

An answer may echo the request, user data with its token included, so of an unknown one only its status is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
from keystoneauth1 import exceptions as keystone
from openstack import exceptions as sdk
from urllib3.exceptions import ReadTimeoutError

from platform_manager.errors import PlatformError, ProviderError, UserError
from platform_manager.outgoing import caused_by, is_forbidden

from .rules import RULES

SIGN_IN = (
    "The cloud refused to sign in: the user, the password, the project or a domain is wrong, or the user has no role "
    "in the project. The cloud does not say which."
)
EXPIRED = "The password has expired: set a new one in the cloud's own console, then enter it here."
LOCKED = "The cloud has locked this user for now, usually after wrong passwords. Wait, or ask the cloud's operator."
CREDENTIAL = "The cloud refused the application credential: its id or secret is wrong, or it has expired."
STALE = "The cloud no longer accepts this account: enter its password or credential anew."
NO_ANSWER = "The cloud at {host} does not answer: check the auth URL, and that this platform can reach it."
NO_ANSWER_ELSEWHERE = "The cloud's own catalog leads to {host}, which does not answer."
PRIVATE = (
    "{host} has an address that is not public. An operator can allow such clouds with the setting PM_PRIVATE_CLOUDS."
)
CERTIFICATE = "The certificate of {host} is signed by nobody this platform knows: add the cloud's CA bundle."
OTHER_NAME = "The certificate of {host} is for another name: use the name that the cloud's operator gives."
OLD_CERTIFICATE = "The certificate of {host} has expired: ask the cloud's operator to renew it."
NO_TLS = "{host} speaks no TLS there, or an outdated one: check whether the URL begins with http:// or https://."
NOT_KEYSTONE = "There is no OpenStack identity service at {host}: the auth URL usually ends with :5000/v3."
NO_SERVICE = "The cloud has no {service} service in the region {region}: choose another region."
SLOW = "The cloud did not answer in time. It may have done what it was asked: the next try looks before it acts."
FAILING = "The cloud's {service} service fails at the moment (status {status}). Try again later."
BUSY = "The cloud asks to be asked less often. Try again later."
NONSENSE = "The cloud's answer makes no sense. Try again, or check the auth URL."
UNBUILT = "The cloud could not build the server, and does not say why. Try again."
BROKEN = "The cloud says that the server failed, and does not say why."

PORTS = {5000: "identity", 8774: "compute", 9696: "network", 9292: "image", 8776: "volume"}
PATHS = {"identity": "identity", "compute": "compute", "network": "network", "image": "image", "volume": "volume"}
ADDRESS = re.compile(r"https?://[^\s'\"<>]{1,200}")


class _Asked(NamedTuple):
    """Whom we asked: ``host`` is the one that failed, which a catalog may have led to."""

    host: str
    elsewhere: bool
    region: str
    credential: bool


def explain(error: Exception, *, host: str, region: str = "", credential: bool = False) -> PlatformError:
    """The failure of a call in words; ``host`` is the auth URL's."""
    failing = _host(error) or host
    asked = _Asked(failing, failing != host, region, credential)
    if is_forbidden(error):
        return UserError(PRIVATE.format(host=asked.host), "auth_url")
    for kinds, answer in _KINDS:
        if isinstance(error, kinds):
            return answer(error, asked)
    return _refused(error)


def explain_fault(message: str, *, built: bool = False) -> PlatformError:
    """Why a server ended in the state ERROR; ``message`` is its fault's, "" where the cloud tells none.

    ``built``: it ran before.
    """
    if not message.strip():
        return ProviderError(BROKEN if built else UNBUILT)
    if (known := _known(message)) is not None:
        return known
    told = " ".join(re.sub(r"Build of instance [0-9a-f-]{36} aborted:", "", message[:1_000]).split())[:200]
    what = "says that the server failed" if built else "could not build the server"
    return ProviderError(f"The cloud {what}: {told.rstrip('.')}.")


def _sign_in(error: Exception, asked: _Asked) -> PlatformError:
    told = str(error)
    if "is expired" in told:
        return UserError(EXPIRED, "password")
    if "is locked" in told:
        return UserError(LOCKED, "user")
    return UserError(CREDENTIAL, "credential_secret") if asked.credential else UserError(SIGN_IN, "password")


def _no_keystone(error: Exception, asked: _Asked) -> PlatformError:
    return UserError(NOT_KEYSTONE.format(host=asked.host), "auth_url")


def _untrusted(error: Exception, asked: _Asked) -> PlatformError:
    told = str(error)
    if "Hostname mismatch" in told or "doesn't match" in told or "not valid for" in told:
        return UserError(OTHER_NAME.format(host=asked.host), "auth_url")
    if "certificate has expired" in told:
        return UserError(OLD_CERTIFICATE.format(host=asked.host))
    if "CERTIFICATE_VERIFY_FAILED" in told:
        return UserError(CERTIFICATE.format(host=asked.host), "ca")
    return UserError(NO_TLS.format(host=asked.host), "auth_url")


def _silent(error: Exception, asked: _Asked) -> PlatformError:
    if any(caused_by(error, kind) for kind in (requests.ReadTimeout, ReadTimeoutError)):
        return ProviderError(SLOW)
    return ProviderError((NO_ANSWER_ELSEWHERE if asked.elsewhere else NO_ANSWER).format(host=asked.host))


def _unreadable(error: Exception, asked: _Asked) -> PlatformError:
    broken = caused_by(error, requests.exceptions.ChunkedEncodingError)
    return _silent(error, asked) if broken else ProviderError(NONSENSE)


def _no_service(error: Exception, asked: _Asked) -> PlatformError:
    services = ("compute", "network", "image", "volume", "block-storage")
    found = next((name for name in services if name in str(error)), "needed")
    return no_service(found.replace("block-storage", "volume"), asked.region)


def no_service(service: str, region: str) -> UserError:
    return UserError(NO_SERVICE.format(service=service, region=region or "of the account"), "region")


def _unidentified(error: Exception, asked: _Asked) -> PlatformError:
    """What else the identity service answers to a sign-in."""
    status = status_of(error)
    if status == 429:
        return ProviderError(BUSY)
    if status >= 500:
        return ProviderError(FAILING.format(service="identity", status=status))
    if status in (400, 403):
        return _sign_in(error, asked)
    return _no_keystone(error, asked)


def _refused(error: Exception) -> PlatformError:
    status = status_of(error)
    if (known := _known(_message(error))) is not None:
        return known
    if status == 429:
        return ProviderError(BUSY)
    if status >= 500:
        return ProviderError(FAILING.format(service=_service(error), status=status).replace("'s  service", ""))
    if status == 401:
        return UserError(STALE, "password")
    if status == 403:
        return UserError("The cloud does not allow this user to do that.")
    if status == 404:
        return UserError("The cloud says that it is not there (any more).")
    if status == 400:
        return ProviderError("The cloud does not take what was asked of it (status 400).", retryable=False)
    return ProviderError(f"The cloud refused it with status {status}." if status >= 300 else NONSENSE)


def _known(message: str) -> PlatformError | None:
    """What the cloud's own words mean."""
    for rule in RULES:
        if found := rule.words.search(message):
            sentence = rule.sentence.format(*found.groups())
            return ProviderError(sentence) if rule.retryable else UserError(sentence, rule.field)
    return None


def status_of(error: Exception) -> int:
    """The HTTP status of a refusal; 0 where there was none."""
    found: Any = getattr(error, "status_code", None) or getattr(error, "http_status", None)
    return found if isinstance(found, int) else 0


def _message(error: Exception) -> str:
    """The cloud's own words, cut: they are matched, never shown."""
    return " ".join(str(getattr(error, name, "") or "") for name in ("message", "details"))[:4_000]


def _address(error: Exception) -> str:
    """The URL that failed; libraries tell it in an attribute or among their words."""
    url = str(getattr(error, "url", "") or "")
    found = ADDRESS.search(url or str(error)[:1_000])
    return found.group() if found else ""


def _host(error: Exception) -> str:
    try:
        return urlsplit(_address(error)).hostname or ""
    except ValueError:
        return ""


def _service(error: Exception) -> str:
    """The service that failed, as far as its address tells; "" otherwise."""
    try:
        parts = urlsplit(_address(error))
        by_port = PORTS.get(parts.port or 0, "")
    except ValueError:
        return ""
    first = parts.path.strip("/").partition("/")[0]
    return by_port or PATHS.get(first, "")


_KINDS: list[tuple[tuple[type[Exception], ...], Callable[[Exception, _Asked], PlatformError]]] = [
    ((keystone.Unauthorized,), _sign_in),
    ((keystone.SSLError, requests.exceptions.SSLError), _untrusted),
    (
        (
            keystone.CatalogException,
            sdk.EndpointNotFound,
            sdk.ServiceDiscoveryException,
            sdk.ServiceDisabledException,
            sdk.NotSupported,
        ),
        _no_service,
    ),
    ((keystone.HttpError,), _unidentified),
    ((keystone.DiscoveryFailure, keystone.InvalidResponse), _no_keystone),
    ((keystone.UnknownConnectionError,), _unreadable),
    ((keystone.ConnectionError, requests.ConnectionError, requests.Timeout), _silent),
]
