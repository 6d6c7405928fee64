"""When a provider fails us: a page that says what happened, and a line in the log under its reference."""

from __future__ import annotations

import logging
import secrets

import requests
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin

from .keyrock import SignInError

log = logging.getLogger("platform.accounts")

# Addresses of providers whose code is allauth's, which trusts the shape of their answers.
FOREIGN = {
    f"{provider}_{step}": name
    for provider, name in (("openid_connect", ""), ("github", "GitHub"), ("gitlab", "GitLab"))
    for step in ("login", "callback")
}
SHAPE_ERRORS = (requests.RequestException, KeyError, TypeError, AttributeError, ValueError, RecursionError)


class ProviderFailures(MiddlewareMixin):
    """Answers of a shape that nobody expected are the provider's failure, not an error of ours."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        name = request.resolver_match.url_name if request.resolver_match else None
        if name not in FOREIGN or not isinstance(exception, SHAPE_ERRORS):
            return None
        return failure_page(request, name, FOREIGN[name] or settings.PM_OIDC_NAME, exception)


def failure_page(request: HttpRequest, provider: str, name: str, exception: Exception | None) -> HttpResponse:
    """Status 400 where the visitor came from nowhere, 502 where the provider failed."""
    reference = secrets.token_hex(4)
    sentence, detail = explanation(name, exception)
    log.warning("reference %s: sign-in with %s failed: %s", reference, provider, detail)
    context = {
        "provider_name": name,
        "sentence": sentence,
        "reference": reference,
        "again": f"{settings.PM_URL}{reverse('account_login')}",
        "local": settings.PM_LOCAL_ACCOUNTS,
    }
    status = 400 if exception is None else 502
    return render(request, "socialaccount/authentication_error.html", context, status=status)


def explanation(name: str, exception: Exception | None) -> tuple[str, str]:
    """What happened: a sentence for the person, and words for the log that hold no secret."""
    cause = exception.__cause__ if exception is not None else None
    if isinstance(cause, SignInError):
        return f"{name} can't sign you in right now: {cause}.", cause.detail
    if isinstance(exception, requests.Timeout):
        seconds = settings.SOCIALACCOUNT_REQUESTS_TIMEOUT
        return f"{name} did not answer within {seconds:g} s. It may be busy.", "no answer in time"
    if isinstance(exception, requests.ConnectionError):
        return f"{name} can't be reached from this platform right now.", type(exception).__name__
    if exception is not None:
        # Its text may hold whole answers, with tokens in them.
        return f"{name} gave an answer that makes no sense.", type(exception).__name__
    return (
        "This sign-in was begun in another browser, under another address, or too long ago.",
        "unknown state or no code",
    )
