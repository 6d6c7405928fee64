"""What a cloud's refusals mean, as sentences; raw answers never reach a person.

An answer may echo the request, user data with its token included, so of an unknown one only its status is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import requests
from keystoneauth1 import exceptions as keystone
from openstack import exceptions as sdk

from platform_manager.errors import PlatformError, ProviderError, UserError
from platform_manager.outgoing import is_forbidden

from .rules import RULES

SIGN_IN = (
    "The cloud refused to sign in: the user, the password, the project or a domain is wrong, or the user has no role "
    "in the project. The cloud does not say which."
)
CREDENTIAL = "The cloud refused the application credential: its id or secret is wrong, or it has expired."
NO_ANSWER = "The cloud at {host} does not answer: check the auth URL, and that this platform can reach it."
PRIVATE = (
    "{host} has an address that is not public. An operator can allow such clouds with the setting PM_PRIVATE_CLOUDS."
)
CERTIFICATE = "The certificate of {host} is signed by nobody this platform knows: add the cloud's CA bundle."
NOT_KEYSTONE = "There is no OpenStack identity service at {host}: the auth URL usually ends with :5000/v3."
NO_SERVICE = "The cloud has no {service} service in the region {region}: choose another region."
SLOW = "The cloud did not answer in time. It may have done what it was asked: the next try looks before it acts."
FAILING = "The cloud's {service} service fails at the moment (status {status}). Try again later."


def explain(error: Exception, *, host: str, region: str = "", credential: bool = False) -> PlatformError:
    """The failure of a call in words; ``host`` is the auth URL's."""
    if is_forbidden(error):
        return UserError(PRIVATE.format(host=host), "auth_url")
    for kinds, answer in _KINDS:
        if isinstance(error, kinds):
            return answer(error, host, region, credential)
    return _refused(error)


def explain_fault(message: str) -> str:
    """Why a server ended in the state ERROR; ``message`` is its fault's, "" where the cloud tells none."""
    if not message.strip():
        return "The cloud could not build the server, and does not say why. Try again."
    for rule in RULES:
        if found := rule.words.search(message):
            return rule.sentence.format(*found.groups())
    told = " ".join(re.sub(r"Build of instance [0-9a-f-]{36} aborted:", "", message).split())[:200]
    return f"The cloud could not build the server: {told.rstrip('.')}."


def _sign_in(error: Exception, host: str, region: str, credential: bool) -> PlatformError:
    return UserError(CREDENTIAL, "credential_secret") if credential else UserError(SIGN_IN, "password")


def _field(sentence: str, field: str) -> Callable[[Exception, str, str, bool], PlatformError]:
    return lambda error, host, region, credential: UserError(sentence.format(host=host), field)


def _slow(error: Exception, host: str, region: str, credential: bool) -> PlatformError:
    return ProviderError(SLOW)


def _no_answer(error: Exception, host: str, region: str, credential: bool) -> PlatformError:
    return ProviderError(NO_ANSWER.format(host=host))


def _no_service(error: Exception, host: str, region: str, credential: bool) -> PlatformError:
    service = next((name for name in ("compute", "network", "image", "volume") if name in str(error)), "needed")
    return UserError(NO_SERVICE.format(service=service, region=region or "of the account"), "region")


def _refused(error: Exception) -> PlatformError:
    status = status_of(error)
    message = _message(error)
    for rule in RULES:
        if found := rule.words.search(message):
            sentence = rule.sentence.format(*found.groups())
            return ProviderError(sentence) if rule.retryable else UserError(sentence, rule.field)
    if status >= 500 or status == 429:
        return ProviderError(FAILING.format(service=_service(error), status=status))
    if status == 401:
        return UserError("The cloud no longer accepts this account: enter its password anew.", "password")
    if status == 403:
        return UserError("The cloud does not allow this user to do that.")
    if status == 404:
        return UserError("The cloud says that it is not there (any more).")
    return ProviderError(
        f"The cloud refused it with status {status}." if status else "The cloud's answer makes no sense."
    )


def status_of(error: Exception) -> int:
    """The HTTP status of a refusal; 0 where there was none."""
    found: Any = getattr(error, "status_code", None) or getattr(error, "http_status", None)
    return found if isinstance(found, int) else 0


def _message(error: Exception) -> str:
    """The cloud's own words, cut: they are matched, never shown."""
    return " ".join(str(getattr(error, name, "") or "") for name in ("message", "details"))[:4_000]


def _service(error: Exception) -> str:
    url = str(getattr(error, "url", "") or "")
    known = {":8774": "compute", ":9696": "network", ":9292": "image", ":8776": "volume", ":5000": "identity"}
    return next((name for part, name in known.items() if part in url), "needed")


_KINDS: list[tuple[tuple[type[Exception], ...], Callable[[Exception, str, str, bool], PlatformError]]] = [
    ((keystone.Unauthorized,), _sign_in),
    ((keystone.SSLError, requests.exceptions.SSLError), _field(CERTIFICATE, "ca")),
    ((keystone.ConnectTimeout, keystone.RequestTimeout, requests.Timeout), _slow),
    ((keystone.CatalogException, sdk.EndpointNotFound, sdk.ServiceDiscoveryException), _no_service),
    ((keystone.DiscoveryFailure, keystone.NotFound, keystone.InvalidResponse), _field(NOT_KEYSTONE, "auth_url")),
    ((keystone.ConnectionError, requests.ConnectionError), _no_answer),
]
