"""A token in a catalog's address is sent to its server, and shown to nobody."""

from __future__ import annotations

import importlib
import json
import logging
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from dashboard.admin.export import FORMATS, told
from dashboard.catalogs import presets
from dashboard.catalogs.refreshing import claim, due, refresh
from dashboard.flows.catalogs import Place, add_catalog, change_catalog
from dashboard.models import AuditEntry, Catalog, CatalogKind, Environment
from platform_manager.errors import UserError
from tests import factories
from tests.catalogs.servers import reply, serving
from tests.support.http_proxy import proxying

pytestmark = pytest.mark.django_db
LIST = "https://lists.example.org/t.json"
TOKEN = "t0ken-Zq91-kept"
LISTED = json.dumps({"version": "2", "templates": [{"type": 1, "title": "Web", "image": "demo/web"}]}).encode()


@pytest.fixture
def shop() -> Environment:
    return factories.environment(factories.user("anna"), "Shop")


def added(shop: Environment, address: str, kind: CatalogKind = CatalogKind.LIST, **fields: Any) -> Catalog:
    return add_catalog(shop, shop.owner, kind=kind, name="Ours", place=Place(address, **fields))


def read(catalog: Catalog) -> Catalog:
    Catalog.objects.filter(pk=catalog.pk).update(due_at="2026-01-01T00:00Z", reading_since=None)
    row = due().get(pk=catalog.pk)
    assert claim(row)
    refresh(row)
    return Catalog.objects.get(pk=catalog.pk)


def test_a_token_is_kept_apart_and_sent(shop: Environment, settings: Any) -> None:
    asked: list[str] = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        reply(request, LISTED)

    with serving(answer) as url, proxying() as proxy:
        settings.PM_CATALOG_PROXY = proxy.address
        proxy.lead("lists.example.org", url)
        row = read(added(shop, f"http://lists.example.org/t.json?ref=main&token={TOKEN}"))
    assert (row.problem, row.recipes.count()) == ("", 1)
    assert row.address == "http://lists.example.org/t.json?ref=main&token=••••"
    assert asked == [f"/t.json?ref=main&token={TOKEN}"]


def test_it_stays_while_the_rest_changes_and_goes_to_no_other_server(shop: Environment) -> None:
    row = added(shop, f"{LIST}?token={TOKEN}")
    change_catalog(row, shop.owner, name="Mine", place=Place("https://lists.example.org/new.json?token=••••"))
    row.refresh_from_db()
    assert (row.secret, row.address) == ({"query": f"token={TOKEN}"}, "https://lists.example.org/new.json?token=••••")
    with pytest.raises(UserError, match="Write the address out") as refused:
        change_catalog(row, shop.owner, name="Mine", place=Place("https://elsewhere.example.org/t.json?token=••••"))
    assert refused.value.field == "address"
    change_catalog(row, shop.owner, name="Mine", place=Place(LIST))
    row.refresh_from_db()
    assert (row.secret, row.address) == (None, LIST)


def test_a_password_stays_when_only_the_token_changes(shop: Environment) -> None:
    row = added(shop, f"{LIST}?token=old", user="ann", password="pw")
    change_catalog(row, shop.owner, name="Ours", place=Place(f"{LIST}?token=new"))
    row.refresh_from_db()
    assert row.secret == {"user": "ann", "password": "pw", "query": "token=new"}
    change_catalog(row, shop.owner, name="Ours", place=Place(row.address, forget=True))
    row.refresh_from_db()
    assert row.secret == {"query": "token=new"}


@pytest.mark.parametrize(
    ("address", "fields", "secret"),
    [
        ("https://ann:p%40ss@git.example.org/a", {}, {"user": "ann", "password": "p@ss"}),
        ("https://ann@git.example.org/a", {"password": "pw"}, {"user": "ann", "password": "pw"}),
        (
            "https://abcdefghijklmnopqrstuvwxyz@git.example.org/a",
            {},
            {"user": "", "password": "abcdefghijklmnopqrstuvwxyz"},
        ),
    ],
)
def test_user_and_password_of_an_address_become_credentials(
    shop: Environment, address: str, fields: dict[str, str], secret: dict[str, str]
) -> None:
    row = added(shop, address, CatalogKind.GIT, **fields)
    assert row.address == "https://git.example.org/a"
    assert {"user": "", **(row.secret or {})} == secret


@pytest.mark.parametrize(
    ("address", "fields", "field", "sentence"),
    [
        ("https://ann:pw@git.example.org/a", {"user": "bob", "password": "x"}, "address", "once"),
        ("https://ann@git.example.org/a", {}, "password", "password or token too"),
        ("https://git.example.org/a?token=s3cret", {}, "address", "no '\\?'"),
        ("https://git.example.org/a?token=••••", {}, "address", "not known here"),
    ],
)
def test_what_can_not_be_kept_is_refused_at_its_field(
    shop: Environment, address: str, fields: dict[str, str], field: str, sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence) as refused:
        added(shop, address, CatalogKind.GIT, **fields)
    assert refused.value.field == field
    assert "s3cret" not in str(refused.value)


