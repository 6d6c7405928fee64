"""How accounts come to be, for allauth."""

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Local accounts are made by operators unless the installation lets everybody register."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.PM_REGISTRATION)
