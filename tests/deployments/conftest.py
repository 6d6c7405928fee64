"""Deployments on real swarms, with the platform's processes; on the embedded database, which they do not depend on."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command

from tests.operations.conftest import lab, templates

__all__ = ["lab", "templates"]


@pytest.fixture(scope="module")
def kept_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The database for all tests of a module, without a transaction around each, emptied once, at the end.

    A module's fixture ``db`` that takes it gives it to them: pytest-django makes databases only where a chosen test
    takes one of that name, or has its mark.
    """
    with django_db_blocker.unblock():
        try:
            yield
        finally:
            call_command("flush", verbosity=0, interactive=False)
            import_module("dashboard.migrations.0002_templates").make(apps, None)
            call_command("migrate", verbosity=0)
