"""Whoever guesses at tokens of hosts is slowed down; machines with a right one are not, from elsewhere."""

from __future__ import annotations

import asyncssh
import pytest
from django.core.cache import cache
from django.test import Client

from dashboard.models import EnrolmentToken, Host, HostState
from tests import factories

pytestmark = pytest.mark.django_db
LIMIT = 30


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    cache.clear()


def join(client: Client, token: str, address: str = "192.0.2.7") -> int:
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    body = {"public_key": key}
    return client.post(f"/join/{token}", body, content_type="application/json", REMOTE_ADDR=address).status_code


def test_too_many_wrong_tokens_of_an_address(client: Client) -> None:
    answers = [join(client, f"wrong-{n}") for n in range(LIMIT + 1)]
    assert answers == [403] * LIMIT + [429]
    assert join(client, "wrong", "192.0.2.8") == 403


def test_right_tokens_are_not_counted(client: Client) -> None:
    environment = factories.environment()
    for n in range(LIMIT + 2):
        host = Host.objects.create(environment=environment, name=f"fw-{n}", state=HostState.BOOTING)
        assert join(client, EnrolmentToken.issue(host)) == 200


def test_the_log_tells_of_the_address_without_its_token(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    join(client, "guessed-token")
    client.get("/invitations/guessed-token/")
    assert "/join/***" in caplog.text
    assert "guessed-token" not in caplog.text
