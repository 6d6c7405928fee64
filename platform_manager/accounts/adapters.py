"""Our answers to allauth's questions: who may have an account, what failures say, where a sign-out leads."""

from __future__ import annotations

import logging
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.utils import filter_users_by_email
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthError, Provider
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, User
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from dashboard.flows.limits import registration_open

from . import methods, roles
from .failures import failure_page
from .http import CappedSession

log = logging.getLogger("platform.accounts")

# Their accounts are an operator's own directory; anybody may have one at the others.
DIRECTORIES = {"fiware", "openid_connect"}
MAIL_LINKS = {"activate_url", "password_reset_url", "signup_url"}


class Site(NamedTuple):
    """What mails call the platform."""

    name: str
    domain: str


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Local accounts are made by operators unless the installation lets everybody register."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.PM_LOCAL_ACCOUNTS and registration_open())

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """No address: an invitation to one would go to whoever took it for a name."""
        if "@" in username:
            raise ValidationError("A user name can't have an @: it could be somebody's address.")
        cleaned: str = super().clean_username(username, shallow)
        return cleaned

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Links lead to PM_URL, whatever Host header the request came with: a stranger may have sent it."""
        links = {
            name: settings.PM_URL + urlsplit(context[name])._replace(scheme="", netloc="").geturl()
            for name in MAIL_LINKS & context.keys()
        }
        site = Site("Platform Manager", urlsplit(settings.PM_URL).netloc)
        super().send_mail(template_prefix, email, {**context, **links, "current_site": site})

    def get_login_stages(self) -> list[str]:
        theirs, ours = "allauth.account.stages.EmailVerificationStage", "platform_manager.accounts.stages.AddressStage"
        return [ours if stage == theirs else stage for stage in super().get_login_stages()]

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        """Through Keyrock when the session came from there: else the next sign-in would pass without a question."""
        if request.session.get(roles.SESSION_KEY) and settings.PM_FIWARE_CLIENT_ID:
            return methods.fiware_sign_out()
        return str(super().get_logout_redirect_url(request))

    def pre_login(self, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> HttpResponse | None:
        """People of FIWARE come in through FIWARE only, where their roles are looked at."""
        answer: HttpResponse | None = super().pre_login(request, user, **kwargs)
        social = (kwargs.get("signal_kwargs") or {}).get("sociallogin")
        by_fiware = social is not None and social.account.provider == "fiware"
        if answer is None and not by_fiware and isinstance(user, User) and roles.comes_from_fiware(user):
            return render(request, "account/only_fiware.html", status=403)
        return answer


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """Those of the settings only: one more in the database would make the choice ambiguous."""
        apps = super().list_apps(request, provider=provider, client_id=client_id)
        return [app for app in apps if app.pk is None]

    def get_app(self, request: HttpRequest, provider: str, client_id: str | None = None) -> SocialApp:
        """Http404 for a provider that is not set up."""
        try:
            return super().get_app(request, provider, client_id=client_id)
        except SocialApp.DoesNotExist:
            raise Http404("This way to sign in is not set up.") from None

    def get_requests_session(self) -> requests.Session:
        return CappedSession()

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return sociallogin.account.provider in _directories() or registration_open()

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Not when the address is somebody's already: then the person is told and asked."""
        taken = any(filter_users_by_email(address.email) for address in sociallogin.email_addresses)
        return not taken and super().is_auto_signup_allowed(request, sociallogin)

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
        """Our own page for all failures; who said no at the provider gets another."""
        if error != AuthError.CANCELLED:
            raise ImmediateHttpResponse(failure_page(request, provider.id, provider.name, exception))


def _directories() -> set[str]:
    """Also the installation's own OpenID Connect server, which allauth knows by another name."""
    return DIRECTORIES | {methods.OIDC_ID}
