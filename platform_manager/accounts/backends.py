"""How a password becomes a user; not at all where local accounts are off."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest


class AccountsBackend(AuthenticationBackend):  # type: ignore[misc]
    """By user name or e-mail address."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> AbstractBaseUser | None:
        if not settings.PM_LOCAL_ACCOUNTS:
            return None
        user: AbstractBaseUser | None = super().authenticate(request, **credentials)
        return user
