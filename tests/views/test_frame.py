"""The frame of all pages: who sees what, policy, sign-in, errors, environments."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from dashboard.models import Environment, EnvironmentTemplate, HostState, MemberRole, OperationState
from dashboard.views.context import SECTIONS, sections
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_visitor_is_sent_to_the_sign_in(client: Client) -> None:
    response = client.get("/environments/")
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/accounts/login/")


def test_signing_in_with_a_name_leads_to_the_environments(client: Client) -> None:
    factories.user("anna")
    response = client.post("/accounts/login/", {"login": "anna", "password": factories.PASSWORD})
    assert response.headers["Location"] == "/environments/"


def test_a_wrong_password_keeps_the_name_and_says_so(client: Client) -> None:
    factories.user("anna")
    page = client.post("/accounts/login/", {"login": "anna", "password": "wrong"}).content.decode()
    assert 'value="anna"' in page
    assert "not correct" in page


@pytest.mark.parametrize("address", ["/accounts/login/", "/environments/", "/nowhere/", "/admin/login/"])
def test_every_page_has_a_policy_without_anything_inline(client: Client, address: str) -> None:
    policy = client.get(address).headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "ws://testserver" in policy
    assert "unsafe" not in policy


def test_pages_hold_nothing_inline(client: Client, anna: object) -> None:
    page = client.get("/environments/").content.decode()
    assert "<style" not in page
    assert " style=" not in page
    assert page.count("<script") == page.count("<script src=") + page.count('<script type="module" src=')


def test_registration_is_closed_unless_the_installation_opens_it(client: Client, settings) -> None:
    assert "Registration is closed" in client.get("/accounts/signup/").content.decode()
    settings.PM_REGISTRATION = True
    assert "Create account" in client.get("/accounts/signup/").content.decode()


def test_only_staff_sees_the_way_to_the_admin_site(client: Client, anna) -> None:
    assert "Admin site" not in client.get("/environments/").content.decode()
    anna.is_staff = True
    anna.save()
    assert "Admin site" in client.get("/environments/").content.decode()


def test_an_empty_list_says_what_to_do_first(client: Client, anna: object) -> None:
    page = client.get("/environments/").content.decode()
    assert "Create your first environment" in page
    assert reverse("environment_new") in page


def test_the_list_and_the_switcher_hold_only_the_own_environments(client: Client, anna) -> None:
    factories.environment(anna, "mine")
    shared = factories.environment(name="shared")
    factories.member(shared, anna, MemberRole.READ_ONLY)
    factories.environment(name="hidden-away")
    (mine,) = client.get("/environments/").context["environments"].rows
    assert mine.name == "mine"
    page = client.get("/environments/?show=shared").content.decode()
    assert f"/environments/{shared.pk}/" in page
    assert "Read-only" in page
    assert "hidden-away" not in page


def test_a_card_counts_hosts_and_shows_that_one_is_lost(client: Client, anna) -> None:
    environment = factories.environment(anna, "shop")
    factories.host(environment)
    factories.host(environment, state=HostState.DISCONNECTED)
    factories.operation(environment, state=OperationState.RUNNING)
    (shown,) = client.get("/environments/").context["environments"].rows
    assert (shown.active_hosts, shown.hosts, shown.badge.word) == (1, 2, "Needs a look")


def test_the_list_costs_the_same_for_any_number(client: Client, anna, django_assert_num_queries) -> None:
    for n in range(20):
        factories.filled(factories.environment(anna, f"e{n}"))
    # Session, user, numbers of the tabs, which cards, the roles, the cards, invitations, switcher.
    with django_assert_num_queries(9):
        client.get("/environments/")


def new(**changes: object) -> dict[str, object]:
    template = EnvironmentTemplate.objects.first() or factories.template()
    return {"template": template.pk, "name": "shop", "description": "", "managers": 3, "mtu": ""} | changes


def test_an_environment_is_created_from_a_template(client: Client, anna) -> None:
    response = client.post(reverse("environment_new"), new(mtu=1400, description="The shop"))
    made = Environment.objects.get()
    # It is empty: its first hosts come next.
    assert response.headers["Location"] == reverse("hosts_add", args=[made.pk])
    assert (made.name, made.managers, made.mtu, made.role_of(anna)) == ("shop", 3, 1400, MemberRole.OWNER)


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        ({"name": ""}, "name", "Give the environment a name."),
        ({"name": "x" * 61}, "name", "at most 60"),
        ({"managers": 2}, "managers", "not one of the available choices"),
        ({"mtu": 100}, "mtu", "576"),
        ({"mtu": "many"}, "mtu", "number of bytes"),
        ({"template": 999_999}, "template", "choose another"),
    ],
)
def test_bad_input_stands_at_its_field_and_is_kept(
    client: Client, anna: object, wrong: dict[str, object], field: str, sentence: str
) -> None:
    response = client.post(reverse("environment_new"), new(description="kept words", **wrong))
    assert response.status_code == 422
    assert sentence in response.context["form"].errors[field][0]
    assert "kept words" in response.content.decode()
    assert not Environment.objects.exists()


def test_a_name_already_used_is_said_at_the_name(client: Client, anna) -> None:
    factories.environment(anna, "Shop")
    response = client.post(reverse("environment_new"), new(name="shop"))
    assert response.context["form"].errors["name"]


def test_what_is_not_there_says_what_to_do(client: Client, anna: object) -> None:
    response = client.get("/environments/01890000-0000-7000-8000-000000000000/")
    assert response.status_code == 404
    assert "not a member" in response.content.decode()


def test_the_sections_show_where_one_is() -> None:
    for page, title in {
        "stack_update": "Stacks",
        "task": "Services",
        "host_remove": "Hosts",
        "operation": "Operations",
    }.items():
        assert [section.title for section in sections(page) if section.active] == [title]


@pytest.mark.parametrize(("whose", "title"), [("stack=shop", "Stacks"), ("service=web", "Services")])
def test_logs_stand_in_the_section_of_whose_they_are(client: Client, anna, whose: str, title: str) -> None:
    environment = factories.environment(anna)
    service = factories.service("web", "shop")
    factories.snapshot(environment, services=[service])
    query = whose.replace("web", service.id)
    shown = client.get(f"{reverse('logs', args=[environment.pk])}?{query}").context["frame"]["sections"]
    assert [section.title for section in shown if section.active] == [title]


def test_every_section_has_a_key_of_its_own() -> None:
    assert len({section.key for section in SECTIONS}) == len(SECTIONS)
