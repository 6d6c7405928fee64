"""The pages of image registries: credentials are tried when they are saved, and never shown again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from dashboard.models import AuditEntry, Environment, Origin, RegistryCredential
from dashboard.operations.deploying.registry_auth import NO_LOGINS, auth_for
from dashboard.operations.masking import MASK, Masker, secrets_of
from tests import factories
from tests.engines.fake_registry import Registry, running

pytestmark = pytest.mark.django_db
GOOD = "pässword"


@pytest.fixture
def environment(anna: User) -> Environment:
    return factories.environment(anna, "Shop")


@pytest.fixture
def server(settings: Any) -> Iterator[str]:
    settings.PM_PRIVATE_REGISTRIES = True
    with running() as name:
        yield name


def post(client: Client, environment: Environment, name: str, *args: Any, **data: str) -> Any:
    return client.post(reverse(name, args=[environment.pk, *args]), data, follow=True)


def added(client: Client, environment: Environment, server: str) -> RegistryCredential:
    post(client, environment, "registry_add", server=server, username="ann", password=GOOD)
    return environment.registries.get()


def test_credentials_that_the_registry_takes_are_kept_encrypted(
    client: Client, environment: Environment, server: str
) -> None:
    answer = post(client, environment, "registry_add", server=f"http://{server}/v2/", username="ann", password=GOOD)

    row = environment.registries.get()
    assert (row.server, row.username, row.problem) == (server, "ann", "")
    assert row.secret == {"user": "ann", "password": GOOD}
    assert f"{server} takes these credentials." in answer.content.decode()
    assert GOOD not in answer.content.decode()
    assert AuditEntry.objects.get(action="registry.create").object_name == f"ann at {server}"


def test_a_wrong_password_is_said_at_its_field_and_nothing_is_kept(
    client: Client, environment: Environment, server: str
) -> None:
    answer = post(client, environment, "registry_add", server=server, username="ann", password="wr0ng-word")

    assert answer.status_code == 422
    assert "refused the user or the password" in answer.context["form"].errors["password"][0]
    assert "wr0ng-word" not in answer.content.decode()
    assert 'value="ann"' in answer.content.decode()
    assert not environment.registries.exists()


def test_a_private_address_names_the_setting(
    client: Client, environment: Environment, server: str, settings: Any
) -> None:
    settings.PM_PRIVATE_REGISTRIES = False

    answer = post(client, environment, "registry_add", server=server, username="ann", password=GOOD)

    assert "PM_PRIVATE_REGISTRIES" in answer.context["form"].errors["server"][0]
    assert Registry.seen == []


def test_a_registry_is_there_once(client: Client, environment: Environment, server: str) -> None:
    added(client, environment, server)

    answer = post(client, environment, "registry_add", server=server, username="bob", password=GOOD)

    assert "already: change those" in answer.context["form"].errors["server"][0]


def test_a_blank_password_keeps_the_one_there_is(client: Client, environment: Environment, server: str) -> None:
    row = added(client, environment, server)

    post(client, environment, "registry", row.pk, username="ann", password="")
    assert environment.registries.get().secret == {"user": "ann", "password": GOOD}

    answer = post(client, environment, "registry", row.pk, username="bob", password="")
    assert answer.status_code == 200 or "refused" in answer.content.decode()
    assert environment.registries.get().secret["password"] == GOOD


def test_a_check_keeps_what_is_wrong_until_it_works_again(
    client: Client, environment: Environment, server: str
) -> None:
    row = added(client, environment, server)
    Registry.way = "broken"
    assert "fails at the moment" in post(client, environment, "registry_check", row.pk).content.decode()
    assert "status 503" in environment.registries.get().problem

    Registry.way = "bearer"
    post(client, environment, "registry_check", row.pk)
    assert environment.registries.get().problem == ""


def test_who_takes_anybody_is_saved_and_called_so(client: Client, environment: Environment, server: str) -> None:
    Registry.way = "careless"

    answer = post(client, environment, "registry_add", server=server, username="ann", password="whatever")

    assert f"{server} takes anybody" in answer.content.decode()
    assert environment.registries.get().checked_at is None

    Registry.way = "basic"
    assert post(client, environment, "registry_check", environment.registries.get().pk).status_code == 200
    assert "refused the user or the password" in environment.registries.get().problem


def test_a_removed_registry_is_forgotten(client: Client, environment: Environment, server: str) -> None:
    row = added(client, environment, server)

    post(client, environment, "registry_remove", row.pk)

    assert not environment.registries.exists()
    assert AuditEntry.objects.filter(action="registry.delete").exists()


def test_a_deployment_is_given_only_what_its_images_need_and_no_log_the_password(
    client: Client, environment: Environment, server: str
) -> None:
    added(client, environment, server)

    stack = factories.stack(environment, "shop")
    assert auth_for(stack, ["whoami", "registry.example.org/a"]) == NO_LOGINS
    assert server in (auth_for(stack, [f"{server}/a:1"]) or b"").decode()
    operation = factories.operation(environment, kind="deploy_stack", args={"stack": "shop"})
    assert Masker(secrets_of(operation))(f"denied for {GOOD}") == f"denied for {MASK}"


def test_an_adopted_stack_keeps_the_credentials_that_it_came_with_until_there_are_others(
    client: Client, environment: Environment, server: str
) -> None:
    stack = factories.stack(environment, "shop")
    stack.revisions.update(origin=Origin.ADOPTED)

    assert auth_for(stack, [f"{server}/a:1"]) is None
    added(client, environment, server)
    assert server in (auth_for(stack, [f"{server}/a:1"]) or b"").decode()


def test_the_settings_lead_to_the_registries(client: Client, environment: Environment) -> None:
    page = client.get(reverse("environment_settings", args=[environment.pk])).content.decode()
    assert reverse("registries", args=[environment.pk]) in page
