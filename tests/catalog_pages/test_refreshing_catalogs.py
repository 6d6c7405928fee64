"""Reading catalogs: what is stored, what stays, who reads, and when it is tried again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dashboard.catalogs import presets, remotes, rows, watch
from dashboard.catalogs.refreshing import FAULT, Sources, claim, due, refresh
from dashboard.catalogs.watch import CatalogWatch
from dashboard.models import Catalog, CatalogKind, CatalogRecipe, RecipeVersion
from platform_manager.catalogs.base import Logo, Remote, Skipped, Version
from platform_manager.recipes.questions import Choice, Question, QuestionKind, question_of
from tests import factories
from tests.catalog_pages.given_catalogs import COMPOSE, Given, entry
from tests.support.lab import until

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\nold"


@pytest.fixture
def catalog() -> Catalog:
    return factories.catalog(factories.environment(name="Shop"), "Recipes")


def titles(catalog: Catalog) -> list[str]:
    return list(catalog.recipes.filter(gone_at=None).values_list("title", flat=True))


def test_what_a_catalog_holds_is_stored(catalog: Catalog) -> None:
    question = Question("VERSION", QuestionKind.ENUM, default="1.0", choices=(Choice("1.0", "old"), Choice("2.0", "")))
    versions = (
        Version("2.0", compose=COMPOSE, files={"conf/a": b"\x00\xff"}, questions=(question,), readme="# Hi\n<script>x"),
        Version("1.0", refusal="It needs links."),
    )
    found = entry("web", versions=versions, description="*Fine*", categories=("Web", "web"), logo=Logo(PNG))
    read = Given((found,), skipped=(Skipped("old/", "It is broken."),)).refreshed(catalog)
    row = read.recipes.get()
    assert (row.key, row.title, row.logo_type, row.versions_told, row.deployable) == (
        "web",
        "Web",
        "image/png",
        2,
        True,
    )
    assert bytes(row.logo or b"") == PNG
    assert "<em>Fine</em>" in row.description
    newest, refused = row.versions.all()
    assert (newest.label, newest.files, question_of(newest.questions[0])) == ("2.0", {"conf/a": "AP8="}, question)
    assert "script" not in newest.readme
    assert (refused.refusal, refused.compose, refused.digest) == ("It needs links.", "", "")
    assert (read.commit, read.problem, read.reading_since) == ("c1", "", None)
    assert read.report["skipped"] == [{"path": "old/", "sentence": "It is broken."}]
    assert read.report["categories"] == {"Web": 1, "web": 1}


def test_a_known_state_writes_nothing_but_the_times(catalog: Catalog) -> None:
    given = Given((entry("web"),))
    before = given.refreshed(catalog)
    with CaptureQueriesContext(connection) as queries:
        after = given.refreshed(catalog)
    assert given.known == ["", "c1"]
    written = [one["sql"].split()[1] for one in queries if one["sql"].startswith(("UPDATE", "INSERT", "DELETE"))]
    assert set(written) == {'"dashboard_catalog"'}
    assert after.read_at != before.read_at


def test_only_versions_that_changed_are_written(catalog: Catalog) -> None:
    Given((entry("web", "2.0", "1.0"), entry("db"))).refreshed(catalog)
    pks = dict(RecipeVersion.objects.values_list("pk", "digest"))
    changed = entry("web", versions=(Version("3.0", compose=COMPOSE), Version("2.0", compose=f"{COMPOSE}# more\n")))
    Given((changed, entry("db")), "c2").refreshed(catalog)
    labels = list(CatalogRecipe.objects.get(key="web").versions.values_list("label", flat=True))
    assert labels == ["3.0", "2.0"]
    assert RecipeVersion.objects.get(label="2.0").digest not in pks.values()
    assert CatalogRecipe.objects.get(key="db").versions.get().pk in pks


def test_a_recipe_that_left_goes_unless_a_stack_came_from_it(catalog: Catalog) -> None:
    Given((entry("web"), entry("db"))).refreshed(catalog)
    assert catalog.environment
    stack = factories.stack(catalog.environment, "shop", source=CatalogRecipe.objects.get(key="db"))
    Given((entry("new"),), "c2").refreshed(catalog)
    assert titles(catalog) == ["New"]
    stack.refresh_from_db()
    assert stack.source is not None
    assert stack.source.gone_at is not None
    Given((entry("db"),), "c3").refreshed(catalog)
    assert titles(catalog) == ["Db"]


def test_what_a_source_gave_last_stays_while_it_is_broken(catalog: Catalog) -> None:
    given = Given((entry("web"),))
    given.refreshed(catalog)
    given.problem = "The server does not answer."
    broken = given.refreshed(catalog)
    assert (broken.problem, broken.commit, titles(catalog)) == ("The server does not answer.", "c1", ["Web"])
    assert broken.report["recipes"] == 1
    given.problem = ""
    assert given.refreshed(catalog).problem == ""


def test_a_failed_reading_is_tried_again_soon_and_then_more_and_more_seldom(catalog: Catalog) -> None:
    given = Given((entry("web"),), problem="Away.")
    pauses = []
    for _ in range(5):
        row = given.refreshed(catalog)
        assert row.due_at
        pauses.append(round((row.due_at - timezone.now()).total_seconds() / 60))
    assert pauses == [5, 10, 20, 40, settings.PM_CATALOG_SECONDS // 60]
    given.problem = ""
    given.refreshed(catalog)
    assert given.refreshed(catalog).report.get("failures") is None


def test_what_trips_a_reader_is_told_and_not_tried_without_end(
    catalog: Catalog, caplog: pytest.LogCaptureFixture
) -> None:
    def trip() -> None:
        raise RecursionError

    row = Given(meanwhile=trip).refreshed(catalog)
    assert (row.problem, row.reading_since) == (FAULT, None)
    assert "RecursionError" in caplog.text
    assert row not in due()


def test_an_uploaded_catalog_is_read_once(catalog: Catalog) -> None:
    Catalog.objects.update(kind=CatalogKind.UPLOAD)
    assert Given((entry("web"),)).refreshed(catalog).due_at is None


def test_without_a_schedule_catalogs_are_read_when_asked(catalog: Catalog, settings: Any) -> None:
    settings.PM_CATALOG_SECONDS = 0
    assert Given((entry("web"),)).refreshed(catalog).due_at is None


def test_what_databases_refuse_is_no_hindrance(catalog: Catalog) -> None:
    odd = entry("w\x00eb", title="Bad \ud800 title" + "x" * 400, summary="a\x00b\nc", categories=("x" * 90,))
    Given((odd, entry("y" * 301), entry("web"), entry("web"))).refreshed(catalog)
    row = catalog.recipes.get(key="web")
    assert (len(row.title), row.summary, len(row.categories[0])) == (200, "ab c", 40)
    skipped = Catalog.objects.get(pk=catalog.pk).report["skipped"]
    assert [one["sentence"].partition(" ")[0] for one in skipped] == ["It", "Another", "Another"]


def test_a_catalog_is_as_large_as_it_may_be(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MOST_RECIPES", 3)
    monkeypatch.setattr(rows, "MOST_VERSIONS", 2)
    monkeypatch.setattr(rows, "MOST_FILE_BYTES", 1000)
    large = Version("1", compose=COMPOSE, files={"a": b"x" * 1001})
    given = Given((entry("a", "1", "2", "3"), entry("b", versions=(large,)), entry("c"), entry("d")))
    row = given.refreshed(catalog)
    assert titles(catalog) == ["A", "B", "C"]
    assert row.report["skipped"][0]["sentence"] == "A catalog has at most 3 recipes here."
    assert catalog.recipes.get(key="a").versions.count() == 2
    assert "Its files have more than" in catalog.recipes.get(key="b").versions.get().refusal


# Compose files of other repositories

FAR = "https://git.example.org/far"


def distant(path: str = "web/docker-compose.yml", address: str = FAR, **fields: Any) -> Any:
    return entry("web", versions=(Version("1.0", remote=Remote(address, path, "main")),), **fields)


def test_a_compose_file_elsewhere_is_fetched_with_the_files_beside_it(catalog: Catalog) -> None:
    tree = {"web/docker-compose.yml": COMPOSE.encode(), "web/conf/a.json": b"{}", "other/b": b""}
    given = Given((distant(), distant(title="Twice")), repositories={FAR: tree})
    given.refreshed(catalog)
    version = RecipeVersion.objects.get()
    assert (version.compose, version.files, version.refusal) == (COMPOSE, {"conf/a.json": "e30="}, "")
    assert given.asked == [(FAR, "main")]


@pytest.mark.parametrize(
    ("tree", "why"),
    [
        ({}, "there is no such file"),
        ({"web/docker-compose.yml": b"\xff"}, "it is no text"),
        (None, "https://git.example.org/far does not answer"),
    ],
)
def test_one_that_can_not_be_had_says_why_and_an_earlier_one_stays(catalog: Catalog, tree: Any, why: str) -> None:
    given = Given((distant(),), repositories={FAR: tree} if tree is not None else {})
    row = given.refreshed(catalog)
    sentence = f"Its compose file at web/docker-compose.yml of {FAR} (main) could not be read: {why}"
    assert RecipeVersion.objects.get().refusal.startswith(sentence)
    assert not catalog.recipes.get().deployable
    assert row.report["skipped"][0]["sentence"].startswith(sentence)

    good = {FAR: {"web/docker-compose.yml": COMPOSE.encode()}}
    given.repositories = good
    given.refreshed(catalog)
    assert catalog.recipes.get().deployable
    given.repositories = {FAR: tree} if tree is not None else {}
    given.refreshed(catalog)
    assert (RecipeVersion.objects.get().compose, RecipeVersion.objects.get().refusal) == (COMPOSE, "")
    assert catalog.recipes.get().deployable


def test_one_that_no_swarm_takes_is_refused_though_an_earlier_one_was_good(catalog: Catalog) -> None:
    given = Given((distant(),), repositories={FAR: {"web/docker-compose.yml": COMPOSE.encode()}})
    given.refreshed(catalog)
    given.repositories = {FAR: {"web/docker-compose.yml": b"version: '2'\nservices: {web: {image: a}}\n"}}
    given.refreshed(catalog)
    assert "compose file of version 2" in RecipeVersion.objects.get().refusal


def test_not_more_repositories_are_fetched_than_may_be(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remotes, "REPOSITORIES", 2)
    one = [entry(f"r{n}", versions=(Version("1", remote=Remote(f"{FAR}{n}", "a")),)) for n in range(4)]
    given = Given(tuple(one))
    given.refreshed(catalog)
    assert len(given.asked) == 2
    assert "more than 200 repositories" in RecipeVersion.objects.get(recipe__key="r3").refusal


def test_repositories_that_take_too_long_are_left_out(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remotes, "REPOSITORIES_SECONDS", -1)
    given = Given((distant(),))
    given.refreshed(catalog)
    assert given.asked == []


def test_a_repository_that_is_too_much_is_left_out_and_a_file_of_it_is_read_once_for_all(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remotes, "MOST_STORED", 3_000)
    beside = {f"{path}/large": b"x" * 2_000 for path in ("web", "db")}
    tree = {**beside, "web/compose.yml": COMPOSE.encode(), "db/compose.yml": COMPOSE.encode()}
    paths = ("web/compose.yml", "web/compose.yml", "db/compose.yml", "web/compose.yml")
    versions = tuple(Version(str(n), remote=Remote(FAR, path)) for n, path in enumerate(paths))
    row = Given((entry("web", versions=versions),), repositories={FAR: tree}).refreshed(catalog)
    refused = RecipeVersion.objects.exclude(refusal="").get()
    assert (refused.label, "MB of files for its recipes" in refused.refusal) == ("2", True)
    assert len(row.report["skipped"]) == 1


def test_a_catalog_stores_only_so_much_however_often_it_shows_the_same_files(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MOST_STORED", 5_000)
    large = Version("1", compose=COMPOSE, files={"large": b"x" * 2_000})
    row = Given(tuple(entry(key, versions=(large,)) for key in "abcd")).refreshed(catalog)
    assert [one.refusal[:11] for one in RecipeVersion.objects.order_by("recipe__key")] == ["", "", *2 * ["The recipes"]]
    assert "Split the catalog" in row.report["skipped"][0]["sentence"]


# Who reads, and when


def test_of_two_workers_one_reads(catalog: Catalog) -> None:
    Catalog.objects.update(due_at=timezone.now())
    first, second = due().get(pk=catalog.pk), due().get(pk=catalog.pk)
    assert [claim(first), claim(second)] == [True, False]
    assert catalog not in due()


def test_what_a_dead_worker_had_is_read_by_another_and_its_own_late_result_is_dropped(catalog: Catalog) -> None:
    Catalog.objects.update(due_at=timezone.now(), reading_since=timezone.now() - timedelta(minutes=11))
    late = due().get(pk=catalog.pk)
    assert claim(late)
    Catalog.objects.update(reading_since=timezone.now() - timedelta(minutes=12))
    taken = due().get(pk=catalog.pk)
    assert claim(taken)
    given = Given((entry("late"),))
    refresh(late, Sources(given.read, given.fetcher))
    assert titles(catalog) == []
    given.entries = (entry("taken"),)
    refresh(taken, Sources(given.read, given.fetcher))
    assert titles(catalog) == ["Taken"]


def test_what_was_read_from_a_place_that_counts_no_more_is_dropped(catalog: Catalog) -> None:
    def moved() -> None:
        Catalog.objects.filter(pk=catalog.pk).update(address="https://b.example.org", reading_since=None)

    Given((entry("old"),), meanwhile=moved).refreshed(catalog)
    assert titles(catalog) == []


def test_a_catalog_that_is_removed_while_it_is_read_stays_removed(catalog: Catalog) -> None:
    given = Given((entry("old"),), meanwhile=Catalog.objects.filter(pk=catalog.pk).delete)
    Catalog.objects.filter(pk=catalog.pk).update(due_at=timezone.now())
    row = due().get(pk=catalog.pk)
    claim(row)
    refresh(row, Sources(given.read, given.fetcher))
    assert not CatalogRecipe.objects.exists()


def test_who_asks_while_it_is_read_gets_another_reading(catalog: Catalog) -> None:
    def asked() -> None:
        Catalog.objects.filter(pk=catalog.pk).update(due_at=timezone.now())

    Given((entry("web"),), meanwhile=asked).refreshed(catalog)
    assert catalog in due()


def test_a_catalog_that_was_turned_off_is_not_read(catalog: Catalog) -> None:
    Catalog.objects.update(due_at=timezone.now(), enabled=False)
    assert catalog not in due()


# The presets


def test_the_presets_are_made_and_follow_the_setting(settings: Any) -> None:
    Catalog.objects.all().delete()
    presets.ensure()
    assert list(Catalog.objects.values_list("name", "kind")) == [("Built in", "builtin")]
    for place, kind in (("https://git.example.org/a", "git"), ("/srv/recipes", "folder")):
        settings.PM_SMARTSDK_RECIPES = place
        presets.ensure()
        row = Catalog.objects.get(pk=presets.SMARTSDK_ID)
        assert (row.kind, row.address, row.commit) == (kind, place, "")
        Catalog.objects.filter(pk=row.pk).update(commit="read")
        presets.ensure()
        assert Catalog.objects.get(pk=row.pk).commit == "read"
    settings.PM_SMARTSDK_RECIPES = "none"
    presets.ensure()
    assert not Catalog.objects.filter(pk=presets.SMARTSDK_ID).exists()


def test_a_preset_from_which_a_stack_came_is_turned_off_only(settings: Any) -> None:
    settings.PM_SMARTSDK_RECIPES = "/srv/recipes"
    presets.ensure()
    recipe = factories.recipe(Catalog.objects.get(pk=presets.SMARTSDK_ID))
    factories.stack(factories.environment(), "shop", source=recipe)
    settings.PM_SMARTSDK_RECIPES = "none"
    presets.ensure()
    assert not Catalog.objects.get(pk=presets.SMARTSDK_ID).enabled


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[CatalogWatch]:
    monkeypatch.setattr(watch, "PAUSE_SECONDS", 0.05)
    worker = CatalogWatch()
    yield worker
    worker.stop()


@pytest.mark.django_db(transaction=True)
def test_a_worker_reads_the_recipes_that_come_with_the_platform(worker: CatalogWatch) -> None:
    worker.start()
    until(lambda: CatalogRecipe.objects.filter(title="Who am I").exists(), what="they are read", seconds=20)
    worker.stop()
    row = CatalogRecipe.objects.get(title="Who am I")
    assert (row.catalog.name, row.icon, row.versions.get().refusal) == ("Built in", "user-question", "")


@pytest.mark.django_db(transaction=True)
def test_a_source_that_lets_wait_holds_up_no_other(worker: CatalogWatch) -> None:
    from threading import Event

    released = Event()
    due_at = timezone.now() - timedelta(hours=2)
    environment = factories.environment()
    slow = factories.catalog(environment, "Slow", due_at=due_at)
    also_slow = [factories.catalog(environment, f"Slow {n}", due_at=due_at + timedelta(seconds=n)) for n in range(1, 5)]
    quick = factories.catalog(factories.environment(), "Quick", due_at=timezone.now() - timedelta(hours=1))
    given = Given((entry("web"),))

    def read(catalog: Catalog, known: str) -> Any:
        if catalog.pk in (slow.pk, *(one.pk for one in also_slow)):
            released.wait(20)
        return given.read(catalog, known)

    waiting = CatalogWatch(Sources(read, given.fetcher))
    waiting.start()
    try:
        until(lambda: titles(quick), what="the quick one is read", seconds=20)
        assert titles(slow) == []
    finally:
        released.set()
    until(lambda: titles(slow), what="the slow one is read", seconds=20)
    waiting.stop()
