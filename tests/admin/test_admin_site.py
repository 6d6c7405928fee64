"""The admin site lists every model of the platform, edits none that says what is, and shows no secret."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.urls import reverse

from dashboard.models import Announcement, AuditEntry, EnrolmentToken, Environment, Invitation, Operation, Revision
from platform_manager.accounts import report
from tests import factories
from tests.admin.admin_world import SECRET, World, world

pytestmark = pytest.mark.django_db

MODELS = sorted(apps.get_app_config("dashboard").get_models(), key=lambda model: model.__name__)
MODELS += [User, Group]
EDITED = {
    "Announcement",
    "Catalog",
    "CloudPreset",
    "EnvironmentTemplate",
    "Group",
    "PlatformSettings",
    "User",
    "UserLimits",
}


@pytest.fixture
def filled(client: Client) -> World:
    found = world()
    client.force_login(found.operator)
    return found


def change(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def deed(row: Any, slug: str) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_deed", args=[row.pk, slug])


def text(answer: HttpResponse) -> str:
    return answer.content.decode()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_model_is_listed_and_searched(client: Client, filled: World, model: Any) -> None:
    assert model in admin.site._registry, "a model without an admin page"
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    assert client.get(reverse(name), {"q": "a"}, follow=True).status_code == 200


def test_every_page_opens_and_shows_no_secret(client: Client, filled: World) -> None:
    digests = [EnrolmentToken.objects.get().digest, Invitation.objects.get().digest]
    for row in filled.rows():
        shown = client.get(change(row))
        assert shown.status_code == 200, row
        assert [word for word in (SECRET, *digests) if word in text(shown)] == [], row
    assert SECRET in str(list(Revision.objects.values_list("answers", flat=True)))
    assert SECRET in str(filled.operation.args)


def test_what_says_what_is_can_be_looked_at_only(client: Client, filled: World) -> None:
    for row in filled.rows():
        if type(row).__name__ not in EDITED:
            assert client.post(change(row), {"name": "other"}).status_code in (403, 405), row
            assert client.post(change(row).replace("change", "delete"), {"post": "yes"}).status_code == 403, row


@pytest.mark.parametrize("model", [SocialApp, SocialToken, SocialAccount, Authenticator, Session])
def test_what_holds_secrets_has_no_page(model: Any) -> None:
    assert model not in admin.site._registry


def test_only_operators_enter_and_superusers_have_no_more_to_say(client: Client) -> None:
    client.force_login(factories.user())
    assert client.get(reverse("admin:index")).status_code == 302
    client.force_login(factories.user(is_staff=True))
    assert client.get(reverse("admin:auth_user_changelist")).status_code == 200


def test_answers_are_encrypted_at_rest() -> None:
    from django.db import connection

    stack = factories.stack(factories.environment(factories.user()), name="demo")
    revision = Revision.objects.create(stack=stack, n=99, compose="", answers={"PASSWORD": SECRET})
    with connection.cursor() as cursor:
        cursor.execute("SELECT answers FROM dashboard_revision WHERE id = %s", [revision.pk])
        assert SECRET not in cursor.fetchone()[0]
    assert Revision.objects.get(pk=revision.pk).answers == {"PASSWORD": SECRET}


def test_an_id_finds_its_row(client: Client, filled: World) -> None:
    found = client.get(reverse("admin:dashboard_operation_changelist"), {"q": str(filled.operation.pk)})
    assert [row.pk for row in found.context["cl"].result_list] == [filled.operation.pk]


def test_pages_hold_nothing_inline(client: Client, filled: World) -> None:
    for path in (reverse("admin:index"), change(filled.user), reverse("admin:dashboard_auditentry_changelist")):
        page = text(client.get(path))
        assert re.findall(r"<style|<[^>]+ style=|<script(?![^>]* src=)[^>]*>", page) == [], path


# Deeds


def test_a_link_changes_nothing_and_says_what_follows(client: Client, filled: World) -> None:
    assert "open pages close" in text(client.get(deed(filled.user, "suspend")))
    filled.user.refresh_from_db()
    assert filled.user.is_active


def test_suspending_and_reactivating(client: Client, filled: World) -> None:
    assert client.post(deed(filled.user, "suspend")).status_code == 302
    filled.user.refresh_from_db()
    assert not filled.user.is_active
    client.post(deed(filled.user, "reactivate"))
    filled.user.refresh_from_db()
    assert filled.user.is_active


def test_suspending_several_leaves_out_who_is_not_to_be(client: Client, filled: World) -> None:
    chosen = {"action": "suspend", "_selected_action": [filled.user.pk, filled.operator.pk]}
    answer = client.post(reverse("admin:auth_user_changelist"), chosen, follow=True)
    assert "1 suspended." in text(answer)
    assert "You can&#x27;t suspend yourself" in text(answer)
    assert User.objects.get(pk=filled.operator.pk).is_active


def test_an_operation_is_shown_with_its_steps_and_the_end_of_its_log(client: Client, filled: World) -> None:
    filled.operation.logs.create(step=2, text="x" * 5000)
    page = text(client.get(change(filled.operation)))
    assert "Wait for their links" in page
    assert "fw-06 did not call in within 300 s" in page
    assert "x" * 2000 in page
    assert "x" * 2001 not in page


def test_an_operation_is_retried_and_cancelled(client: Client, filled: World) -> None:
    assert client.post(deed(filled.operation, "retry")).status_code == 302
    again = Operation.objects.get(retry_of=filled.operation)
    assert client.post(deed(again, "cancel")).status_code == 302
    again.refresh_from_db()
    assert again.state == "cancelled"
    answer = client.post(deed(again, "cancel"), follow=True)
    assert "is not possible now" in text(answer)


def test_an_environment_is_handed_to_another_owner(client: Client, filled: World) -> None:
    answer = client.post(deed(filled.environment, "hand-over"), {"to": "nobody"})
    assert answer.status_code == 422
    assert "There is no user called nobody." in text(answer)
    carl = User.objects.get(username="carl")
    EmailAddress.objects.create(user=carl, email=carl.email, verified=True)
    client.post(deed(filled.environment, "hand-over"), {"to": "carl@example.org"})
    filled.environment.refresh_from_db()
    assert filled.environment.owner.username == "carl"
    assert AuditEntry.objects.filter(action="environment.transfer", actor="olga").exists()


def test_an_environment_is_deleted_by_typing_its_name(client: Client, filled: World) -> None:
    assert "fw-04" in text(client.get(deed(filled.environment, "delete")))
    answer = client.post(deed(filled.environment, "delete"), {"typed_name": "Shopp"})
    assert "Type the environment" in text(answer)
    client.post(deed(filled.environment, "delete"), {"typed_name": "Shop"})
    assert Environment.objects.get(pk=filled.environment.pk).removing_since
    assert Operation.objects.filter(kind="delete_environment", requested_by=filled.operator).exists()


# People


def test_a_user_is_deleted_only_after_being_suspended_and_without_belongings(client: Client, filled: World) -> None:
    bob = User.objects.get(username="bob")
    assert client.post(reverse("admin:auth_user_delete", args=[filled.user.pk]), {"post": "yes"}).status_code == 403
    assert client.post(reverse("admin:auth_user_delete", args=[bob.pk]), {"post": "yes"}).status_code == 302
    assert not User.objects.filter(username="bob").exists()
    assert AuditEntry.objects.get(action="user.delete").object_name == "bob"


def test_rights_are_no_fields_of_a_form(client: Client, filled: World) -> None:
    page = client.get(change(filled.user))
    fields = set(page.context["adminform"].form.fields)
    assert not fields & {"is_staff", "is_superuser", "is_active", "user_permissions"}


def test_changes_are_recorded_by_the_names_of_fields(client: Client, filled: World) -> None:
    path = reverse("admin:dashboard_platformsettings_change", args=[1])
    given = {"registration": "unknown", "creators": "operators", "environments_per_user": "3"}
    assert client.post(path, given).status_code == 302
    entry = AuditEntry.objects.get(action="platform_settings.update")
    assert entry.actor == "olga"
    assert any("nvironments" in name for name in entry.detail["changed"])


# Sign-in methods


def test_sign_in_methods_are_shown_and_tested_with_a_button(
    client: Client, filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def check() -> list[report.Finding]:
        asked.append(True)
        return [report.Finding(False, "The server can't be reached.")]

    monkeypatch.setattr(report, "check_fiware", check)
    page = text(client.get(reverse("admin:sign_in_methods")))
    assert reverse("fiware_callback") in page
    assert asked == []
    assert "The server can&#x27;t be reached." in text(client.post(reverse("admin:sign_in_methods")))


# The audit log


async def read(answer: Any) -> str:
    return b"".join([part async for part in answer.streaming_content]).decode()


@pytest.mark.django_db(transaction=True)
async def test_the_audit_log_is_exported_as_it_is_filtered() -> None:
    from asgiref.sync import sync_to_async

    found = await sync_to_async(world)()
    client = AsyncClient()
    await client.aforce_login(found.operator)
    await AuditEntry.objects.acreate(actor="=cmd()", action="user.update", detail={"changed": ["email"]})
    lines = await client.get(reverse("admin:dashboard_auditentry_export", args=["jsonl"]) + "?actor__icontains=ann")
    rows = [json.loads(line) for line in (await read(lines)).splitlines()]
    assert {row["actor"] for row in rows} == {"ann"}
    assert {row["action"] for row in rows} >= {"host.remove", "stack.deploy"}
    table = await client.get(reverse("admin:dashboard_auditentry_export", args=["csv"]))
    assert "attachment" in table["Content-Disposition"]
    cells = list(csv.DictReader(io.StringIO(await read(table))))
    assert {"'=cmd()", "ann", "olga"} <= {row["actor"] for row in cells}
    assert [row["action"] for row in cells].count("audit.export") >= 1


def test_a_long_log_is_exported_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    from asgiref.sync import async_to_sync

    from dashboard.admin import export

    monkeypatch.setattr(export, "AT_ONCE", 2)
    for n in range(5):
        AuditEntry.objects.create(action=f"thing.{n}")

    async def whole() -> list[str]:
        return [part async for part in export._parts(AuditEntry.objects.all(), export.FORMATS["jsonl"])]

    parts = async_to_sync(whole)()
    assert [len(part.splitlines()) for part in parts] == [2, 2, 1]


# Announcements


def test_an_announcement_is_on_all_pages_until_it_is_put_away(client: Client, filled: World) -> None:
    announcement = Announcement.objects.get()
    for path in (reverse("account_login"), "/environments/"):
        visitor = Client() if path.startswith("/accounts") else client
        assert announcement.text in text(visitor.get(path))
    client.cookies["announcements"] = announcement.mark
    assert announcement.text not in text(client.get("/environments/"))
    Announcement.objects.update(text="Something else.")
    assert "Something else." in text(client.get("/environments/"))


def test_an_announcement_of_another_time_is_not_shown(client: Client, filled: World) -> None:
    Announcement.objects.update(ends_at="2026-01-01T00:00Z")
    assert 'class="alert alert-warning announcement"' not in text(client.get("/environments/"))


# The policy


def test_only_pages_of_the_admin_site_may_evaluate_and_none_has_anything_inline(client: Client, filled: World) -> None:
    for path in (reverse("admin:index"), change(filled.user), reverse("admin:auth_user_changelist")):
        policy = client.get(path)["Content-Security-Policy"]
        assert "script-src 'self' 'unsafe-eval';" in policy
        assert "unsafe-inline" not in policy
    for path in ("/environments/", "/admin/nowhere/", "/admin/login/"):
        assert "unsafe" not in client.get(path)["Content-Security-Policy"]


def test_signing_out_is_everybodys(client: Client, filled: World) -> None:
    """It leads through the sign-in server where the session came from there."""
    assert 'action="/admin/logout/"' in text(client.get(reverse("admin:index")))
    assert client.post("/admin/logout/").headers["Location"] == reverse("account_login")
    assert client.get("/environments/").status_code == 302
