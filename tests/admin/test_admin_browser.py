"""The admin site in a real browser: its widgets work under the policy, and the console stays silent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse

from dashboard.models import Announcement
from tests.admin.admin_world import World, world
from tests.browser.chrome import chrome
from tests.browser.pages import Person
from tests.support.lab import running_lab, until

pytestmark = [pytest.mark.browser, pytest.mark.engine, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def filled() -> World:
    return world()


@pytest.fixture
def olga(client: Client, filled: World) -> Iterator[Person]:
    """An operator who has signed in."""
    with running_lab() as lab, chrome() as driver:
        lab.start_web()
        person = Person(driver, lab.url)
        person.opens("/accounts/login/")
        client.force_login(filled.operator)
        driver.add_cookie({"name": "sessionid", "value": client.cookies["sessionid"].value, "path": "/"})
        yield person


def pages(filled: World) -> dict[str, str]:
    return {
        "home": reverse("admin:index"),
        "users": reverse("admin:auth_user_changelist"),
        "user": reverse("admin:auth_user_change", args=[filled.user.pk]),
        "user-add": reverse("admin:auth_user_add"),
        "group": reverse("admin:auth_group_changelist"),
        "environments": reverse("admin:dashboard_environment_changelist"),
        "environment": reverse("admin:dashboard_environment_change", args=[filled.environment.pk]),
        "delete": reverse("admin:dashboard_environment_deed", args=[filled.environment.pk, "delete"]),
        "hosts": reverse("admin:dashboard_host_changelist"),
        "operations": reverse("admin:dashboard_operation_changelist"),
        "operation": reverse("admin:dashboard_operation_change", args=[filled.operation.pk]),
        "audit": reverse("admin:dashboard_auditentry_changelist"),
        "announcement": reverse("admin:dashboard_announcement_add"),
        "settings": reverse("admin:dashboard_platformsettings_change", args=[1]),
        "sign-in-methods": reverse("admin:sign_in_methods"),
    }


def test_an_operator_works_without_a_word_from_the_console(olga: Person, filled: World) -> None:
    for name, path in pages(filled).items():
        olga.opens(path)
        olga.looks_at(f"admin-{name}")
        olga.finds_no_error_in_the_console()
    assert olga.too_wide == []

    # Widgets: the menu of colours, filters, the choice of rows, a field that completes.
    olga.opens(pages(filled)["users"])
    olga.script("localStorage.setItem('adminTheme', JSON.stringify('dark'))")
    olga.opens(pages(filled)["users"])
    until(
        lambda: olga.script("return document.documentElement.classList.contains('dark')"), what="it is dark", seconds=10
    )
    olga.looks_at("admin-users-dark")
    olga.opens(pages(filled)["home"])
    olga.looks_at("admin-home-dark")
    olga.finds_no_error_in_the_console()
    olga.opens(pages(filled)["users"])
    olga.clicks_on("tbody .action-select")
    until(
        lambda: olga.script("return document.querySelector('#changelist-actions').style.width"),
        what="actions show",
        seconds=10,
    )
    olga.finds_no_error_in_the_console()
    olga.opens(pages(filled)["user"])
    # Away from the bar with the buttons, which stays at the foot of the window.
    olga.script("document.querySelector('.select2-search__field').scrollIntoView({block: 'center'})")
    olga.clicks_on(".select2-search__field")
    olga.sees("fiware:org:Smart City", ".select2-results")
    olga.finds_no_error_in_the_console()


def test_an_announcement_is_put_away_until_the_browser_closes(olga: Person, filled: World) -> None:
    text = Announcement.objects.get().text
    olga.opens("/environments/")
    olga.sees(text, ".announcement")
    olga.looks_at("announcement")
    olga.clicks_on(".announcement .btn-close")
    until(lambda: olga.count(".announcement") == 0, what="it is put away", seconds=10)
    olga.opens("/environments/")
    assert olga.count(".announcement") == 0
    Announcement.objects.update(text="Another one.")
    olga.opens("/environments/")
    olga.sees("Another one.", ".announcement")
    olga.finds_no_error_in_the_console()
