"""A machine with a good token may still say anything: none of it stops a page or a database."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import asyncssh
import pytest
from django.core.handlers.asgi import ASGIRequest
from django.urls import reverse

from dashboard.flows.enrolment import enrol
from dashboard.models import EnrolmentToken, Host, HostState
from dashboard.views.join import BODY_CAP, join
from platform_manager.errors import UserError
from tests import factories

pytestmark = pytest.mark.django_db


def enrolled(**said: Any) -> Host:
    environment = factories.environment(factories.user())
    host = factories.host(environment, state=HostState.BOOTING, addresses=[], facts={})
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    enrol(EnrolmentToken.issue(host), {"public_key": key, **said})
    host.refresh_from_db()
    return host


def test_facts_keep_nothing_that_no_database_stores_or_no_page_shows(client: Any) -> None:
    host = enrolled(os="Deb\x00ian \ud800", hostname="fw\n1")
    assert host.facts == {"os": "Debian ", "hostname": "fw1"}
    client.force_login(host.environment.owner)
    assert client.get(reverse("host", args=[host.environment_id, host.pk])).status_code == 200


@pytest.mark.parametrize("claimed", [5, "10.0.0.1", {"a": 1}, ["\ud800", "10.0.0.256", "fe80::1%eth0\n", None]])
def test_only_addresses_are_taken_for_addresses(claimed: object) -> None:
    assert enrolled(addresses=claimed).addresses == []


def test_good_addresses_are_kept() -> None:
    assert enrolled(addresses=["10.0.0.5", "x", "2001:db8::1"]).addresses == ["10.0.0.5", "2001:db8::1"]


def test_a_key_of_strange_letters_is_refused_in_words() -> None:
    with pytest.raises(UserError, match="public_key"):
        enrolled(public_key="ssh-ed25519 \u00e4\ud800")


def said(body: bytes) -> int:
    """The status for a body whose length was not told, as with chunked requests."""
    scope = {"type": "http", "method": "POST", "path": "/join/x", "headers": [], "query_string": b""}
    return join(ASGIRequest(scope, BytesIO(body)), "x").status_code


def test_a_body_of_untold_length_is_not_read_beyond_the_cap() -> None:
    assert said(json.dumps({"os": "x" * BODY_CAP}).encode()) == 413


def test_a_deep_body_is_refused_in_words() -> None:
    assert said(b"[" * BODY_CAP) == 400
