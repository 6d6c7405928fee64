"""The pages shown when something went wrong."""

from __future__ import annotations

import logging
import re
from uuid import UUID

import pytest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse

from dashboard.models import Environment, MemberRole
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


NAVIGATION = 'class="frame-nav"'


@pytest.fixture
def shop(db: None) -> Environment:
    return factories.environment(factories.user("anna"), "Secret shop")


@pytest.mark.parametrize("address", ["nowhere/", "stacks/gone/", "logs/?stack=gone", f"hosts/{UUID(int=0)}/"])
def test_a_member_finds_the_way_back_from_what_is_not_there(client: Client, shop: Environment, address: str) -> None:
    client.force_login(shop.owner)
    answer = client.get(reverse("environment", args=[shop.pk]) + address)
    page = answer.content.decode()
    assert answer.status_code == 404
    assert reverse("environments") in page
    assert NAVIGATION in page
    assert "Back to Secret shop" in page


def test_a_member_is_told_what_is_missing(client: Client, shop: Environment) -> None:
    client.force_login(shop.owner)
    page = client.get(reverse("stack", args=[shop.pk, "gone"])).content.decode()
    assert "There is no such stack in this environment." in page
    page = client.get(reverse("operation", args=[shop.pk, shop.pk])).content.decode()
    assert "matches the given query" not in page


def test_an_outsider_sees_the_same_of_an_environment_that_is_there_and_of_one_that_is_not(
    client: Client, shop: Environment
) -> None:
    client.force_login(factories.user("otto"))
    there = client.get(reverse("environment", args=[shop.pk])).content.decode()
    absent = reverse("environment", args=["01890000-0000-7000-8000-000000000000"])
    not_there = client.get(absent).content.decode()
    assert without_tokens(there) == without_tokens(not_there)
    assert "Secret shop" not in there
    assert NAVIGATION not in there
    assert "There is nothing here for you" in there
    assert "Signed in as otto" in there


def without_tokens(page: str) -> str:
    return re.sub(r'data-now="[^"]*"|value="\w{64}"|X-CSRFToken": "\w{64}"', "", page)


def test_a_visitor_gets_a_plain_page(client: Client, db: None) -> None:
    page = client.get("/nowhere/").content.decode()
    assert "To your environments" in page
    assert "Signed in" not in page


def test_a_refusal_stands_in_the_frame_of_its_environment(client: Client, shop: Environment) -> None:
    client.force_login(factories.member(shop, role=MemberRole.READ_ONLY))
    answer = client.get(reverse("hosts_add", args=[shop.pk]))
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "Ask" in page
    assert "Back to Secret shop" in page
    assert NAVIGATION in page


def test_the_environment_of_an_error_is_gone_with_it(client: Client, shop: Environment) -> None:
    client.force_login(shop.owner)
    Environment.objects.update(deleted_at=shop.created_at)
    page = client.get(reverse("stacks", args=[shop.pk])).content.decode()
    assert NAVIGATION not in page
