"""Catalogs read for real, from where they lie to the page: git on loopback, lists, archives and folders."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dashboard.catalogs.refreshing import claim, due, refresh
from dashboard.models import Catalog, CatalogKind, CatalogRecipe, Environment
from tests import factories
from tests.catalog_pages.given_catalogs import COMPOSE
from tests.catalogs.servers import commit, git_backend, reply, serving

pytestmark = pytest.mark.django_db
FILES = {
    "broker/docker-compose.yml": COMPOSE.encode(),
    "broker/README.md": b"# Broker\n\nKeeps context.\n\n<script>alert(1)</script>\n",
    "broker/mastermind.yml": b"name: Orion\nversion: '1.0'\ndescription: Keeps context.\n",
    "db/docker-compose.yml": COMPOSE.encode(),
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    found = tmp_path / "recipes"
    commit(found, FILES)
    return found


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def address(repository: Path, asked: list[str]) -> Iterator[str]:
    with serving(git_backend(repository.parent, asked)) as url:
        yield f"{url}/recipes"


def refreshed(catalog: Catalog) -> Catalog:
    Catalog.objects.filter(pk=catalog.pk).update(due_at="2026-01-01T00:00Z")
    row = due().get(pk=catalog.pk)
    assert claim(row)
    refresh(row)
    return Catalog.objects.get(pk=catalog.pk)


def titles(catalog: Catalog) -> list[str]:
    return sorted(catalog.recipes.filter(gone_at=None).values_list("title", flat=True))


def test_a_git_repository_is_read_and_read_again_when_it_changed(
    client: Client, shop: Environment, repository: Path, address: str, asked: list[str]
) -> None:
    row = refreshed(factories.catalog(shop, "Ours", address=address, private=True))
    assert (row.problem, len(row.commit)) == ("", 40)
    assert "Broker" in titles(row)
    broker = row.recipes.get(title="Broker")
    page = client.get(reverse("catalog_recipe", args=[shop.pk, broker.pk])).content.decode()
    assert "VERSION" in page
    assert "alert(1)" not in page

    asked.clear()
    assert refreshed(row).commit == row.commit
    assert all("upload-pack" in path for path in asked)
    assert len([path for path in asked if path.endswith("/git-upload-pack")]) <= 1

    (repository / "db" / "docker-compose.yml").unlink()
    commit(repository, {"web/docker-compose.yml": COMPOSE.encode()})
    again = refreshed(row)
    assert again.commit != row.commit
    assert len(titles(again)) == 2
    assert CatalogRecipe.objects.get(title="Broker").pk == broker.pk


def test_a_repository_at_a_private_address_is_refused_unless_it_is_allowed(
    shop: Environment, address: str, asked: list[str], settings: Any
) -> None:
    row = refreshed(factories.catalog(shop, "Ours", address=address))
    assert "not a public address" in row.problem or "public" in row.problem
    assert (titles(row), asked) == ([], [])
    settings.PM_PRIVATE_CATALOGS = True
    assert len(titles(refreshed(row))) == 2


def test_a_list_names_compose_files_of_a_repository(shop: Environment, address: str) -> None:
    templates = [
        {
            "type": 2,
            "title": title,
            "description": "One of a list",
            "categories": ["Data"],
            "repository": {"url": address, "stackfile": path},
        }
        for title, path in (("Broker", "broker/docker-compose.yml"), ("None", "none/docker-compose.yml"))
    ]
    body = json.dumps({"version": "2", "templates": templates}).encode()
    with serving(lambda request: reply(request, body)) as url:
        row = factories.catalog(shop, "List", kind=CatalogKind.LIST, address=f"{url}/templates.json", private=True)
        row = refreshed(row)
    assert row.problem == ""
    broker, missing = (row.recipes.get(title=title).versions.get() for title in ("Broker", "None"))
    assert (broker.compose, broker.refusal) == (COMPOSE, "")
    assert "could not be read: there is no such file" in missing.refusal


def test_an_archive_is_uploaded_and_read(client: Client, shop: Environment) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, data in FILES.items():
            archive.writestr(path, data)
    packed.seek(0)
    packed.name = "recipes.zip"
    address = reverse("catalog_new", args=[shop.pk]) + "?kind=upload"
    assert client.post(address, {"name": "Mine", "upload": packed}).status_code == 302
    assert len(titles(refreshed(shop.catalogs.get()))) == 2


def test_a_folder_of_the_machine_is_read_while_it_is_allowed(repository: Path, settings: Any) -> None:
    row = factories.catalog(None, "Near", kind=CatalogKind.FOLDER, address=str(repository))
    assert "PM_CATALOG_FOLDERS" in refreshed(row).problem
    settings.PM_CATALOG_FOLDERS = [str(repository.parent)]
    assert len(titles(refreshed(row))) == 2
    Catalog.objects.update(folder="../..")
    assert "PM_CATALOG_FOLDERS" in refreshed(row).problem
    assert len(titles(row)) == 2
