"""allauth's forms where ours differ."""

from __future__ import annotations

from allauth.account.forms import ResetPasswordForm
from django.contrib.auth.models import User


class PasswordForgotten(ResetPasswordForm):  # type: ignore[misc]
    """Only for those who have a password; others sign in with their provider, which knows their roles."""

    users: list[User]

    def clean_email(self) -> str:
        email: str = super().clean_email()
        self.users = [user for user in self.users if user.has_usable_password()]
        return email
