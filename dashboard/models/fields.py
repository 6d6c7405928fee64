"""Columns whose content is encrypted at rest."""

import json
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise ImproperlyConfigured(
            "PM_ENCRYPTION_KEYS holds something that is no key: each is 32 bytes in URL-safe base64."
        ) from None


def cipher() -> MultiFernet:
    """The cipher of the configured keys; the first encrypts, all decrypt."""
    return _cipher(tuple(settings.PM_ENCRYPTION_KEYS))


class EncryptedJSONField(models.TextField[Any, Any]):
    """A JSON value stored as a Fernet token; it can be neither searched nor read without a key."""

    description = "JSON, encrypted"
    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        if value is None or value == "":
            return None
        try:
            return json.loads(cipher().decrypt(value.encode()))
        except InvalidToken as error:
            raise ImproperlyConfigured("PM_ENCRYPTION_KEYS lacks the key that encrypted this row.") from error

    def get_prep_value(self, value: Any) -> str | None:
        if value is None:
            return None
        return cipher().encrypt(json.dumps(value).encode()).decode()

    def to_python(self, value: Any) -> Any:
        return value
