"""Our answers to allauth's questions: who may have an account, what failures say, where a sign-out leads."""

from __future__ import annotations

import logging
import secrets
from typing import Any

import requests
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthError, Provider
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from dashboard.flows.limits import registration_open

from . import methods, roles
from .http import CappedSession
from .keyrock import SignInError

log = logging.getLogger("platform.accounts")

# Their accounts are an operator's own directory; anybody may have one at the others.
DIRECTORIES = {"fiware", "openid_connect"}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Local accounts are made by operators unless the installation lets everybody register."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.PM_LOCAL_ACCOUNTS and registration_open())

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        """Through Keyrock when the session came from there: else the next sign-in would pass without a question."""
        if request.session.get(roles.SESSION_KEY) and settings.PM_FIWARE_CLIENT_ID:
            return methods.fiware_sign_out()
        return str(super().get_logout_redirect_url(request))

    def pre_login(self, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> HttpResponse | None:
        """People of FIWARE come in through FIWARE only, where their roles are looked at."""
        answer: HttpResponse | None = super().pre_login(request, user, **kwargs)
        social = (kwargs.get("signal_kwargs") or {}).get("sociallogin")
        if answer is None and social is None and isinstance(user, User) and roles.comes_from_fiware(user):
            return render(request, "account/only_fiware.html", status=403)
        return answer


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """Those of the settings only: one more in the database would make the choice ambiguous."""
        apps = super().list_apps(request, provider=provider, client_id=client_id)
        return [app for app in apps if app.pk is None]

    def get_requests_session(self) -> requests.Session:
        return CappedSession()

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return sociallogin.account.provider in _directories() or registration_open()

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """The door: nobody without the required role, new or known."""
        wanted = settings.PM_FIWARE_REQUIRED_ROLE
        if sociallogin.account.provider != "fiware" or not wanted:
            return
        person = roles.person_of(sociallogin.account)
        if not person.has_role(wanted):
            log.info("sign-in of fiware account %s refused: it lacks the role %s", person.uid, wanted)
            context = {"role": wanted, "name": person.username, "sign_out_url": methods.fiware_sign_out()}
            page = render(request, "socialaccount/role_missing.html", context, status=403)
            raise ImmediateHttpResponse(page)

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Provider,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """A page that says what happened; the log has the rest under its reference."""
        if error == AuthError.CANCELLED:
            return
        reference = secrets.token_hex(4)
        sentence, detail = explanation(provider.name, exception)
        log.warning("reference %s: sign-in with %s failed: %s", reference, provider.id, detail)
        context = {
            "provider_name": provider.name,
            "sentence": sentence,
            "reference": reference,
            "again": f"{settings.PM_URL}{reverse('account_login')}",
            "local": settings.PM_LOCAL_ACCOUNTS,
        }
        status = 400 if exception is None else 502
        page = render(request, "socialaccount/authentication_error.html", context, status=status)
        raise ImmediateHttpResponse(page)


def _directories() -> set[str]:
    """Also the installation's own OpenID Connect server, which allauth knows by another name."""
    return DIRECTORIES | {methods.OIDC_ID}


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
