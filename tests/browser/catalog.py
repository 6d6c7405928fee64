"""What the main job does with the catalog: searches it, reads a recipe, adds a catalog and removes it again."""

from __future__ import annotations

from pathlib import Path

from tests.browser.pages import Person
from tests.support.lab import until

COMPOSE = """\
version: "3.8"
services:
  web:
    image: 127.0.0.1:1/whoami:${VERSION:-1}
"""


def looks_through_the_catalog(ann: Person, home: str, folder: Path) -> None:
    ann.opens(home)
    ann.clicks("Catalog")
    ann.is_at("/catalog/$")
    until(lambda: ann.count(".catalog-card") >= 2, what="a worker has read the built-in recipes")
    ann.looks_at("42-catalog")
    ann.looks_at("42-catalog", dark=True)
    ann.marks_the_page()
    ann.types("Search recipes", "web SERVER")
    ann.no_longer_sees("Ticker", "#listing")
    ann.sees("1 recipe found among", "#listing")
    ann.is_at("q=web")
    assert ann.page_was_not_loaded_again
    ann.clicks("Who am I", within="listing")
    ann.sees("What it asks")
    ann.sees_row("REPLICAS")
    ann.looks_at("43-recipe")
    ann.finds_no_error_in_the_console()
    adds_a_catalog_and_removes_it(ann, home, folder)


def adds_a_catalog_and_removes_it(ann: Person, home: str, folder: Path) -> None:
    file = folder / "docker-compose.yml"
    file.write_text(COMPOSE)
    ann.opens(f"{home}catalog/sources/")
    ann.clicks("Add a catalog", within="content")
    ann.sees("Branch or tag")
    ann.looks_at("44-new-catalog")
    ann.clicks_on("a[href='?kind=upload']")
    ann.field("File").send_keys(str(file))
    ann.types("Name", "My own")
    ann.clicks("Add and read")
    # Read by a worker; the page looks by itself.
    ann.sees_row("My own", "Read", "1")
    ann.looks_at("45-catalogs")
    ann.looks_at("45-catalogs", dark=True)
    ann.clicks("Remove", within="own-catalogs")
    ann.sees("1 recipe goes")
    ann.clicks("Remove the catalog")
    ann.sees("No catalog of its own")
    ann.finds_no_error_in_the_console()
