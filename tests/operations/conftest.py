"""Fixtures of tests that run operations."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command

from tests.support.lab import Lab, running_lab


@pytest.fixture
def lab(transactional_db: None) -> Iterator[Lab]:
    """A platform with nothing started, on the test run's database."""
    with running_lab() as lab:
        yield lab


@pytest.fixture(autouse=True)
def templates(request: pytest.FixtureRequest) -> None:
    """Tests with real transactions empty the database at their end; the built-in templates are put back."""
    if "transactional_db" in request.fixturenames:
        from importlib import import_module

        from django.apps import apps

        import_module("dashboard.migrations.0002_templates").make(apps, None)
        call_command("migrate", verbosity=0)
