"""Networks, secrets and configs of no stack are removed, and what somebody needs stays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dashboard.flows.shared_objects import remove_shared
from dashboard.models import AuditEntry, Environment, HostRole
from dashboard.operations.nodes.managers import NoManager
from platform_manager.errors import UserError
from platform_manager.swarm.snapshot import STACK_LABEL
from tests import factories
from tests.engines.fake_engine import FakeEngine, http
from tests.flows.conftest import managing

pytestmark = pytest.mark.django_db

OF_SHOP = {STACK_LABEL: "shop"}
IN_USE = "secret 'key' is in use by the following service: shop_web"


@pytest.fixture
def environment(client: Client) -> Environment:
    made = factories.environment()
    factories.host(made, role=HostRole.MANAGER)
    client.force_login(made.owner)
    return made


@pytest.fixture
def engine(environment: Environment, settings: Any) -> Iterator[FakeEngine]:
    """The manager's."""
    with managing(environment, settings) as engine:
        engine.answers["/secrets"] = http([
            {"ID": "s1", "Spec": {"Name": "key"}}, {"ID": "s2", "Spec": {"Name": "shop_key", "Labels": OF_SHOP}},
        ])  # fmt: skip
        engine.answers["/networks"] = http([
            {"Id": "n1", "Name": "other"}, {"Id": "n2", "Name": "shop_default", "Labels": OF_SHOP},
        ])  # fmt: skip
        engine.answers |= {"/secrets/s1": http(b"", status=204), "/networks/n1": http(b"", status=204)}
        yield engine


def deleted(engine: FakeEngine) -> list[str]:
    return [request.path for request in engine.requests if request.method == "DELETE"]


@pytest.mark.parametrize(
    ("kind", "name", "path"), [("secret", "key", "/secrets/s1"), ("network", "other", "/networks/n1")]
)
def test_what_belongs_to_no_stack_goes(
    environment: Environment, engine: FakeEngine, client: Client, kind: str, name: str, path: str
) -> None:
    address = reverse("shared_remove", args=[environment.pk, kind, name])
    assert f"Remove the {kind}" in client.get(address).content.decode()
    assert deleted(engine) == []
    assert client.post(address).status_code == 302
    assert deleted(engine) == [path]
    entry = AuditEntry.objects.get(action=f"{kind}.remove")
    assert (entry.object_kind, entry.object_name, entry.environment_id) == (kind, name, environment.pk)


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("secret", "shop_key", "shop_key belongs to the stack shop, and goes with it."),
        ("network", "shop_default", "shop_default belongs to the stack shop"),
        ("network", "frontend", "frontend comes with every environment"),
        ("network", "ingress", "ingress comes with every environment"),
    ],
)
def test_what_somebody_needs_stays(
    environment: Environment, engine: FakeEngine, kind: str, name: str, words: str
) -> None:
    with pytest.raises(UserError, match=words):
        remove_shared(environment, environment.owner, kind, name)
    assert deleted(engine) == []
    assert not AuditEntry.objects.filter(action=f"{kind}.remove").exists()


def test_what_is_in_use_stays_and_the_page_says_who_uses_it(
    environment: Environment, engine: FakeEngine, client: Client
) -> None:
    engine.answers["/secrets/s1"] = http({"message": f"rpc error: code = InvalidArgument desc = {IN_USE}"}, status=400)
    page = client.post(reverse("shared_remove", args=[environment.pk, "secret", "key"]))
    assert page.status_code == 409
    assert "key is in use, so it stays." in page.content.decode()
    assert "shop_web" in page.content.decode()


def test_what_is_gone_already_is_no_error(environment: Environment, engine: FakeEngine) -> None:
    remove_shared(environment, environment.owner, "secret", "lost")
    assert deleted(engine) == []


def test_without_a_manager_nothing_is_said_to_be_removed(environment: Environment) -> None:
    with pytest.raises(NoManager):
        remove_shared(environment, environment.owner, "secret", "key")
    assert not AuditEntry.objects.filter(action="secret.remove").exists()


def test_names_that_no_address_can_hold_are_listed_all_the_same(environment: Environment, client: Client) -> None:
    row = factories.snapshot(environment, networks=[factories.network("a/b"), factories.network("")])
    row.secrets = '{"k/e": "", "": ""}'
    row.save()
    page = client.get(reverse("networks", args=[environment.pk])).content.decode()
    assert "k/e" in page and "a/b" in page
    assert "/remove/" not in page


def test_the_page_lists_whose_each_is_and_offers_to_remove_what_is_nobodys(
    environment: Environment, client: Client
) -> None:
    networks = [
        factories.network("other"),
        factories.network("frontend"),
        factories.network("shop_default", stack="shop"),
    ]
    row = factories.snapshot(environment, networks=networks)
    row.secrets, row.configs = '{"key": "", "shop_key": "shop"}', '["old"]'
    row.save()
    page = client.get(reverse("networks", args=[environment.pk])).content.decode()
    assert 'id="secret-shop_key"' in page
    offered = {
        f"{kind} {name}"
        for kind, name in [
            ("secret", "key"), ("secret", "shop_key"), ("config", "old"),
            ("network", "other"), ("network", "frontend"), ("network", "shop_default"),
        ]
        if reverse("shared_remove", args=[environment.pk, kind, name]) in page
    }  # fmt: skip
    assert offered == {"secret key", "config old", "network other"}
