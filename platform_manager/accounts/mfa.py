"""Second factors: their secrets are encrypted with the platform's keys, like all others."""

from __future__ import annotations

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

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


def encrypt_again() -> int:
    """Encrypt all seeds with the first of the platform's keys; how many there were. For a change of keys."""
    adapter, count = MfaAdapter(), 0
    with transaction.atomic():
        for row in Authenticator.objects.select_for_update().exclude(type=Authenticator.Type.WEBAUTHN):
            seeds = {name: row.data[name] for name in ("secret", "seed") if name in row.data}
            row.data.update({name: adapter.encrypt(adapter.decrypt(seed)) for name, seed in seeds.items()})
            row.save(update_fields=["data"])
            count += len(seeds)
    return count
