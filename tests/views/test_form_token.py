"""The token of forms changes when somebody signs in in another tab: open pages can ask for the one that counts now."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def strict() -> Client:
    return Client(enforce_csrf_checks=True)


def token_of(client: Client) -> str:
    answer = client.get(reverse("token"))
    assert "no-store" in answer["Cache-Control"]
    token: str = answer.json()["token"]
    return token


def refused(client: Client, token: str) -> bool:
    """Whether a form with this token is; the header tells scripts why."""
    answer = client.post(reverse("environment_new"), {"csrfmiddlewaretoken": token})
    assert (answer.status_code == 403) == (answer.headers.get("X-Form-Token") == "refused")
    return answer.status_code == 403


def test_a_page_that_was_open_while_its_user_signed_in_elsewhere_gets_a_token_that_counts(strict: Client) -> None:
    user: User = factories.user("ann")
    strict.force_login(user)
    before = token_of(strict)
    assert not refused(strict, before)
    strict.cookies.pop("csrftoken")
    token_of(strict)
    assert refused(strict, before)
    assert not refused(strict, token_of(strict))


def test_every_page_knows_where_to_ask(strict: Client) -> None:
    strict.force_login(factories.user("ann"))
    shown = strict.get(reverse("environments")).content.decode()
    assert f'data-token="{reverse("token")}"' in shown
    assert "js/token.js" in shown
