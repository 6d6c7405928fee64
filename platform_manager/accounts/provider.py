"""FIWARE Lab, or any other Keyrock, as a provider of allauth."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.base import ProviderAccount
from allauth.socialaccount.providers.oauth2.provider import OAuth2Provider
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest

from .keyrock import Person
from .views import FiwareAdapter


class FiwareAccount(ProviderAccount):  # type: ignore[misc]
    """One person's account at Keyrock, as the profile shows it."""

    def to_str(self) -> str:
        data = self.account.extra_data
        return str(data.get("username") or data.get("email") or self.account.uid)


class FiwareProvider(OAuth2Provider):  # type: ignore[misc]
    id = "fiware"
    account_class = FiwareAccount
    oauth2_adapter_class = FiwareAdapter

    @property
    def name(self) -> str:
        return str(settings.PM_FIWARE_NAME)

    def get_default_scope(self) -> list[str]:
        # Keyrock refuses an empty scope; this is the one it assumes without any.
        return ["bearer"]

    def get_scope_from_request(self, request: HttpRequest) -> list[str]:
        """Ours alone: a visitor's ``?scope=permanent`` could mint a token that never ends."""
        return list(self.get_scope())

    def get_auth_params_from_request(self, request: HttpRequest, action: str) -> dict[str, str]:
        """Ours alone."""
        return dict(self.get_auth_params())

    def extract_uid(self, data: Person) -> str:
        return data.uid

    def extract_extra_data(self, data: Person) -> dict[str, Any]:
        """What is kept of the person; their tokens are not."""
        return asdict(data)

    def extract_common_fields(self, data: Person) -> dict[str, str]:
        # No names: Keyrock gives the user name for both.
        return {key: value for key, value in (("username", data.username), ("email", data.email)) if value}

    def extract_email_addresses(self, data: Person) -> list[EmailAddress]:
        try:
            validate_email(data.email)
        except ValidationError:
            return []
        verified = get_adapter().is_email_verified(self, data.email)
        return [EmailAddress(email=data.email, verified=verified, primary=True)]


provider_classes = [FiwareProvider]
