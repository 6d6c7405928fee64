"""catalog_page_ms and catalog_refresh_s: the page of 2,000 recipes, and reading a repository like SmartSDK's.

The repository is served on loopback. It is made of the folder in SMARTSDK_RECIPES, or of 40 folders with 150 files.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from statistics import median

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from dashboard.catalogs.refreshing import claim, due, refresh
from dashboard.catalogs.rows import category_line
from dashboard.models import Catalog, CatalogRecipe, Environment, RecipeVersion
from tests import factories
from tests.catalogs.servers import commit, git_backend, serving

from .figures import Figure, say, spread

BARS = {"catalog_page_ms": 150, "catalog_refresh_s": 5}
RECIPES, VERSIONS, STACKS = 2_000, 3, 50
ROUNDS, READINGS = 9, 3
LOGO = b"\x89PNG\r\n\x1a\n" + b"x" * 20_000
CATEGORIES = [f"Category {n}" for n in range(20)]


def measure() -> list[Figure]:
    return [_page(), _refresh()]


def _page() -> Figure:
    environment = factories.environment(factories.user())
    catalog = factories.catalog(environment, "Many", report={"categories": dict.fromkeys(CATEGORIES, 100)})
    fill(catalog, environment)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(environment.owner)
    address = reverse("catalog", args=[environment.pk])
    times = {}
    for query in ("", "?p=40", "?q=recipe+broker", "?category=Category+7", "?q=nothing"):
        with CaptureQueriesContext(connection) as captured:
            _get(client, address + query)
        queries = len(captured)
        times[query] = median(_get(client, address + query) for _ in range(ROUNDS))
        say(f"catalog{query}: {times[query]:.0f} ms, {queries} queries")
    worst = max(times, key=lambda query: times[query])
    return Figure("catalog_page_ms", times[worst], BARS["catalog_page_ms"], why=f"catalog{worst}")


def fill(catalog: Catalog, environment: Environment) -> None:
    """Recipes with versions, and stacks that came from them."""
    rows = [
        CatalogRecipe(
            catalog=catalog,
            key=f"recipe-{n}",
            title=f"Recipe {n}",
            summary="Keeps context of things, and tells whoever subscribed.",
            description="<p>It keeps context.</p>" * 40,
            categories=[CATEGORIES[n % 20]],
            search=f"recipe {n}\nbroker {'words ' * 300}{category_line(CATEGORIES[n % 20])}".lower(),
            versions_told=VERSIONS,
            logo=LOGO,
            logo_type="image/png",
        )
        for n in range(RECIPES)
    ]
    CatalogRecipe.objects.bulk_create(rows, batch_size=200)
    versions = (
        RecipeVersion(recipe=row, label=f"{n}.0", position=n, compose=factories.COMPOSE * 20, digest=f"{n}")
        for row in rows
        for n in range(VERSIONS)
    )
    RecipeVersion.objects.bulk_create(versions, batch_size=200)
    for n in range(STACKS):
        factories.stack(environment, f"s{n}", source=rows[n * 40], version="0.0", version_digest="old")


def _get(client: Client, address: str) -> float:
    begun = time.perf_counter()
    assert client.get(address).status_code == 200
    return 1000 * (time.perf_counter() - begun)


def _refresh() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        commit(Path(folder) / "recipes", _files())
        with serving(git_backend(Path(folder))) as url:
            seconds = [_read(f"{url}/recipes") for _ in range(READINGS)]
    value = spread("catalog_refresh", seconds, "s")
    return Figure("catalog_refresh_s", value, BARS["catalog_refresh_s"])


def _read(address: str) -> float:
    catalog = factories.catalog(address=address, private=True, due_at=timezone.now())
    begun = time.perf_counter()
    row = due().get(pk=catalog.pk)
    assert claim(row)
    refresh(row)
    seconds = time.perf_counter() - begun
    catalog.refresh_from_db()
    assert catalog.problem == "", catalog.problem
    say(f"{catalog.recipes.count()} recipes of {catalog.report['format']}")
    catalog.delete()
    return seconds


def _files() -> dict[str, bytes]:
    given = os.environ.get("SMARTSDK_RECIPES", "")
    if given:
        top = Path(given)
        paths = (path for path in sorted(top.rglob("*")) if path.is_file() and ".git" not in path.parts)
        return {str(path.relative_to(top)): path.read_bytes() for path in paths}
    compose, about = factories.COMPOSE.encode(), b"name: Recipe\ndescription: Keeps context.\n"
    made = {f"group{n % 4}/recipe{n}/docker-compose.yml": compose for n in range(40)}
    made |= {f"group{n % 4}/recipe{n}/mastermind.yml": about for n in range(40)}
    made |= {f"group{n % 4}/recipe{n}/README.md": b"# Recipe\n\nWords.\n" * 100 for n in range(40)}
    return made | {f"group{n % 4}/recipe{n}/conf/settings.json": b"{}" * 2_000 for n in range(30)}
