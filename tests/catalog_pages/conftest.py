"""An environment whose owner is signed in, and a catalog of its own."""

from __future__ import annotations

import pytest
from django.test import Client

from dashboard.models import Catalog, Environment
from tests import factories


@pytest.fixture
def shop(client: Client) -> Environment:
    user = factories.user("anna")
    client.force_login(user)
    return factories.environment(user, "Shop")


@pytest.fixture
def ours(shop: Environment) -> Catalog:
    return factories.catalog(shop, "Ours")
