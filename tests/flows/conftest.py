"""A user and what she owns."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from dashboard.models import Environment
from tests import factories


@pytest.fixture
def anna() -> User:
    return factories.user("anna")


@pytest.fixture
def shop(anna: User) -> Environment:
    return factories.environment(anna, "shop")
