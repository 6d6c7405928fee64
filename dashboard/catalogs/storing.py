"""Writing what a catalog holds now: only what changed, and all of it or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils import timezone

from dashboard.models import Catalog, CatalogRecipe, RecipeVersion, Stack
from platform_manager.catalogs.base import Skipped

from .limits import MOST_SKIPPED, cut
from .logos import kind_of
from .rows import RECIPE_FIELDS, VERSION_FIELDS, Prepared, differs

CHUNK = 100
MOST_TOLD_CATEGORIES = 200
# What a version keeps when its compose file can't be had just now.
KEPT = ("compose", "files", "overlays", "digest", "refusal")


def store(catalog: Catalog, found: Sequence[Prepared]) -> None:
    """Make the catalog's recipes those that were found. Call it in a transaction, with the catalog's row locked."""
    gone = CatalogRecipe.objects.filter(catalog=catalog).values_list("key", flat=True)
    left = set(gone) - {one.key for one in found}
    for chunk in _chunks(found):
        _store_chunk(catalog, chunk)
    for keys in _chunks(sorted(left)):
        _leave(catalog, keys)


def _chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    # SQLite takes a limited number of values in a query.
    several = iter(items)
    while chunk := list(islice(several, CHUNK)):
        yield chunk


def _leave(catalog: Catalog, keys: list[str]) -> None:
    """Recipes that the catalog no longer has go, unless a stack came from them."""
    rows = CatalogRecipe.objects.filter(catalog=catalog, key__in=keys)
    used = Exists(Stack.objects.filter(source=OuterRef("pk")))
    rows.filter(used, gone_at=None).update(gone_at=timezone.now())
    rows.filter(~used).delete()


def _store_chunk(catalog: Catalog, found: list[Prepared]) -> None:
    rows = CatalogRecipe.objects.filter(catalog=catalog, key__in=[one.key for one in found])
    known = {row.key: row for row in rows}
    made, changed = [], []
    for one in found:
        row = known.get(one.key)
        if row is None:
            row = known[one.key] = CatalogRecipe(catalog=catalog, key=one.key, **one.recipe)
            made.append(row)
            _take_logo(row, one, one.recipe["logo_address"])
        elif _take_logo(row, one, row.logo_address) | differs(row, one.recipe):
            _assign(row, one.recipe)
            changed.append(row)
    CatalogRecipe.objects.bulk_create(made, batch_size=CHUNK)
    CatalogRecipe.objects.bulk_update(changed, [*RECIPE_FIELDS, "logo", "logo_type"], batch_size=20)
    _store_versions(known, found)


def _take_logo(row: CatalogRecipe, one: Prepared, address_before: str) -> bool:
    """Keep the logo while it comes from the same address; True where something changed."""
    if one.logo:
        if row.logo is not None and bytes(row.logo) == one.logo:
            return False
        row.logo, row.logo_type = one.logo, kind_of(one.logo)
        return True
    if row.logo_type and (not one.recipe["logo_address"] or one.recipe["logo_address"] != address_before):
        row.logo, row.logo_type = None, ""
        return True
    return False


def _assign(row: CatalogRecipe | RecipeVersion, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)


def _store_versions(recipes: dict[str, CatalogRecipe], found: list[Prepared]) -> None:
    by_recipe: dict[Any, dict[str, RecipeVersion]] = {}
    for version in RecipeVersion.objects.filter(recipe__in=[recipe.pk for recipe in recipes.values()]):
        by_recipe.setdefault(version.recipe_id, {})[version.label] = version
    made: list[RecipeVersion] = []
    changed: list[RecipeVersion] = []
    left: list[int] = []
    for one in found:
        recipe = recipes[one.key]
        known = by_recipe.get(recipe.pk, {})
        left += [row.pk for label, row in known.items() if label not in one.versions]
        deployable = False
        for label, values in one.versions.items():
            row = known.get(label)
            if row is not None and label in one.missing and row.compose:
                values = {**values, **{name: getattr(row, name) for name in KEPT}}
            deployable = deployable or not values["refusal"]
            if row is None:
                made.append(RecipeVersion(recipe=recipe, label=label, **values))
            elif differs(row, values):
                _assign(row, values)
                changed.append(row)
        if recipe.deployable != deployable:
            CatalogRecipe.objects.filter(pk=recipe.pk).update(deployable=deployable)
    for pks in _chunks(left):
        RecipeVersion.objects.filter(pk__in=pks).delete()
    RecipeVersion.objects.bulk_create(made, batch_size=CHUNK)
    RecipeVersion.objects.bulk_update(changed, VERSION_FIELDS, batch_size=20)


def report_of(form: str, found: Sequence[Prepared], skipped: Iterable[Skipped], edition: int) -> dict[str, Any]:
    """What is told of a reading: the catalog's format, its numbers, and what of it could not be read."""
    counted = Counter(category for one in found for category in one.recipe["categories"])
    told = list(islice(skipped, MOST_SKIPPED))
    return {
        "format": cut(form, 60),
        "edition": edition,
        "recipes": len(found),
        "categories": dict(counted.most_common(MOST_TOLD_CATEGORIES)),
        "missing": sum(len(one.missing) for one in found),
        "skipped": [{"path": cut(one.path, 200), "sentence": cut(one.sentence, 500)} for one in told],
    }
