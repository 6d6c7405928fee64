"""The addresses of the FIWARE sign-in: where it begins and where Keyrock sends the browser back to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.core.internal import ratelimit
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter, OAuth2CallbackView, OAuth2LoginView
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from .client import KeyrockClient, fetch_person
from .keyrock import SignInError


@contextmanager
def expected_failures() -> Iterator[None]:
    """Failures of Keyrock as allauth expects them; ours is the cause."""
    try:
        yield
    except SignInError as error:
        raise OAuth2Error(str(error)) from error


class FiwareAdapter(OAuth2Adapter):  # type: ignore[misc]
    provider_id = "fiware"
    client_class = KeyrockClient

    @property
    def authorize_url(self) -> str:
        return f"{settings.PM_FIWARE_SERVER}/oauth2/authorize"

    @property
    def access_token_url(self) -> str:
        return f"{settings.PM_FIWARE_SERVER}/oauth2/token"

    @property
    def profile_url(self) -> str:
        return f"{settings.PM_FIWARE_SERVER}/user"

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        """As registered at Keyrock, which compares letter by letter; whatever Host header a proxy passes on."""
        return f"{settings.PM_URL}{reverse('fiware_callback')}"

    def get_access_token_data(
        self, request: HttpRequest, app: SocialApp, client: KeyrockClient, pkce_code_verifier: str | None = None
    ) -> Any:
        with expected_failures():
            return super().get_access_token_data(request, app, client, pkce_code_verifier)

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        with expected_failures():
            person = fetch_person(self.profile_url, token.token)
        return self.get_provider().sociallogin_from_response(request, person)


class _Configured:
    """404 where FIWARE sign-in is not set up; 429 for those who come too often."""

    action = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.PM_FIWARE_CLIENT_ID:
            raise Http404("Signing in with FIWARE is not set up.")
        # The public function counts no GET, and coming back from Keyrock is one.
        refused: HttpResponse | None = ratelimit.consume_or_429(
            request, app="allauth.account", action=self.action, limit_get=True
        )
        if refused is not None:
            return refused
        answer: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        return answer


class FiwareLogin(_Configured, OAuth2LoginView):  # type: ignore[misc]
    action = "fiware_login"


class FiwareCallback(_Configured, OAuth2CallbackView):  # type: ignore[misc]
    action = "fiware_callback"


oauth2_login = FiwareLogin.adapter_view(FiwareAdapter)
oauth2_callback = FiwareCallback.adapter_view(FiwareAdapter)
