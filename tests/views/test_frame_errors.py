"""The pages shown when something went wrong."""

from __future__ import annotations

import logging
import re

import pytest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from dashboard.views.errors import server_error
from tests import factories


def test_an_unexpected_error_gives_a_reference_that_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "platform.pages"):
        response = server_error(RequestFactory().get("/environments/<x>/"))
    page = response.content.decode()
    found = re.search(r"reference <code>(\w+)</code>", page)
    assert response.status_code == 500
    assert found is not None
    assert found[1] in caplog.text
    assert "/environments/&lt;x&gt;/" in page


@pytest.mark.parametrize("name", ["400.html", "403.html", "404.html", "429.html", "500.html"])
def test_error_pages_need_no_context(name: str) -> None:
    assert "To your environments" in render_to_string(name)


@pytest.mark.django_db
def test_a_form_from_elsewhere_says_what_to_do() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.user())
    response = client.post("/environments/new/", {"name": "shop"})
    assert response.status_code == 403
    assert "reload the page and send the form again" in response.content.decode()
