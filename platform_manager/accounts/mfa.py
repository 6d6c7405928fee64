"""Second factors: their secrets are encrypted with the platform's keys, like all others."""

from __future__ import annotations

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import InvalidToken
from django.core.exceptions import ImproperlyConfigured

from dashboard.models.fields import cipher


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """TOTP seeds and the seeds of recovery codes at rest."""

    def encrypt(self, text: str) -> str:
        return cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken as error:
            raise ImproperlyConfigured("PM_ENCRYPTION_KEYS lacks the key of a second factor.") from error

    def _get_site_name(self) -> str:
        # Shown by authenticator apps and browsers.
        return "Platform Manager"
