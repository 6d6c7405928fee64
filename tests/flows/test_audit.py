"""What people do is in the audit log: who, what, from where, with what outcome."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncssh
import pytest
from allauth.mfa.totp.internal import auth as totp
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import AsyncRequestFactory, Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from dashboard.flows.environments import create_environment, delete_environment
from dashboard.flows.operations import cancel_operation, retry_operation
from dashboard.models import (
    AuditEntry,
    EnrolmentToken,
    Environment,
    Host,
    HostRole,
    HostState,
    MemberRole,
    OperationState,
    StepState,
)
from dashboard.models.auditing import Origin, acting, record
from dashboard.operations.prune import prune
from dashboard.operations.runner import _finish
from dashboard.views.origin import RequestOrigin, client_address
from tests import factories

pytestmark = pytest.mark.django_db
Outcome, Via = AuditEntry.Outcome, AuditEntry.Via


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    cache.clear()


@pytest.fixture
def environment() -> Environment:
    return factories.environment(factories.user("ada"), "Garden")


@pytest.fixture
def ada(client: Client, environment: Environment) -> User:
    client.force_login(environment.owner)
    return environment.owner


def entry(action: str) -> AuditEntry:
    return AuditEntry.objects.get(action=action)


def said(of: AuditEntry) -> tuple[str, str, str, str, str]:
    return of.actor, of.via, of.object_name, of.environment, of.outcome


def test_a_new_environment(client: Client, ada: User) -> None:
    words = {"name": "Orchard", "managers": 1, "template": factories.template().pk}
    client.post(reverse("environment_new"), words, headers={"X-Forwarded-For": "9.9.9.9"})
    made = entry("environment.create")
    assert said(made) == ("ada", Via.UI, "Orchard", "Orchard", Outcome.DONE)
    assert made.address == "127.0.0.1"


def test_a_new_name(client: Client, ada: User, environment: Environment) -> None:
    client.post(reverse("environment_settings", args=[environment.pk]), {"name": "Orchard", "description": ""})
    assert said(entry("environment.rename")) == ("ada", Via.UI, "Garden", "Garden", Outcome.DONE)
    assert entry("environment.rename").detail == {"after": "Orchard"}


def test_what_was_undone_is_not_recorded(ada: User) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        create_environment(ada, name="Orchard")
        raise RuntimeError
    assert not AuditEntry.objects.filter(action="environment.create").exists()


def test_hosts(client: Client, ada: User, environment: Environment) -> None:
    client.post(reverse("hosts_add", args=[environment.pk]), {"driver": "local", "prefix": "fw", "quantity": 2})
    operation = environment.operations.get()
    assert said(entry("hosts.add")) == ("ada", Via.UI, "fw-01, fw-02", "Garden", Outcome.REQUESTED)
    assert entry("hosts.add").detail["operation"] == str(operation.pk)


@pytest.mark.parametrize(("url", "action"), [("host_remove", "host.remove"), ("host_promote", "host.promote")])
def test_a_host(client: Client, ada: User, environment: Environment, url: str, action: str) -> None:
    for n in range(1, 4):
        factories.host(environment, f"fw-{n:02}", role=HostRole.MANAGER)
    worker = factories.host(environment, "fw-04", role=HostRole.WORKER)
    client.post(reverse(url, args=[environment.pk, worker.pk]))
    assert said(entry(action)) == ("ada", Via.UI, "fw-04", "Garden", Outcome.REQUESTED)


def test_a_stack(client: Client, ada: User, environment: Environment) -> None:
    factories.stack(environment, "shop")
    client.post(reverse("stack_remove", args=[environment.pk, "shop"]), {"typed_name": "shop", "confirm": "shop"})
    assert said(entry("stack.remove")) == ("ada", Via.UI, "shop", "Garden", Outcome.REQUESTED)


def test_a_deletion_with_what_it_cancels(ada: User, environment: Environment) -> None:
    factories.operation(environment, "Deploy stack shop", OperationState.QUEUED, kind="deploy_stack")
    delete_environment(environment, ada, "Garden")
    assert said(entry("environment.delete")) == ("ada", Via.SYSTEM, "Garden", "Garden", Outcome.REQUESTED)
    assert said(entry("deploy_stack.finished"))[2:] == ("Deploy stack shop", "Garden", Outcome.CANCELLED)


def test_cancelling_and_repeating(ada: User, environment: Environment) -> None:
    other = factories.member(environment)
    operation = factories.operation(
        environment, "Remove stack shop", OperationState.QUEUED, kind="remove_stack", args={"stack": "shop"}
    )
    cancel_operation(operation, other)
    assert said(entry("operation.cancel"))[0::4] == (other.username, Outcome.DONE)
    assert said(entry("remove_stack.finished"))[0::4] == ("ada", Outcome.CANCELLED)
    again = retry_operation(operation, other)
    assert entry("operation.retry").detail["operation"] == str(again.pk)


@pytest.mark.parametrize(("outcome", "told"), [("done", "done"), ("failed", "failed"), ("cancelled", "cancelled")])
def test_the_end_of_an_operation_is_recorded_once(environment: Environment, outcome: str, told: str) -> None:
    operation = factories.operation(environment, "Deploy stack shop", kind="test", steps=[("Deploy", StepState.FAILED)])
    _finish(str(operation.pk), 1, outcome)
    _finish(str(operation.pk), 1, outcome)
    assert said(entry("test.finished")) == ("ada", Via.SYSTEM, "Deploy stack shop", "Garden", told)
    assert entry("test.finished").object_id == str(operation.pk)


def public_key() -> str:
    return asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()


def test_a_machine_that_enrols_and_one_that_comes_with_the_same_token(client: Client, environment: Environment) -> None:
    host = Host.objects.create(environment=environment, name="fw-01", state=HostState.BOOTING)
    address = f"/join/{EnrolmentToken.issue(host)}"
    for _ in range(2):
        client.post(address, {"public_key": public_key()}, content_type="application/json")
    refused, enrolled = AuditEntry.objects.filter(action="host.enrol")
    assert said(enrolled) == ("", Via.HOST, "fw-01", "Garden", Outcome.DONE)
    assert said(refused) == ("", Via.HOST, "fw-01", "Garden", Outcome.REFUSED)


def test_a_refusal_once_a_minute(client: Client, environment: Environment) -> None:
    reader = factories.member(environment, role=MemberRole.READ_ONLY)
    client.force_login(reader)
    for _ in range(3):
        assert client.post(reverse("stack_remove", args=[environment.pk, "shop"])).status_code == 403
    assert said(entry("access.deploy")) == (reader.username, Via.UI, "Garden", "Garden", Outcome.REFUSED)
    assert client.post(reverse("hosts_add", args=[environment.pk])).status_code == 403
    assert entry("access.hosts").outcome == Outcome.REFUSED


def sign_in(client: Client, name: str, password: str) -> int:
    return client.post(reverse("account_login"), {"login": name, "password": password}).status_code


def test_signing_in_and_out(client: Client, environment: Environment) -> None:
    assert sign_in(client, "ada", factories.PASSWORD) == 302
    client.post(reverse("account_logout"))
    assert said(entry("account.sign_in"))[:3] == ("ada", Via.UI, "ada")
    assert said(entry("account.sign_out"))[:3] == ("ada", Via.UI, "ada")


def test_a_failed_sign_in_names_who_was_tried(client: Client, environment: Environment) -> None:
    sign_in(client, "ada", "wrong-password-1")
    failed = entry("account.sign_in")
    assert said(failed) == ("", Via.UI, "ada", "", Outcome.REFUSED)
    assert "wrong-password-1" not in str(AuditEntry.objects.values())


def test_a_password_in_the_box_of_the_name_is_not_kept(client: Client, environment: Environment) -> None:
    sign_in(client, "correct horse battery", "ada")
    assert entry("account.sign_in").object_name == "cor..."


def test_another_password(client: Client, ada: User) -> None:
    sign_in(client, "ada", factories.PASSWORD)
    words = {"oldpassword": factories.PASSWORD, "password1": "staple-of-9-horses", "password2": "staple-of-9-horses"}
    client.post(reverse("account_change_password"), words)
    assert said(entry("account.password_change"))[:3] == ("ada", Via.UI, "ada")


def test_second_factors(client: Client, ada: User, django_capture_on_commit_callbacks: Any) -> None:
    client.logout()
    sign_in(client, "ada", factories.PASSWORD)
    client.post(reverse("account_reauthenticate"), {"password": factories.PASSWORD})
    client.get(reverse("mfa_activate_totp"))
    secret = client.session[totp.SECRET_SESSION_KEY]
    code = totp.format_hotp_value(totp.hotp_value(secret, next(totp.yield_hotp_counters_from_time())))
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("mfa_activate_totp"), {"code": code})
    added = AuditEntry.objects.filter(action="account.factor_add", detail__factor="totp").get()
    assert (added.actor, added.object_name) == ("ada", "ada")
    assert secret not in str(list(AuditEntry.objects.values()))
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("mfa_deactivate_totp"))
    assert AuditEntry.objects.filter(action="account.factor_remove", detail__factor="totp").exists()


def test_an_edit_in_the_admin_site_names_fields_not_values(client: Client) -> None:
    operator = User.objects.create_superuser("root", password=factories.PASSWORD)
    client.force_login(operator)
    address = reverse("admin:auth_user_password_change", args=[operator.pk])
    answer = client.post(address, {"password1": "staple-of-9-horses", "password2": "staple-of-9-horses"})
    assert answer.status_code == 302
    changed = entry("user.update")
    assert (changed.actor, changed.via, changed.object_name) == ("root", Via.ADMIN, "root")
    assert "staple" not in str(list(AuditEntry.objects.values()))


def test_commands_are_no_persons(environment: Environment) -> None:
    with acting(Origin(Via.COMMAND)):
        record("environment.create", environment)
    assert said(entry("environment.create"))[:2] == ("", Via.COMMAND)


def answer(request: HttpRequest) -> HttpResponse:
    record("test.done")
    return HttpResponse()


@pytest.mark.django_db(transaction=True)
async def test_asynchronous_handlers_record_their_origin_too(ada: User) -> None:
    async def handler(request: HttpRequest) -> HttpResponse:
        return await sync_to_async(answer)(request)

    request = AsyncRequestFactory().get("/admin/", headers={"X-Forwarded-For": "10.0.0.9"})
    request.user = ada
    await RequestOrigin(handler)(request)  # type: ignore[misc]
    after = await sync_to_async(record)("test.after")
    done = await AuditEntry.objects.aget(action="test.done")
    assert (done.actor, done.via, done.address) == ("ada", Via.ADMIN, "127.0.0.1")
    assert (after.actor, after.via, after.address) == ("", Via.SYSTEM, None)


@pytest.mark.parametrize(
    ("proxies", "header", "told"),
    [(0, "9.9.9.9", "192.0.2.7"), (1, "6.6.6.6, 9.9.9.9", "9.9.9.9"), (1, "", "192.0.2.7"), (1, "nonsense", None)],
)
def test_only_the_own_proxy_says_who_called(settings: Any, proxies: int, header: str, told: str | None) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    headers = {"X-Forwarded-For": header} if header else {}
    assert client_address(RequestFactory(REMOTE_ADDR="192.0.2.7").get("/", headers=headers)) == told


def test_the_database_refuses_to_change_an_entry() -> None:
    made = record("test.done")
    with pytest.raises(TypeError):
        made.save()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE dashboard_auditentry SET action = 'other' WHERE id = %s", [made.pk])


def entries_of_days(*days: int) -> None:
    for day in days:
        AuditEntry.objects.create(action=f"test.day_{day}", at=timezone.now() - timedelta(days=day))


def test_entries_go_after_their_time_which_is_recorded(settings: Any) -> None:
    settings.PM_AUDIT_DAYS = 30
    entries_of_days(0, 29, 31, 400)
    assert prune("audit", 1, pause=0) == 2
    assert prune("audit", 1, pause=0) == 0
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {"test.day_0", "test.day_29", "audit.prune"}
    assert entry("audit.prune").detail == {"dropped": 2}


def test_entries_stay_for_ever_where_the_operator_wants_it(settings: Any) -> None:
    settings.PM_AUDIT_DAYS = 0
    entries_of_days(4000)
    assert prune("audit", 1, pause=0) == 0
