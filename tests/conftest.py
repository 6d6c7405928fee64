"""Fixtures of all tests."""

from typing import Any

import pytest

KEEP_HASHERS = ("/browser/", "/operations/", "/bench/")


@pytest.fixture(autouse=True)
def quick_passwords(request: pytest.FixtureRequest, settings: Any) -> None:
    """Slow hashes are for real users; platforms started as processes of their own keep them."""
    if not any(part in str(request.path) for part in KEEP_HASHERS):
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
