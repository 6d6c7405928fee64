"""The admin site lists every model of the platform, and edits none that says what is."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from dashboard.models import EnrolmentToken, Revision
from tests import factories

pytestmark = pytest.mark.django_db

MODELS = sorted(apps.get_app_config("dashboard").get_models(), key=lambda model: model.__name__)


@pytest.fixture
def operator(client: Client) -> User:
    user = User.objects.create_superuser("operator", password=factories.PASSWORD)
    client.force_login(user)
    return user


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_model_is_listed_and_searched(client: Client, operator: User, model: type) -> None:
    assert model in admin.site._registry, "a model without an admin page"
    factories.filled(factories.environment(operator), hosts=2, services=2, tasks=4)
    meta = model._meta  # type: ignore[attr-defined]
    answer = client.get(reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"), {"q": "a"}, follow=True)
    assert answer.status_code == 200


def test_answers_and_tokens_are_never_shown(client: Client, operator: User) -> None:
    environment = factories.environment(operator)
    stack = factories.stack(environment, name="demo")
    revision = Revision.objects.create(stack=stack, n=99, compose="services: {}", answers={"PASSWORD": "s3cret-answer"})
    host = factories.host(environment)
    EnrolmentToken.issue(host)
    token = EnrolmentToken.objects.get(host=host)
    shown = client.get(reverse("admin:dashboard_revision_change", args=[revision.pk]))
    assert shown.status_code == 200
    assert b"s3cret-answer" not in shown.content
    shown = client.get(reverse("admin:dashboard_enrolmenttoken_change", args=[token.pk]))
    assert token.digest.encode() not in shown.content


def test_only_staff_enter(client: Client) -> None:
    client.force_login(factories.user())
    assert client.get(reverse("admin:index")).status_code == 302


def test_answers_are_encrypted_at_rest() -> None:
    from django.db import connection

    stack = factories.stack(factories.environment(factories.user()), name="demo")
    revision = Revision.objects.create(stack=stack, n=99, compose="", answers={"PASSWORD": "s3cret-answer"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT answers FROM dashboard_revision WHERE id = %s", [revision.pk])
        assert "s3cret" not in cursor.fetchone()[0]
    assert Revision.objects.get(pk=revision.pk).answers == {"PASSWORD": "s3cret-answer"}
