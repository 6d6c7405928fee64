"""The catalog of an environment: recipes of everybody's catalogs and of its own, searched and filtered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models.functions import Lower
from django.utils import timezone

from dashboard.catalogs.limits import text_of
from dashboard.catalogs.rows import category_line
from dashboard.models import Catalog, CatalogRecipe, RecipeVersion, Stack

from .lists import QUERY_CAP, Listing, pages_of
from .viewer import Viewer

PAGE = 24
MOST_FOUND = 10_000
SHOWN_STACKS = 3
SHOWN_CATEGORIES = 4
# Large columns that no card shows.
CARD = (
    "id", "catalog_id", "key", "title", "summary", "categories", "icon", "logo_type", "versions_told", "preferred",
    "gone_at",
)  # fmt: skip


@dataclass(frozen=True)
class Offered:
    """A version that can be deployed; ``position`` 0 is the newest."""

    pk: int
    label: str
    digest: str
    position: int


@dataclass(frozen=True)
class Use:
    """A stack that came from a recipe; ``upgrade`` is the version that it could have."""

    name: str
    version: str
    upgrade: Offered | None


@dataclass(frozen=True)
class Card:
    """``place`` tells recipes of one title and catalog apart, "" where that is not needed."""

    recipe: CatalogRecipe
    source: str
    place: str
    offered: Offered | None
    uses: Sequence[Use]

    @property
    def shown(self) -> Sequence[Use]:
        return self.uses[:SHOWN_STACKS]

    @property
    def more(self) -> int:
        return len(self.uses) - len(self.shown)

    @property
    def upgrade(self) -> bool:
        return any(use.upgrade for use in self.uses)

    @property
    def categories(self) -> Sequence[str]:
        found: list[str] = self.recipe.categories[:SHOWN_CATEGORIES]
        return found


def busy(catalog: Catalog) -> bool:
    """Whether it is being read, or is about to be."""
    due = catalog.due_at is not None and catalog.due_at <= timezone.now()
    return catalog.enabled and (due or catalog.reading_since is not None)


def catalogs_of(viewer: Viewer) -> list[Catalog]:
    return list(Catalog.objects.of(viewer.environment).defer("upload", "secret"))


def catalog_page(viewer: Viewer, params: Mapping[str, str]) -> dict[str, Any]:
    """``params``: words to search for (q), category (category), catalog (source), page (p)."""
    catalogs = catalogs_of(viewer)
    query = text_of(params.get("q", ""), QUERY_CAP).strip()
    category, source = text_of(params.get("category", ""), 100), params.get("source", "")
    everything = CatalogRecipe.objects.of(viewer.environment, viewer.user)
    found = everything
    for word in query.lower().split():
        found = found.filter(search__contains=word)
    if category:
        found = found.filter(search__contains=category_line(category))
    chosen = next((one for one in catalogs if str(one.pk) == source), None)
    if chosen is not None:
        found = found.filter(catalog=chosen)
    filtered = bool(query or category or chosen)
    # Ids alone, then the rows of one page: databases carry all that is selected through the sort, of every row.
    ids = list(found.order_by(Lower("title"), "id").values_list("pk", flat=True)[:MOST_FOUND])
    pages = pages_of(len(ids), params, PAGE)
    cards = _cards(viewer, ids[pages.cut], {one.pk: one.name for one in catalogs})
    total = everything.count() if filtered else len(ids)
    return {
        **viewer.shared,
        "listing": Listing(cards, query, pages.number, pages.last, len(ids), total, PAGE),
        "catalogs": catalogs,
        "broken": [one for one in catalogs if one.problem],
        "busy": [one for one in catalogs if busy(one)],
        "categories": categories_of(catalogs),
        "category": category,
        "source": str(chosen.pk) if chosen else "",
        "filtered": filtered,
    }


def _cards(viewer: Viewer, ids: Sequence[UUID], sources: Mapping[UUID, str]) -> list[Card]:
    known = CatalogRecipe.objects.only(*CARD).in_bulk(ids)
    rows = [known[pk] for pk in ids if pk in known]
    versions = versions_of([row.pk for row in rows])
    uses = uses_of(viewer, rows, versions)
    titles = Counter((row.catalog_id, row.title) for row in rows)
    return [
        Card(
            recipe=row,
            source=sources.get(row.catalog_id, ""),
            place=row.key if titles[row.catalog_id, row.title] > 1 else "",
            offered=offered(versions[row.pk], row.preferred),
            uses=uses.get(row.pk, []),
        )
        for row in rows
    ]


def categories_of(catalogs: Iterable[Catalog]) -> list[tuple[str, str]]:
    """Values and words of the choice, as the catalogs counted them when they were read."""
    counted: Counter[str] = Counter()
    words: dict[str, str] = {}
    for catalog in catalogs:
        for name, count in (catalog.report or {}).get("categories", {}).items():
            counted[name.lower()] += count
            words[name.lower()] = min(words.get(name.lower(), name), name)
    return [(words[key], f"{words[key]} ({counted[key]})") for key in sorted(counted)]


def versions_of(recipes: Sequence[UUID]) -> dict[UUID, list[Offered]]:
    """Those that can be deployed, newest first, for each of the recipes."""
    found: dict[UUID, list[Offered]] = {pk: [] for pk in recipes}
    rows = RecipeVersion.objects.filter(recipe__in=recipes, refusal="").order_by("position")
    for recipe, pk, label, digest, n in rows.values_list("recipe", "pk", "label", "digest", "position"):
        found[recipe].append(Offered(pk, label, digest, n))
    return found


def uses_of(
    viewer: Viewer, recipes: Iterable[CatalogRecipe], versions: Mapping[UUID, Sequence[Offered]]
) -> dict[UUID, list[Use]]:
    """The environment's stacks by the recipe they came from."""
    rows = list(recipes)
    preferred = {row.pk: row.preferred for row in rows}
    # Nothing of what left its catalog can be deployed.
    gone = {row.pk for row in rows if row.gone_at is not None}
    found: dict[UUID, list[Use]] = {}
    for stack in viewer.environment.stacks.filter(source__in=preferred).order_by("name"):
        key = stack.source_id
        if key is not None:
            upgrade = None if key in gone else upgrade_of(stack, versions[key], preferred[key])
            found.setdefault(key, []).append(Use(stack.name, stack.version, upgrade))
    return found


def offered(versions: Sequence[Offered], preferred: str) -> Offered | None:
    """The one the catalog prefers, else the newest. ``versions`` are those that can be deployed, newest first."""
    return next((one for one in versions if one.label == preferred), versions[0] if versions else None)


def upgrade_of(stack: Stack, versions: Sequence[Offered], preferred: str) -> Offered | None:
    """What the stack could have instead of what it came from, None where it is as new or newer."""
    best = offered(versions, preferred)
    if best is None or not stack.version_digest or best.digest == stack.version_digest:
        return None
    same = next((one for one in versions if one.label == stack.version), None)
    if same is not None and same.digest == stack.version_digest and same.position < best.position:
        return None
    return best
