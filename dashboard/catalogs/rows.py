"""Entries of a catalog as the values of rows: cleaned, capped, and with all that is computed of them."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

from django.utils.html import strip_tags

from dashboard.models import CatalogRecipe, RecipeVersion
from platform_manager.catalogs.base import Entry, Found, Skipped, Tree, Version

from .limits import (
    MOST_COMPOSE,
    MOST_FILE_BYTES,
    MOST_README,
    MOST_RECIPES,
    MOST_STORED,
    MOST_VERSIONS,
    cut,
    text_of,
)  # fmt: skip
from .logos import kind_of

MOST_CATEGORIES = 10
MOST_SEARCHED = 5_000
FULL = f"The recipes of this catalog hold more than {MOST_STORED // 2**20} MB together. Split the catalog."
ICON = "abcdefghijklmnopqrstuvwxyz0123456789-"

# What of a recipe is compared and written; "logo" apart, which is only looked at where its address changes.
RECIPE_FIELDS = [
    "title", "summary", "description", "categories", "search", "icon", "logo_address", "link", "maintainer",
    "license", "operators_only", "preferred", "versions_told", "deployable", "gone_at",
]  # fmt: skip
VERSION_FIELDS = [
    "position", "compose", "files", "overlays", "questions", "notes", "refusal", "readme", "digest",
]  # fmt: skip


@dataclass(frozen=True)
class Prepared:
    """``recipe`` and ``versions`` (by label) are values of columns; ``missing`` are labels that could not be had."""

    key: str
    recipe: dict[str, Any]
    versions: dict[str, dict[str, Any]]
    logo: bytes = b""
    missing: frozenset[str] = frozenset()


def prepared(found: Found, missing: Collection[tuple[str, str]] = ()) -> tuple[list[Prepared], list[Skipped]]:
    """All entries, as far as they may be kept, and what had to be left out."""
    rows: dict[str, Prepared] = {}
    skipped: list[Skipped] = []
    room, absent = _Room(), _by_key(missing)
    for entry in found.entries:
        key = text_of(entry.key, 301)
        if not key or len(key) > 300 or not entry.versions:
            skipped.append(Skipped(cut(entry.key, 100), "It has no name that can be kept, or no version."))
        elif key in rows:
            skipped.append(Skipped(key, "Another recipe of the catalog has this name."))
        elif len(rows) >= MOST_RECIPES:
            skipped.append(Skipped(key, f"A catalog has at most {MOST_RECIPES} recipes here."))
            break
        else:
            rows[key] = _prepared(entry, key, absent.get(entry.key, frozenset()), room)
    if room.full:
        skipped.insert(0, Skipped("", FULL))
    return list(rows.values()), skipped


def _by_key(missing: Collection[tuple[str, str]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for key, label in missing:
        found.setdefault(key, set()).add(label)
    return {key: frozenset(labels) for key, labels in found.items()}


class _Room:
    """What a catalog may still store."""

    def __init__(self) -> None:
        self.left = MOST_STORED
        self.full = False

    def fitting(self, version: Version) -> Version:
        """The version; where it is too much by now, its name with the reason."""
        size = _size(version.files) + len(version.compose) + len(version.readme)
        size += sum(len(one.compose) for one in version.overlays)
        if size > self.left:
            self.full = True
            return Version(version.label, refusal=FULL)
        self.left -= size
        return version


def _prepared(entry: Entry, key: str, missing: frozenset[str], room: _Room) -> Prepared:
    versions: dict[str, dict[str, Any]] = {}
    for version in entry.versions[:MOST_VERSIONS]:
        label = cut(version.label, 100) or "latest"
        if label not in versions:
            versions[label] = version_values(room.fitting(version), len(versions))
    labels = frozenset(cut(label, 100) or "latest" for label in missing)
    return Prepared(key, recipe_values(entry, key, versions), versions, _logo(entry), labels)


def _logo(entry: Entry) -> bytes:
    return entry.logo.data if kind_of(entry.logo.data) else b""


def recipe_values(entry: Entry, key: str, versions: dict[str, dict[str, Any]]) -> dict[str, Any]:
    from platform_manager.catalogs.markup import summary

    title = cut(entry.title, 200) or cut(key, 200)
    description = html(entry.description)
    short = cut(entry.summary or summary(entry.description), 300)
    categories = list(dict.fromkeys(filter(None, (cut(one, 40) for one in entry.categories))))[:MOST_CATEGORIES]
    words = [title, key, short, text_of(entry.maintainer, 200), strip_tags(description)[:MOST_SEARCHED]]
    return {
        "title": title,
        "summary": short,
        "description": description,
        "categories": categories,
        "search": "\n".join([*words, *map(category_line, categories)]).lower(),
        "icon": "".join(letter for letter in entry.icon if letter in ICON)[:40],
        "logo_address": text_of(entry.logo.address, 1001) if len(entry.logo.address) <= 1000 else "",
        "link": link(entry.link),
        "maintainer": cut(entry.maintainer, 200),
        "license": cut(entry.license, 100),
        "operators_only": entry.operators_only,
        "preferred": cut(entry.preferred, 100),
        "versions_told": len(versions),
        "deployable": any(not version["refusal"] for version in versions.values()),
        "gone_at": None,
    }


def category_line(category: str) -> str:
    """How a recipe's category stands in what is searched, so that it can be looked for alone."""
    return f"\n#{category.lower()}#\n"


