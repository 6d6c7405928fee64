"""Secret values go through everything, and then are nowhere: audit log, operations, pages, logs, tables."""

from __future__ import annotations

import logging
import re
from base64 import b64decode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import asyncssh
import pytest
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from dashboard.models import (
    AuditEntry,
    Catalog,
    EnrolmentToken,
    Environment,
    Host,
    HostState,
    Operation,
    OperationLog,
    RecipeVersion,
    RegistryCredential,
    Revision,
    Stack,
)  # fmt: skip
from dashboard.operations.dispatcher import Dispatcher
from platform_manager.recipes import Question, QuestionKind
from tests import factories
from tests.catalogs.servers import reply, serving
from tests.engines.fake_registry import Registry, running
from tests.support.lab import finished, until
from tests.support.tables import database_address, dbos_address, rows
from tests.views.deploy_world import recipe, version

pytestmark = pytest.mark.django_db(transaction=True)
LOGGERS = ("", "platform", "django", "allauth", "dbos", "asyncssh", "asyncio")
ANSWER, WRONG, FRESH = "answer-Zq81-kept", "wrong-Zq82-kept", "fresh-Zq83-kept"
TOKEN = "token-Zq84-kept"
PIN, CONTENT, FILE = "pin-Zq85-kept", "content-Zq86-kept", "file-Zq87-kept"
REGISTRY = "registry-Zq88-kept"
QUERY = "query-Zq89-kept"
COMPOSE = """\
services:
  web:
    image: 127.0.0.1:1/whoami:1
    command: ["--pin", "${PIN}"]
    environment: {ADMIN_PASSWORD: "${ADMIN_PASSWORD}", CODE: "${PIN}"}
    labels: {told: "${PIN}"}
    deploy: {labels: {told: "${PIN}"}}
    secrets: [outside, own]
secrets:
  outside: {external: true}
  own: {file: ./own.txt}
"""
# Every page of an environment that takes no other argument, and those of the stack and its deployment.
PAGES = (
    *("environment", "hosts", "stacks", "services", "networks", "operations", "activity", "members"),
    *("catalog", "catalogs", "catalog_new", "registries", "registry_add", "stack_deploy"),
)


@pytest.fixture
def worker() -> Iterator[None]:
    cache.clear()
    worker = Dispatcher()
    worker.start()
    yield
    worker.stop()


