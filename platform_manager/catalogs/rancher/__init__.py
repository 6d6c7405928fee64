"""Rancher catalogs: folders with numbered versions, whose stacks are converted for a swarm or refused with the reason.

:func:`read` makes entries of a tree. What a version's compose file becomes can depend on the answers, so a version
keeps the files as Rancher has them: :func:`rendered` converts them anew, and :func:`mentioned` tells what they ask.
"""

import time
from dataclasses import replace

from platform_manager.catalogs.base import Entry, Found, Skipped, Tree
from platform_manager.catalogs.rancher.conversion import Converted
from platform_manager.catalogs.rancher.entries import entry_of
from platform_manager.catalogs.rancher.environments import skipped_environment
from platform_manager.catalogs.rancher.folders import folders
from platform_manager.catalogs.rancher.template import STORED_AS, Template, mentioned, render, rendered

__all__ = [
    "FORMAT",
    "STORED_AS",
    "Converted",
    "Template",
    "is_catalog",
    "mentioned",
    "read",
    "render",
    "rendered",
]

FORMAT = "rancher"

# A refresh is not held up longer by templates that take their time.
SECONDS = 120


def is_catalog(tree: Tree) -> bool:
    """Whether anything in the tree is laid out as Rancher's catalogs are."""
    return bool(folders(tree))


def read(tree: Tree) -> Found:
    """All recipes of the tree, converted with their default answers; nothing in the tree makes it raise."""
    entries: dict[str, Entry] = {}
    skipped: list[Skipped] = []
    until = time.monotonic() + SECONDS
    for folder in folders(tree):
        if folder.base == "project":
            skipped.append(skipped_environment(folder))
            continue
        if time.monotonic() > until:
            skipped.append(Skipped(folder.path, "Reading the catalog took too long: this recipe was left out."))
            continue
        entry, more = entry_of(folder)
        if entry.key in entries:
            entry = replace(entry, key=folder.path)
        entries[entry.key] = entry
        skipped += more
    return Found(FORMAT, tuple(entries.values()), tuple(skipped))
