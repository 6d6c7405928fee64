"""Secrets of clouds go through everything, and then are nowhere: pages, logs, operations, audit log, tables."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from fake_openstack import PASSWORD, SECRET, FakeOpenStack
from openstack_resources import EXTERNAL, INTERNAL

from dashboard.flows.ports import open_port
from dashboard.flows.recreate import recreate_host
from dashboard.models import (
    AuditEntry,
    CloudAccount,
    EnrolmentToken,
    Environment,
    EnvironmentKey,
    LinkKind,
    Operation,
    OperationLog,
)
from dashboard.operations.dispatcher import Dispatcher
from tests import factories
from tests.support.lab import finished
from tests.support.tables import database_address, dbos_address, rows

pytestmark = pytest.mark.django_db(transaction=True)
LOGGERS = ("", "platform", "django", "keystoneauth", "openstack", "urllib3", "requests", "asyncssh", "dbos", "asyncio")
WRONG = "wrong-Zq84-kept"
PAGES = ("environment", "hosts", "hosts_add", "ports", "networks", "operations", "activity", "environment_delete")
OF_HOST = ("host", "host_remove", "host_recreate")
OF_ACCOUNT = ("cloud_account", "cloud_cleanup", "cloud_cleanup_things")


@pytest.fixture(autouse=True)
def worker(settings: Any) -> Iterator[None]:
    settings.PM_HOST_SECONDS, settings.PM_DIRECT_FROM = 0, "192.0.2.0/24"
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
def client(ann: User) -> Client:
    client = Client()
    client.force_login(ann)
    return client


def test_secrets_of_clouds_are_nowhere(
    logs: pytest.LogCaptureFixture, fake: FakeOpenStack, client: Client, environment: Environment
) -> None:
    shown = [*adds_accounts(client, fake)]
    account = CloudAccount.objects.get(name="By password")
    for link in (LinkKind.DIRECT, LinkKind.REVERSE):
        shown += adds_a_host(client, environment, account, link)
    uses_them(environment)
    shown += pages(client, environment)
    tokens = [EnrolmentToken.of(host) for host in environment.hosts.all()]
    key = EnvironmentKey.objects.get().private_key["private"].splitlines()
    shown.append(client.post(reverse("cloud_account_check", args=[account.pk]), follow=True).content.decode())

    seen = {
        "audit log": str(list(AuditEntry.objects.values())),
        "operations": str([*Operation.objects.values(), *OperationLog.objects.values()]),
        "pages": "".join(shown),
        "logs": logs.text,
        "tables": "".join(rows(database_address())),
        "DBOS": "".join(rows(dbos_address())),
    }
    secrets = [PASSWORD, SECRET, WRONG, *fake.tokens, *tokens, *key[1:-1]]
    assert all(seen.values()) and all(secrets) and len(fake.tokens) > 1 and len(key) > 5
    assert [(place, secret) for place, text in seen.items() for secret in secrets if secret in text] == []


def adds_accounts(client: Client, fake: FakeOpenStack) -> Iterator[str]:
    """Refused, by password, by file and by application credential."""
    typed = {"auth_url": fake.url, "user": "ann", "project": "demo", "region": "Spain2"}
    openrc = f"export OS_AUTH_URL={fake.url}\nexport OS_USERNAME=ann\nexport OS_PROJECT_NAME=demo\n"
    openrc += f"export OS_REGION_NAME=Spain2\nexport OS_PASSWORD={PASSWORD}\n"
    credential = {"auth_url": fake.url, "credential_id": "cred-1", "credential_secret": SECRET, "region": "Spain2"}
    for name, way, words in (
        ("Wrong", "password", {**typed, "password": WRONG}),
        ("By password", "password", {**typed, "password": PASSWORD}),
        ("By file", "file", {"pasted": openrc}),
        ("By credential", "credential", credential),
    ):
        answer = client.post(reverse("cloud_account_new"), {"name": name, "way": way, **words}, follow=True)
        assert CloudAccount.objects.filter(name=name).exists() == (name != "Wrong"), answer.content.decode()
        yield answer.content.decode()


def adds_a_host(client: Client, environment: Environment, account: CloudAccount, link: str) -> Iterator[str]:
    """It never calls in."""
    lists = {"flavor": "f-m1.small", "image": "i-base_debian_12", "network": INTERNAL, "pool": EXTERNAL, "link": link}
    words = {"driver": account.pk, "options_of": account.pk, "prefix": "fw", "quantity": 1, **lists}
    for page in ("hosts_options", "hosts_plan"):
        yield client.get(reverse(page, args=[environment.pk]), words).content.decode()
    answer = client.post(reverse("hosts_add", args=[environment.pk]), words)
    assert answer.status_code == 302, answer.content.decode()
    finished(environment.operations.order_by("-id").first() or Operation(), seconds=60)


def uses_them(environment: Environment) -> None:
    """A port opened, a host recreated, and an account whose password is wrong by now."""
    host = environment.hosts.order_by("name").first()
    assert host is not None
    finished(open_port(environment, environment.owner, protocol="tcp", port=8080, source="0.0.0.0/0"), seconds=60)
    finished(recreate_host(host, environment.owner), seconds=60)
    account = CloudAccount.objects.get(name="By file")
    account.secret = {**account.secret, "password": WRONG}
    account.save()


def pages(client: Client, environment: Environment) -> Iterator[str]:
    addresses = [reverse(page, args=[environment.pk]) for page in PAGES]
    for host in environment.hosts.all():
        addresses += [
            reverse(page, args=[environment.pk, host.pk]) for page in ("host", "host_remove", "host_recreate")
        ]
    for operation in environment.operations.all():
        addresses.append(reverse("operation", args=[environment.pk, operation.pk]))
        addresses.append(addresses[-1] + "?format=text")
    for account in CloudAccount.objects.all():
        addresses += [
            reverse(page, args=[account.pk]) for page in ("cloud_account", "cloud_cleanup", "cloud_cleanup_things")
        ]
    operator = Client()
    operator.force_login(factories.user("root", is_staff=True, is_superuser=True))
    for address in [*addresses, reverse("cloud_accounts")]:
        answer = client.get(address)
        assert answer.status_code == 200, address
        yield (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()
    for kind in ("cloudaccount", "cloudsession", "environmentkey", "host", "operation", "auditentry"):
        yield operator.get(reverse(f"admin:dashboard_{kind}_changelist")).content.decode()
