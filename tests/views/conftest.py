"""Who looks at the pages."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests import factories


@pytest.fixture
def anna(client: Client) -> User:
    """A user who is signed in."""
    user = factories.user("anna")
    client.force_login(user)
    return user
