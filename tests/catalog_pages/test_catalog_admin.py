"""Operators look after everybody's catalogs in the admin site."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from dashboard.models import AuditEntry, Catalog, CatalogKind, PlatformSettings
from tests import factories
from tests.catalog_pages.given_catalogs import COMPOSE

pytestmark = pytest.mark.django_db
ADD = "admin:dashboard_catalog_add"
CHANGE = "admin:dashboard_catalog_change"


@pytest.fixture(autouse=True)
def operator(client: Client) -> None:
    client.force_login(factories.user("olga", is_staff=True))


def posted(client: Client, where: str, **given: Any) -> str:
    """What the page says where it refuses, "" where it saved."""
    answer = client.post(where, {"position": "0", "enabled": "on", **given})
    return "" if answer.status_code == 302 else answer.content.decode()


def added(client: Client, **given: Any) -> str:
    return posted(client, reverse(ADD), **given)


def test_a_catalog_of_everybodys_is_made_and_its_password_goes_one_way(client: Client) -> None:
    given = {"kind": "git", "address": "https://git.example.org/a", "user": "ann", "password": "s3cret"}
    assert added(client, name="For all", **given) == ""
    row = Catalog.objects.get(name="For all")
    assert (row.environment, row.secret) == (None, {"user": "ann", "password": "s3cret"})
    assert row.created_by is not None
    assert row.due_at is not None
    change = reverse(CHANGE, args=[row.pk])
    assert "s3cret" not in client.get(change).content.decode()
    assert posted(client, change, name="For all", address=row.address, ref="main") == ""
    row = Catalog.objects.get(pk=row.pk)
    assert (row.ref, row.secret) == ("main", {"user": "ann", "password": "s3cret"})
    assert AuditEntry.objects.filter(action="catalog.update", actor="olga").exists()
    assert posted(client, change, name="For all", address="https://elsewhere.example.org/a") == ""
    assert Catalog.objects.get(pk=row.pk).secret is None


def test_private_addresses_are_for_operators_to_allow(client: Client) -> None:
    given = {"name": "Near", "kind": "list", "address": "http://10.0.0.5/templates.json"}
    assert "This is no public address." in added(client, **given)
    assert added(client, **given, private="on") == ""


def test_folders_are_where_the_settings_say(client: Client, settings: Any, tmp_path: Any) -> None:
    given = {"name": "Near", "kind": "folder", "address": str(tmp_path)}
    assert "The folder is in none that may hold catalogs" in added(client, **given)
    settings.PM_CATALOG_FOLDERS = [str(tmp_path)]
    assert added(client, **given) == ""


def test_the_built_in_catalog_is_there_once(client: Client) -> None:
    assert "The built-in catalog is there already" in added(client, name="Again", kind="builtin")


def test_a_file_is_uploaded(client: Client) -> None:
    assert "Choose a file." in added(client, name="File", kind="upload")
    file = SimpleUploadedFile("docker-compose.yml", COMPOSE.encode())
    assert added(client, name="File", kind="upload", file=file) == ""
    assert bytes(Catalog.objects.get(name="File").upload or b"") == COMPOSE.encode()


def test_a_preset_can_be_turned_off_but_neither_moved_nor_deleted(client: Client) -> None:
    row = Catalog.objects.get(kind=CatalogKind.BUILTIN)
    change = reverse(CHANGE, args=[row.pk])
    assert client.post(change, {"name": "Ours", "position": "3", "address": "https://x.example.org"}).status_code == 302
    row = Catalog.objects.get(pk=row.pk)
    assert (row.name, row.position, row.enabled, row.address) == ("Ours", 3, False, "")
    assert client.post(reverse("admin:dashboard_catalog_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


def test_of_an_environments_catalog_only_what_operators_decide_is_changed(client: Client) -> None:
    row = factories.catalog(factories.environment(name="Shop"), "Theirs", commit="c1")
    assert posted(client, reverse(CHANGE, args=[row.pk]), private="on", address="https://x.example.org") == ""
    after = Catalog.objects.get(pk=row.pk)
    assert (after.private, after.address, after.name, after.commit) == (True, row.address, "Theirs", "c1")


def test_a_catalog_is_read_now(client: Client) -> None:
    row = factories.catalog()
    client.post(reverse("admin:dashboard_catalog_deed", args=[row.pk, "refresh"]))
    due = Catalog.objects.get(pk=row.pk).due_at
    assert due and row.due_at and due < row.due_at


def test_operators_forbid_what_recipes_may_ask_of_hosts(client: Client) -> None:
    address = reverse("admin:dashboard_platformsettings_change", args=[1])
    assert "What recipes may not ask of hosts" in client.get(address).content.decode()
    given = {"registration": "unknown", "creators": "everybody", "forbid_docker_socket": "on"}
    assert client.post(address, given).status_code == 302
    assert PlatformSettings.current().forbidden == {"docker_socket"}
