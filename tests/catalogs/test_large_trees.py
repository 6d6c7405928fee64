"""Trees of thousands of small files, or with a list of thousands of templates, are read soon."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from platform_manager.catalogs.base import Tree
from platform_manager.catalogs.reading import read_tree

# In seconds of the processor, for a machine that is slow; these took up to hundreds of times as long.
SOON = 10.0
COMPOSE = b"services: {a: {\n image: x}}"


def listed(**template: Any) -> Tree:
    return {"templates.json": json.dumps([{"type": 2, "title": "A", **template}] * 2_000).encode(), "a.yml": COMPOSE}


TREES: dict[str, tuple[Tree, int]] = {
    "recipes in one folder": ({f"a{n}.yml": COMPOSE for n in range(4_000)}, 4_000),
    "files around many recipes": (
        {f"a{n}.yml": COMPOSE for n in range(4_000)} | {f"file{n}": b"" for n in range(15_000)},
        4_000,
    ),
    "recipes beside folders of Rancher": (
        {f"templates/x{n}/0/rancher-compose.yml": b"" for n in range(8_000)}
        | {f"z/a{n}.yml": COMPOSE if not n else b"" for n in range(8_000)},
        8_001,
    ),
    "templates of one file that is not there": (listed(stackfile="gone.yml"), 2_001),
    "templates of one file, with others around it": (
        listed(stackfile="a.yml") | {f"file{n}": b"" for n in range(15_000)},
        2_000,
    ),
    "paths of very many folders": (listed(stackfile="a/" * 5_000), 2_001),
}


@pytest.mark.parametrize("what", TREES)
def test_it_is_read_soon(what: str) -> None:
    tree, recipes = TREES[what]
    begun = time.process_time()
    found = read_tree(tree)
    assert time.process_time() - begun < SOON
    assert len(found.entries) == len({entry.key for entry in found.entries}) == recipes