@pytest.fixture
def logs(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    for name in LOGGERS:
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


@pytest.fixture
def garden() -> Environment:
    made = factories.environment(factories.user("ada"), "Garden")
    factories.host(made, "fw-01", role="manager")
    factories.snapshot(made, nodes=[factories.node(1)])
    return made


def test_secret_values_are_nowhere(
    worker: None, logs: pytest.LogCaptureFixture, garden: Environment, settings: Any
) -> None:
    settings.PM_PRIVATE_CATALOGS = True
    client = Client()
    settings.PM_PRIVATE_REGISTRIES = True
    secrets = [factories.PASSWORD, WRONG, FRESH, ANSWER, TOKEN, PIN, CONTENT, FILE, REGISTRY, QUERY]
    signed_in_with_words(client)
    secrets.append(second_factor(client))
    secrets.append(host_token(client, garden))
    secrets.append(invitation_token(client, garden))
    deployed_with_answers(client, garden)
    registry_signed_in_at(client, garden)
    catalogs_that_refuse_a_token(client, garden)

    seen = {
        "audit log": str(list(AuditEntry.objects.values())),
        "operations": str([*Operation.objects.values(), *OperationLog.objects.values()]),
        "pages": "".join(pages(client, garden)),
        "logs": logs.text,
        "tables": "".join(rows(database_address())),
        "DBOS": "".join(rows(dbos_address())),
    }
    assert all(seen.values())
    assert len(set(secrets)) == 13
    assert [(place, secret) for place, text in seen.items() for secret in secrets if secret in text] == []


def signed_in_with_words(client: Client) -> None:
    """A wrong password, the right one in the wrong box, the right one, another one."""
    address = reverse("account_login")
    for name, password in (("ada", WRONG), (factories.PASSWORD, "ada"), ("ada", factories.PASSWORD)):
        answer = client.post(address, {"login": name, "password": password})
    assert answer.status_code == 302
    words = {"oldpassword": factories.PASSWORD, "password1": FRESH, "password2": FRESH}
    assert client.post(reverse("account_change_password"), words).status_code == 302
    client.post(reverse("account_reauthenticate"), {"password": FRESH})


def second_factor(client: Client) -> str:
    """The seed, which was shown once to be scanned."""
    client.get(reverse("mfa_activate_totp"))
    seed = str(client.session[totp.SECRET_SESSION_KEY])
    code = totp.format_hotp_value(totp.hotp_value(seed, next(totp.yield_hotp_counters_from_time())))
    client.post(reverse("mfa_activate_totp"), {"code": code})
    assert AuditEntry.objects.filter(action="account.factor_add").exists()
    return seed


def host_token(client: Client, garden: Environment) -> str:
    """One with which a machine comes without facts, then rightly, then another machine."""
    host = Host.objects.create(environment=garden, name="fw-02", state=HostState.BOOTING)
    token = EnrolmentToken.issue(host)
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    bodies: list[Any] = ["nonsense", {"public_key": key}, {"public_key": other}]
    answers = [client.post(f"/join/{token}", body, content_type="application/json") for body in bodies]
    assert [answer.status_code for answer in answers] == [400, 200, 403]
    return token


def invitation_token(client: Client, garden: Environment) -> str:
    """The owner is shown the link once; a stranger and nobody follow it."""
    address = reverse("members_invite", args=[garden.pk])
    answer = client.post(address, {"who": "bob@example.org", "role": "member"}, follow=True)
    found = re.search(r"/invitations/([\w-]{20,})/", answer.content.decode())
    assert found, answer.content.decode()
    for visitor in (Client(), client):
        visitor.get(found[0])
        visitor.post(found[0], {"answer": "nonsense"})
    return found[1]


def deployed_with_answers(client: Client, garden: Environment) -> None:
    """There is no engine behind the host, so that the deployment fails, with all it says then.

    It is given an answer whose question says by its name what it is and one whose question has another name, and what
    a secret from outside and one of a file hold.
    """
    question = Question("PIN", QuestionKind.PASSWORD, "Number of the till", default=None)
    chosen = version(recipe(title="Till"), questions=(question,), compose=COMPOSE, files={})
    given = {"answer.ADMIN_PASSWORD": ANSWER, "answer.PIN": PIN, "secret.outside": CONTENT, "file.own.txt": FILE}
    words = {"name": "shop", "version": str(chosen.pk), **given}
    for page in ("stack_preview", "stack_plan", "stack_deploy"):
        answer = client.post(reverse(page, args=[garden.pk]), words)
        assert not any(secret in answer.content.decode() for secret in (ANSWER, PIN, CONTENT, FILE)), page
    assert answer.status_code == 302, answer.content.decode()
    finished(garden.operations.get(kind="deploy_stack"), seconds=60)
    assert AuditEntry.objects.filter(action="deploy_stack.finished").exists()


def registry_signed_in_at(client: Client, garden: Environment) -> None:
    """Which takes a password, and then another no more."""
    with running() as server:
        Registry.way = "basic"
        words = {"server": server, "username": "ann", "password": REGISTRY}
        answer = client.post(reverse("registry_add", args=[garden.pk]), words)
        assert REGISTRY not in answer.content.decode()
        Registry.way = "broken"
        client.post(reverse("registry_add", args=[garden.pk]), {**words, "server": "127.0.0.1:1"})


def catalogs_that_refuse_a_token(client: Client, garden: Environment) -> None:
    """Servers that say the token back, in what they answer."""

    def refuse(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        told.append(b64decode(request.headers.get("Authorization", "").partition(" ")[2]))
        reply(request, b"You said " + told[-1], status=403 if told[-1] else 401, WWW_Authenticate="Basic")

    told: list[bytes] = []
    asked: list[str] = []
    with serving(refuse) as url:
        for kind in ("git", "list"):
            words = {"name": kind, "address": f"{url}/{kind}", "user": "ada", "password": TOKEN}
            words["address"] += f"?key={QUERY}" if kind == "list" else ""
            assert client.post(reverse("catalog_new", args=[garden.pk]) + f"?kind={kind}", words).status_code == 302
            # A form that is refused says nothing of it either.
            again = client.post(reverse("catalog_new", args=[garden.pk]) + f"?kind={kind}", words)
            assert TOKEN not in again.content.decode()
        read = garden.catalogs.exclude(problem="")
        until(lambda: read.count() == 2, what="both were tried", seconds=60)
    assert {one.partition(b":")[2] for one in told if one} == {TOKEN.encode()}
    assert f"/list?key={QUERY}" in asked


def pages(client: Client, garden: Environment) -> Iterator[str]:
    operation = garden.operations.get(kind="deploy_stack")
    addresses = [reverse(page, args=[garden.pk]) for page in PAGES]
    addresses += [reverse("catalog_edit", args=[garden.pk, one.pk]) for one in garden.catalogs.all()]
    addresses += [reverse(page, args=[garden.pk, "shop"]) for page in ("stack", "stack_update", "stack_remove")]
    addresses += [reverse("stack_compare", args=[garden.pk, "shop"])]
    addresses += [reverse(page, args=[garden.pk, "shop", 1]) for page in ("stack_revision", "stack_roll_back")]
    addresses += [reverse("operation", args=[garden.pk, operation.pk])]
    addresses += [addresses[-1] + "?format=text", reverse("profile"), reverse("mfa_index")]
    operator = Client()
    operator.force_login(factories.user("root", is_staff=True, is_superuser=True))
    for address in addresses:
        for visitor in (client, operator):
            answer = visitor.get(address, follow=True)
            assert answer.status_code == 200, address
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content
            yield content.decode()
    for model in (AuditEntry, Operation, Revision, Host, Stack, Catalog, RecipeVersion, RegistryCredential):
        name = f"admin:dashboard_{model._meta.model_name}"
        yield operator.get(reverse(f"{name}_changelist")).content.decode()
        for pk in model._default_manager.values_list("pk", flat=True)[:10]:
            yield operator.get(reverse(f"{name}_change", args=[pk])).content.decode()