def link(address: str) -> str:
    """Only what is safe to follow."""
    address = text_of(address, 501).strip()
    safe = address.startswith(("https://", "http://")) and len(address) <= 500 and not set(address) & set(" \"'<>\n")
    return address if safe else ""


@lru_cache(maxsize=8)
def html(text: str) -> str:
    """Markdown or HTML of a catalog, made safe."""
    from platform_manager.catalogs.markup import safe_html

    given = text_of(text, MOST_README)
    return text_of(safe_html(given, markdown=not given.lstrip().startswith("<")), 4 * MOST_README) if given else ""


def version_values(version: Version, position: int) -> dict[str, Any]:
    refusal = text_of(version.refusal, 2_000) or _too_large(version)
    compose = "" if refusal else text_of(version.compose, MOST_COMPOSE)
    files = {} if refusal else {text_of(path, 500): b64encode(data).decode() for path, data in version.files.items()}
    overlays = [] if refusal else [
        {"name": text_of(one.name, 200), "compose": text_of(one.compose, MOST_COMPOSE)} for one in version.overlays
    ]  # fmt: skip
    values = {
        "position": position,
        "compose": compose,
        "files": files,
        "overlays": overlays,
        "questions": [_clean(question.as_dict()) for question in version.questions],
        "notes": [text_of(note, 500) for note in version.notes[:100]],
        "refusal": refusal,
        "readme": html(version.readme),
    }
    return {**values, "digest": digest(compose, files, overlays) if not refusal else ""}


def _too_large(version: Version) -> str:
    if not version.compose:
        return "It has no compose file."
    if len(version.compose) > MOST_COMPOSE:
        return f"Its compose file has more than {MOST_COMPOSE} characters."
    if _size(version.files) + sum(len(one.compose) for one in version.overlays) > MOST_FILE_BYTES:
        return f"Its files have more than {MOST_FILE_BYTES // 2**20} MB."
    return ""


def _size(files: Tree) -> int:
    return sum(len(path) + len(data) for path, data in files.items())


def digest(compose: str, files: dict[str, str], overlays: list[dict[str, str]]) -> str:
    """Changes with what would be deployed."""
    return sha256(json.dumps([compose, files, overlays], sort_keys=True).encode()).hexdigest()


def _clean(value: Any) -> Any:
    """JSON that databases take."""
    if isinstance(value, str):
        return text_of(value, 20_000)
    if isinstance(value, dict):
        return {name: _clean(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(one) for one in value]
    return value


def differs(row: CatalogRecipe | RecipeVersion, values: dict[str, Any]) -> bool:
    return any(getattr(row, name) != value for name, value in values.items())