def test_masks_that_make_an_address_too_long_are_refused(shop: Environment) -> None:
    with pytest.raises(UserError, match="too many values"):
        added(shop, f"{LIST}?{'&'.join(f'a{n}=b' for n in range(70))}")


def test_nobody_is_shown_it_anywhere(
    client: Client, shop: Environment, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.PM_PRIVATE_CATALOGS = True
    for name in ("", "urllib3.connectionpool", "urllib3.poolmanager", "urllib3.util.retry", "platform"):
        caplog.set_level(logging.DEBUG, logger=name)

    def away(request: BaseHTTPRequestHandler) -> None:
        there = "/gone" not in request.path
        reply(request, b"", status=302 if there else 404, Location=f"/gone?token={TOKEN}")

    client.force_login(shop.owner)
    with serving(away) as url:
        words = {"name": "Ours", "address": f"{url}/t.json?token={TOKEN}", "user": "ann", "password": "pw"}
        answer = client.post(reverse("catalog_new", args=[shop.pk]) + "?kind=list", words)
        assert answer.status_code == 302
        row = read(shop.catalogs.get())
    assert "nothing at this address" in row.problem
    operator = Client()
    operator.force_login(factories.user("root", is_staff=True, is_superuser=True))
    shown = {"log": caplog.text, "row": str(Catalog.objects.values("address", "problem", "report"))}
    for name, arguments in (
        ("catalogs", [shop.pk]),
        ("catalog", [shop.pk]),
        ("activity", [shop.pk]),
        ("catalog_edit", [shop.pk, row.pk]),
        ("catalog_remove", [shop.pk, row.pk]),
        ("admin:dashboard_catalog_changelist", []),
        ("admin:dashboard_catalog_change", [row.pk]),
        ("admin:dashboard_auditentry_changelist", []),
        ("admin:dashboard_auditentry_change", [AuditEntry.objects.get(action="catalog.create").pk]),
    ):
        for visitor in [operator] if name.startswith("admin") else [client, operator]:
            page = visitor.get(reverse(name, args=arguments), follow=True)
            assert page.status_code == 200, name
            shown[name] = shown.get(name, "") + page.content.decode()
    assert "GET /t.json?token=*** " in shown["log"]
    assert "token=••••" in shown["catalogs"]
    assert "token=••••" in shown["catalog_edit"]
    assert [place for place, text in shown.items() if TOKEN in text] == []


def test_entries_of_earlier_releases_are_told_without_it() -> None:
    entry = AuditEntry.objects.create(
        action="catalog.create", detail={"kind": "list", "address": f"{LIST}?token={TOKEN}"}
    )
    operator = Client()
    operator.force_login(factories.user("root", is_staff=True, is_superuser=True))
    page = operator.get(reverse("admin:dashboard_auditentry_change", args=[entry.pk])).content.decode()
    assert "lists.example.org" in page
    assert TOKEN not in page
    assert told({"address": "ann@example.org", "n": 1}) == {"address": "ann@example.org", "n": 1}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("form", list(FORMATS))
async def test_an_export_of_them_is_too(form: str) -> None:
    from asgiref.sync import sync_to_async

    from dashboard.admin.export import _parts

    make = sync_to_async(AuditEntry.objects.create)
    await make(action="catalog.create", detail={"address": f"{LIST}?token={TOKEN}"})
    told = "".join([part async for part in _parts(AuditEntry.objects.all(), FORMATS[form])])
    assert "lists.example.org" in told
    assert TOKEN not in told


def test_addresses_of_earlier_releases_lose_it(shop: Environment) -> None:
    plain = factories.catalog(shop, "Plain", kind=CatalogKind.LIST, address=f"{LIST}?ref=main")
    query = factories.catalog(shop, "Query", kind=CatalogKind.LIST, address=f"{LIST}?token={TOKEN}")
    login = factories.catalog(shop, "Login", address="https://ann:pw@git.example.org/a")
    importlib.import_module("dashboard.migrations.0014_addresses_without_secrets").move(apps, None)
    for row in (plain, query, login):
        row.refresh_from_db()
    assert (plain.address, plain.secret) == (f"{LIST}?ref=main", None)
    assert (query.address, query.secret) == (f"{LIST}?token=••••", {"query": f"token={TOKEN}"})
    assert (login.address, login.secret) == ("https://git.example.org/a", {"user": "ann", "password": "pw"})


def test_the_preset_address_of_a_setting_is_shown_without_its_password(settings: Any) -> None:
    settings.PM_SMARTSDK_RECIPES = "https://ann:s3cret@git.example.org/recipes"
    presets.ensure()
    row = Catalog.objects.get(pk=presets.SMARTSDK_ID)
    assert (row.address, row.secret) == ("https://git.example.org/recipes", {"user": "ann", "password": "s3cret"})
