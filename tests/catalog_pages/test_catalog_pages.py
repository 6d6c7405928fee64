"""The pages of the catalog: what is found, what each card and recipe says, and sources."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from dashboard.catalogs.rows import category_line
from dashboard.models import Catalog, CatalogRecipe, Environment, MemberRole, RecipeVersion
from platform_manager.recipes.questions import Question, QuestionKind
from tests import factories
from tests.catalog_pages.given_catalogs import COMPOSE

pytestmark = pytest.mark.django_db
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture(autouse=True)
def no_presets() -> None:
    Catalog.objects.all().delete()


def get(client: Client, shop: Environment, name: str = "catalog", *args: object, **query: str) -> str:
    answer = client.get(reverse(name, args=[shop.pk, *args]), query)
    assert answer.status_code == 200
    return answer.content.decode()


def found(client: Client, shop: Environment, **query: str) -> list[str]:
    page = client.get(reverse("catalog", args=[shop.pk]), query)
    return [card.recipe.title for card in page.context["listing"].items]


def in_category(catalog: Catalog, title: str, *categories: str) -> CatalogRecipe:
    search = "\n".join([title, *map(category_line, categories)]).lower()
    return factories.recipe(catalog, title, categories=list(categories), search=search)


def test_recipes_of_everybody_and_of_the_environment_are_shown_and_no_others(
    client: Client, shop: Environment, ours: Catalog
) -> None:
    factories.recipe(ours, "mine")
    factories.recipe(factories.catalog(name="All"), "Theirs")
    factories.recipe(factories.catalog(factories.environment()), "Secret")
    factories.recipe(factories.catalog(enabled=False), "Off")
    factories.recipe(ours, "Gone", gone_at="2026-01-01T00:00Z")
    factories.recipe(ours, "Operators", operators_only=True)
    assert found(client, shop) == ["mine", "Theirs"]
    client.force_login(factories.user(is_staff=True))
    assert found(client, shop) == ["mine", "Operators", "Theirs"]


def test_every_word_is_searched(client: Client, shop: Environment, ours: Catalog) -> None:
    factories.recipe(ours, "Orion", search="orion context broker 100%")
    factories.recipe(ours, "Mongo", search="mongo database broker")
    assert found(client, shop, q="Broker ORION") == ["Orion"]
    assert found(client, shop, q="broker") == ["Mongo", "Orion"]
    assert found(client, shop, q="0%") == ["Orion"]
    # PostgreSQL takes no NUL in a text.
    assert found(client, shop, q="ori\x00on") == ["Orion"]
    assert found(client, shop, category="\x00") == ["Mongo", "Orion"]
    page = get(client, shop, q="nothing of the kind")
    assert "No recipe matches" in page
    assert "Show all recipes" in page


def test_categories_and_sources_narrow_the_list(client: Client, shop: Environment, ours: Catalog) -> None:
    in_category(ours, "Orion", "Data", "Context")
    in_category(ours, "Database", "Storage")
    other = factories.catalog(name="Other", report={"categories": {"data": 2}})
    in_category(other, "Quantum", "data")
    Catalog.objects.filter(pk=ours.pk).update(report={"categories": {"Data": 1, "Storage": 1}})
    assert found(client, shop, category="Data") == ["Orion", "Quantum"]
    assert found(client, shop, category="dat") == []
    assert found(client, shop, category="Data", source=str(other.pk)) == ["Quantum"]
    assert found(client, shop, source="nonsense") == ["Database", "Orion", "Quantum"]
    assert "Data (3)" in get(client, shop)


def test_a_long_list_is_paged(client: Client, shop: Environment, ours: Catalog) -> None:
    for n in range(50):
        factories.recipe(ours, f"r{n:02d}")
    assert len(found(client, shop)) == 24
    assert found(client, shop, p="3") == ["r48", "r49"]
    assert "49 to 50 of 50 recipes" in get(client, shop, p="3")
    assert "12 recipes found among 50" not in get(client, shop, q="r1")
    assert "10 recipes found among 50" in get(client, shop, q="r1")


def test_a_recipe_says_which_stacks_came_from_it_and_which_could_be_upgraded(
    client: Client, shop: Environment, ours: Catalog
) -> None:
    recipe = factories.recipe(ours, "Orion", versions=("2.0", "1.0"))
    factories.stack(shop, "old", source=recipe, version="1.0", version_digest="digest of 1.0")
    factories.stack(factories.environment(), "elsewhere", source=recipe)
    page = get(client, shop)
    assert "In use" in page
    assert reverse("stack", args=[shop.pk, "old"]) in page
    assert "Upgrade available" in page
    assert "elsewhere" not in page
    upgrade = f"{reverse('stack_update', args=[shop.pk, 'old'])}?version={recipe.versions.get(label='2.0').pk}"
    page = get(client, shop, "catalog_recipe", recipe.pk)
    assert "See what 2.0 changes" in page
    assert upgrade in page
    assert upgrade in get(client, shop, "stack", "old")


@pytest.mark.parametrize(
    ("version", "digest", "preferred", "upgrade"),
    [
        ("2.0", "digest of 2.0", "", False),
        ("1.0", "digest of 1.0", "", True),
        ("1.0", "digest of 1.0", "1.0", False),
        # Newer than what the catalog prefers.
        ("2.0", "digest of 2.0", "1.0", False),
        # The same label holds something else now.
        ("2.0", "older", "", True),
        ("0.5", "gone", "", True),
        ("2.0", "", "", False),
    ],
)
def test_an_upgrade_is_what_the_stack_does_not_have_yet(
    client: Client, shop: Environment, ours: Catalog, version: str, digest: str, preferred: str, upgrade: bool
) -> None:
    recipe = factories.recipe(ours, "Orion", versions=("2.0", "1.0"), preferred=preferred)
    factories.stack(shop, "web", source=recipe, version=version, version_digest=digest)
    assert ("Upgrade available" in get(client, shop)) == upgrade


def test_versions_that_can_not_be_deployed_are_no_upgrade(client: Client, shop: Environment, ours: Catalog) -> None:
    recipe = factories.recipe(ours, "Orion", versions=("2.0", "1.0"))
    recipe.versions.filter(label="2.0").update(refusal="It needs links.")
    factories.stack(shop, "web", source=recipe, version="1.0", version_digest="digest of 1.0")
    assert "Upgrade available" not in get(client, shop)


def test_the_list_takes_few_queries_however_long_it_is(client: Client, shop: Environment, ours: Catalog) -> None:
    counts = []
    for n in range(2):
        for m in range(1 + 20 * n):
            recipe = factories.recipe(ours, f"r{n}{m}")
            factories.stack(shop, f"s{n}{m}", source=recipe, version_digest="old")
        with CaptureQueriesContext(connection) as queries:
            get(client, shop, q="r")
        counts.append(len(queries))
        assert not [one for one in queries if "compose" in one["sql"] or '"logo"' in one["sql"]]
    assert counts[0] == counts[1] <= 16


def test_empty_lists_say_what_to_do(client: Client, shop: Environment) -> None:
    assert "No catalog yet" in get(client, shop)
    assert reverse("catalog_new", args=[shop.pk]) in get(client, shop)
    broken = factories.catalog(shop, "Broken", problem="The server does not answer.", read_at=None)
    page = get(client, shop)
    assert "Broken could not be read" in page
    assert "The server does not answer." in page
    assert "No recipes here" in page
    broken.delete()
    reader = factories.member(shop, role=MemberRole.READ_ONLY)
    client.force_login(reader)
    assert reverse("catalog_new", args=[shop.pk]) not in get(client, shop)


def test_while_a_catalog_is_read_the_pages_look_again(client: Client, shop: Environment, ours: Catalog) -> None:
    for name in ("catalog", "catalogs"):
        assert "every 2s" not in get(client, shop, name)
    Catalog.objects.update(due_at="2026-01-01T00:00Z")
    for name in ("catalog", "catalogs"):
        assert "every 2s" in get(client, shop, name)


# One recipe


def test_a_recipe_shows_what_it_asks_and_brings(client: Client, shop: Environment, ours: Catalog) -> None:
    recipe = factories.recipe(ours, "Orion", description="<p>A <em>broker</em>.</p>", link="https://example.org/o")
    secret = Question("ADMIN_PASSWORD", QuestionKind.PASSWORD, default="hidden-default")
    stray = Question("STRAY", label="Nobody asks")
    recipe.versions.update(
        questions=[secret.as_dict(), stray.as_dict(), Question("PRESET", hidden=True).as_dict()],
        notes=["links became aliases."],
        files={"conf/a.json": "e30="},
        readme="<h1>Read</h1>",
    )
    page = get(client, shop, "catalog_recipe", recipe.pk)
    for words in (
        "<em>broker</em>",
        "ADMIN_PASSWORD",
        "GREETING",
        "links became aliases.",
        "conf/a.json",
        "2 B",
        "<h1>Read",
    ):
        assert words in page
    assert "No file of the recipe mentions it." in page
    assert "the catalog says nothing of it" in page
    assert "hidden-default" not in page
    assert "PRESET" not in page
    version = recipe.versions.get()
    assert f'{reverse("stack_deploy", args=[shop.pk])}?version={version.pk}"' in page


def test_of_several_versions_the_preferred_is_shown_first_and_refused_ones_say_why(
    client: Client, shop: Environment, ours: Catalog
) -> None:
    recipe = factories.recipe(ours, "Orion", versions=("3.0", "2.0", "1.0"), preferred="1.0")
    recipe.versions.filter(label="3.0").update(refusal="It shares volumes between containers.", compose="")

    def shown(**query: str) -> Any:
        return client.get(reverse("catalog_recipe", args=[shop.pk, recipe.pk]), query)

    assert shown().context["version"].label == "1.0"
    assert shown(version="2.0").context["version"].label == "2.0"
    assert shown(version="9").context["version"].label == "1.0"
    refused = shown(version="3.0").content.decode()
    assert "It shares volumes between containers." in refused
    assert reverse("stack_deploy", args=[shop.pk]) not in refused


def test_a_recipe_whose_files_can_not_be_read_still_opens(client: Client, shop: Environment, ours: Catalog) -> None:
    recipe = factories.recipe(ours, "Odd", versions=())
    assert "Odd" in get(client, shop, "catalog_recipe", recipe.pk)
    recipe.versions.create(label="1", compose="{", questions=[Question("A").as_dict()])
    assert "<code>A</code>" in get(client, shop, "catalog_recipe", recipe.pk)


def test_who_may_not_deploy_gets_no_button(client: Client, shop: Environment, ours: Catalog) -> None:
    recipe = factories.recipe(ours, "Orion")
    client.force_login(factories.member(shop, role=MemberRole.READ_ONLY))
    for page in (get(client, shop), get(client, shop, "catalog_recipe", recipe.pk)):
        assert reverse("stack_deploy", args=[shop.pk]) not in page


def test_recipes_of_others_are_not_found(client: Client, shop: Environment, ours: Catalog) -> None:
    theirs = factories.recipe(factories.catalog(factories.environment()), logo=SVG, logo_type="image/svg+xml")
    hidden = factories.recipe(ours, operators_only=True)
    for pk in (theirs.pk, hidden.pk):
        for name in ("catalog_recipe", "catalog_logo"):
            assert client.get(reverse(name, args=[shop.pk, pk])).status_code == 404


def test_a_recipe_that_left_is_seen_where_a_stack_came_from_it(
    client: Client, shop: Environment, ours: Catalog
) -> None:
    recipe = factories.recipe(ours, "Orion", gone_at="2026-01-01T00:00Z")
    assert client.get(reverse("catalog_recipe", args=[shop.pk, recipe.pk])).status_code == 404
    factories.stack(shop, "web", source=recipe)
    page = get(client, shop, "catalog_recipe", recipe.pk)
    assert "left its catalog" in page
    assert "?version=" not in page


def test_a_logo_runs_nothing_and_is_kept_by_browsers(client: Client, shop: Environment, ours: Catalog) -> None:
    address = reverse("catalog_logo", args=[shop.pk, factories.recipe(ours, logo=SVG, logo_type="image/svg+xml").pk])
    answer = client.get(address)
    assert (answer.content, answer["Content-Type"]) == (SVG, "image/svg+xml")
    assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert client.get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    CatalogRecipe.objects.update(logo=b"<html>", logo_type="text/html")
    assert client.get(address).status_code == 404


# Sources


def test_sources_say_how_reading_them_went(client: Client, shop: Environment, ours: Catalog) -> None:
    skipped = [{"path": "old/compose.yml", "sentence": "It is no YAML."}]
    Catalog.objects.filter(pk=ours.pk).update(report={"skipped": skipped, "format": "Rancher catalog"})
    factories.recipe(ours)
    factories.catalog(name="All", problem="The server does not answer.", address="/srv/secret", kind="folder")
    factories.catalog(factories.environment(), "Theirs")
    factories.catalog(shop, "Waiting", read_at=None, due_at=None)
    page = get(client, shop, "catalogs")
    for words in ("Partly read", "old/compose.yml", "It is no YAML.", "Rancher catalog", "Not read yet", "Failed"):
        assert words in page
    assert "The server does not answer." in page
    assert "Theirs" not in page
    assert "/srv/secret" not in page


def test_only_operators_read_everybodys_catalogs_anew(client: Client, shop: Environment) -> None:
    everybodys = factories.catalog(name="All")
    address = reverse("catalog_refresh", args=[shop.pk, everybodys.pk])
    assert client.post(address).status_code == 404
    assert address not in get(client, shop, "catalogs")
    client.force_login(factories.user(is_staff=True))
    assert address in get(client, shop, "catalogs")
    assert client.post(address).status_code == 302
    assert client.post(reverse("catalog_remove", args=[shop.pk, everybodys.pk])).status_code == 404


@pytest.mark.parametrize("kind", ["git", "list"])
def test_a_catalog_is_added_and_its_errors_stand_at_their_fields(client: Client, shop: Environment, kind: str) -> None:
    address = reverse("catalog_new", args=[shop.pk]) + f"?kind={kind}"
    given = {"name": "Ours", "address": "ftp://example.org", "user": "ann", "password": "s3cret"}
    refused = client.post(address, given)
    assert refused.status_code == 422
    page = refused.content.decode()
    assert re.search(r'id="id_address_error"[^>]*>Write an address that begins with https://', page)
    assert "s3cret" not in page
    assert 'value="Ours"' in page
    assert client.post(address, {**given, "address": "https://example.org/a"}).status_code == 302
    row = shop.catalogs.get()
    assert (row.kind, row.secret) == (kind, {"user": "ann", "password": "s3cret"})
    edit = get(client, shop, "catalog_edit", row.pk)
    assert "s3cret" not in edit
    assert 'value="ann"' not in edit
    client.post(reverse("catalog_edit", args=[shop.pk, row.pk]), {"name": "Renamed", "address": row.address})
    assert (shop.catalogs.get().name, shop.catalogs.get().secret) == ("Renamed", row.secret)


def test_a_file_is_uploaded_and_later_another(client: Client, shop: Environment) -> None:
    address = reverse("catalog_new", args=[shop.pk]) + "?kind=upload"
    assert "Choose a file." in client.post(address, {"name": "Mine"}).content.decode()
    empty = SimpleUploadedFile("a.json", b"[]")
    refused = client.post(address, {"name": "Mine", "upload": empty}).content.decode()
    assert re.search(r'id="id_upload_error"[^>]*>There is no recipe in it', refused)
    # Once, with what a catalog holds.
    assert refused.count("There is no recipe in it") == 1
    assert "A catalog holds compose files" in refused
    file = SimpleUploadedFile("docker-compose.yml", COMPOSE.encode())
    assert client.post(address, {"name": "Mine", "upload": file}).status_code == 302
    row = shop.catalogs.get()
    assert (row.kind, row.upload_name) == ("upload", "docker-compose.yml")
    edit = reverse("catalog_edit", args=[shop.pk, row.pk])
    assert client.post(edit, {"name": "Still mine"}).status_code == 302
    assert bytes(shop.catalogs.get().upload or b"") == COMPOSE.encode()
    other = SimpleUploadedFile("docker-compose.yml", COMPOSE.encode() + b"# more\n")
    client.post(edit, {"name": "Still mine", "upload": other})
    assert bytes(shop.catalogs.get().upload or b"").endswith(b"# more\n")


def test_before_a_catalog_is_removed_it_is_said_what_goes_and_what_stays(
    client: Client, shop: Environment, ours: Catalog
) -> None:
    factories.stack(shop, "web", source=factories.recipe(ours))
    page = get(client, shop, "catalog_remove", ours.pk)
    assert "1 recipe goes" in page
    assert "1 stack came from it and stays" in page
    assert client.post(reverse("catalog_remove", args=[shop.pk, ours.pk])).status_code == 302
    assert not RecipeVersion.objects.exists()
    assert shop.stacks.filter(name="web").exists()


def test_a_recipe_page_asks_neither_for_what_the_platform_gives_nor_for_what_has_a_default(
    client: Client, shop: Environment, ours: Catalog
) -> None:
    recipe = factories.recipe(ours, "Mongo")
    asked = [
        Question("DOCKER_MTU", default="1400"),
        Question("SIZE", default="1", required=True),
        Question("KEY", required=True),
    ]
    recipe.versions.update(questions=[one.as_dict() for one in asked])
    page = client.get(reverse("catalog_recipe", args=[shop.pk, recipe.pk]))
    told = {one.question.variable: one.must for one in page.context["questions"]}
    assert "DOCKER_MTU" not in told
    assert (told["SIZE"], told["KEY"]) == (False, True)
