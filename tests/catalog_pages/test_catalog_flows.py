"""Adding, changing and removing catalogs: what is refused at which field, and who is sent which password."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from dashboard.catalogs.reading import allowed_folder
from dashboard.flows import catalogs as flows
from dashboard.flows.catalogs import MOST_CATALOGS, Place, add_catalog, change_catalog, remove_catalog
from dashboard.models import AuditEntry, Catalog, CatalogKind, Environment, Stack
from platform_manager.errors import UserError
from tests import factories
from tests.catalog_pages.given_catalogs import COMPOSE

pytestmark = pytest.mark.django_db
ADDRESS = "https://git.example.org/recipes"
SIGNED_IN = {"user": "ann", "password": "s3cret"}


@pytest.fixture
def shop() -> Environment:
    return factories.environment(factories.user("anna"), "Shop")


def added(shop: Environment, name: str = "Ours", **fields: Any) -> Catalog:
    place = Place(**{"address": ADDRESS, **fields})
    return add_catalog(shop, shop.owner, kind=CatalogKind.GIT, name=name, place=place)


def test_a_catalog_is_due_at_once_and_its_making_is_recorded(shop: Environment) -> None:
    row = added(shop, "  Our   recipes ", ref="main", folder="/recipes/", **SIGNED_IN)
    assert (row.name, row.ref, row.folder, row.secret, row.created_by) == (
        "Our recipes", "main", "recipes", SIGNED_IN, shop.owner,
    )  # fmt: skip
    assert row.due_at
    entry = AuditEntry.objects.get(action="catalog.create")
    assert (entry.actor, entry.environment) == ("anna", "Shop")
    assert "s3cret" not in str(entry.detail)


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("", "Give the address"),
        ("git@example.org:a/b.git", "begins with https://"),
        ("file:///etc", "begins with https://"),
        ("https://", "begins with https://"),
        ("https://git.example.org/a b", "characters that no address has"),
        ("https://git.example.org:99999/", "a port that can't be"),
        ("https://[::1/", "a port that can't be"),
        ("https://" + "x" * 500, "more than 500"),
        ("http://127.0.0.1/a", "no public address"),
        ("http://localhost:3000/a", "no public address"),
        ("http://[::1]/a", "no public address"),
        ("https://10.0.0.5/a", "no public address"),
    ],
)
def test_an_address_is_public(shop: Environment, address: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as refused:
        added(shop, address=address)
    assert refused.value.field == "address"
    assert not shop.catalogs.exists()


def test_operators_may_allow_private_addresses_to_all(shop: Environment, settings: Any) -> None:
    settings.PM_PRIVATE_CATALOGS = True
    assert added(shop, address="http://127.0.0.1:3000/a").address == "http://127.0.0.1:3000/a"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"folder": "a/../.."}, "folder"),
        ({"ref": "main\n"}, ""),
        ({"ref": "ma\x07in"}, "ref"),
        ({"user": "ann"}, "password"),
    ],
)
def test_what_is_wrong_stands_at_its_field(shop: Environment, fields: dict[str, str], field: str) -> None:
    if not field:
        assert added(shop, **fields).ref == "main"
        return
    with pytest.raises(UserError) as refused:
        added(shop, **fields)
    assert refused.value.field == field


def test_a_name_is_there_once_in_an_environment(shop: Environment) -> None:
    added(shop, "Ours")
    with pytest.raises(UserError, match="a catalog called ours already") as refused:
        added(shop, "ours")
    assert refused.value.field == "name"
    added(factories.environment(), "Ours")


def test_an_environment_has_only_so_many(shop: Environment) -> None:
    for n in range(MOST_CATALOGS):
        factories.catalog(shop, f"c{n}")
    with pytest.raises(UserError, match="at most 30 catalogs"):
        added(shop)


@pytest.mark.parametrize("kind", [CatalogKind.FOLDER, CatalogKind.BUILTIN])
def test_members_add_no_folders_of_the_machine(shop: Environment, kind: CatalogKind) -> None:
    with pytest.raises(UserError, match="Choose a kind"):
        add_catalog(shop, shop.owner, kind=kind, name="x", place=Place("/etc"))


def test_a_password_is_kept_for_its_server_and_its_server_alone(shop: Environment) -> None:
    row = added(shop, **SIGNED_IN)
    for place, secret in (
        (Place("https://git.example.org/other"), SIGNED_IN),
        (Place("https://git.example.org/other", user="bob", password="new"), {"user": "bob", "password": "new"}),
        (Place("https://elsewhere.example.org/recipes"), None),
    ):
        change_catalog(row, shop.owner, name="Ours", place=place)
        row.refresh_from_db()
        assert row.secret == secret


@pytest.mark.parametrize("address", ["http://git.example.org/recipes", "https://git.example.org:8443/recipes"])
def test_another_scheme_or_port_is_another_server(shop: Environment, address: str) -> None:
    row = added(shop, **SIGNED_IN)
    change_catalog(row, shop.owner, name="Ours", place=Place(address))
    assert Catalog.objects.get(pk=row.pk).secret is None


def test_a_password_is_forgotten_when_asked(shop: Environment) -> None:
    row = added(shop, **SIGNED_IN)
    change_catalog(row, shop.owner, name="Ours", place=Place(ADDRESS, forget=True))
    assert Catalog.objects.get(pk=row.pk).secret is None


def test_what_an_operator_allowed_of_an_address_is_not_allowed_of_another(shop: Environment) -> None:
    row = added(shop)
    Catalog.objects.update(private=True, address="http://10.0.0.5/a")
    change_catalog(row, shop.owner, name="Mine", place=Place("http://10.0.0.5/a"))
    assert Catalog.objects.get(pk=row.pk).private
    change_catalog(row, shop.owner, name="Mine", place=Place("http://10.0.0.6/a"))
    assert not Catalog.objects.get(pk=row.pk).private


def test_another_place_ends_the_reading_of_the_old_one(shop: Environment) -> None:
    row = added(shop)
    Catalog.objects.update(commit="c1", reading_since="2026-01-01T00:00Z", problem="Away.", due_at=None)
    change_catalog(row, shop.owner, name="Ours", place=Place(ADDRESS, ref="next"))
    row = Catalog.objects.get(pk=row.pk)
    assert (row.commit, row.reading_since, row.problem) == ("", None, "")
    assert row.due_at


def test_an_upload_is_read_before_it_is_kept(shop: Environment) -> None:
    upload = ("docker-compose.yml", COMPOSE.encode())
    row = add_catalog(shop, shop.owner, kind=CatalogKind.UPLOAD, name="Mine", upload=upload)
    assert bytes(row.upload or b"") == COMPOSE.encode()
    for bad in (("a.json", b"[]"), ("a.zip", b"PK\x03\x04 broken")):
        with pytest.raises(UserError) as refused:
            change_catalog(row, shop.owner, name="Broken", upload=bad)
        assert refused.value.field == "upload"
    with pytest.raises(UserError, match="over 20 MB"):
        change_catalog(row, shop.owner, name="Large", upload=("a.zip", b"x" * (20 * 2**20 + 1)))
    other = ("other/docker-compose.yml", f"{COMPOSE}# more\n".encode())
    with pytest.raises(UserError, match="name"):
        change_catalog(row, shop.owner, name="", upload=other)
    row.refresh_from_db()
    assert (row.name, bytes(row.upload or b"")) == ("Mine", COMPOSE.encode())

    change_catalog(row, shop.owner, name="Ours", upload=other)
    row.refresh_from_db()
    assert (row.name, bytes(row.upload or b"")) == ("Ours", other[1])
    assert AuditEntry.objects.filter(action="catalog.upload").count() == 1


def test_nobody_waits_until_a_large_upload_is_read(shop: Environment) -> None:
    services = "".join(f"  s{n}:\n    image: demo/whoami:${{V{n}}}\n" for n in range(5_000))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(40):
            archive.writestr(f"{n}/docker-compose.yml", f"services:\n{services}")
    began = time.process_time()
    row = add_catalog(shop, shop.owner, kind=CatalogKind.UPLOAD, name="Large", upload=("a.zip", packed.getvalue()))
    assert time.process_time() - began < 3
    assert row.due_at is not None


def test_a_folder_is_where_operators_may_have_catalogs(settings: Any, tmp_path: Path) -> None:
    inside, outside = tmp_path / "catalogs" / "a", tmp_path / "other"
    inside.mkdir(parents=True)
    outside.mkdir()
    (inside / "out").symlink_to(outside)
    settings.PM_CATALOG_FOLDERS = [str(tmp_path / "catalogs")]
    assert allowed_folder(str(inside)) == inside
    for wrong in (outside, inside / "out", inside / ".." / ".." / "other", tmp_path, "catalogs/a"):
        with pytest.raises(UserError, match="PM_CATALOG_FOLDERS") as refused:
            allowed_folder(str(wrong))
        assert refused.value.field == "address"


def test_stacks_stay_when_their_catalog_goes(shop: Environment) -> None:
    row = added(shop)
    stack = factories.stack(shop, "shop", source=factories.recipe(row), recipe="Shop")
    remove_catalog(row, shop.owner)
    stack = Stack.objects.get(pk=stack.pk)
    assert (stack.source, stack.recipe) == (None, "Shop")
    assert AuditEntry.objects.get(action="catalog.remove").detail == {"recipes": 1}


def test_presets_are_turned_off_and_not_removed(shop: Environment) -> None:
    builtin = Catalog.objects.get(kind=CatalogKind.BUILTIN)
    with pytest.raises(UserError, match="Turn it off"):
        remove_catalog(builtin, shop.owner)


def test_a_catalog_is_read_when_somebody_asks(shop: Environment) -> None:
    row = factories.catalog(shop)
    flows.refresh_catalog(row, shop.owner)
    due = Catalog.objects.get(pk=row.pk).due_at
    assert due and row.due_at and due < row.due_at
