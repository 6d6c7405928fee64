"""Compose files that lie in other repositories than the catalog that lists them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings

from platform_manager import recipes
from platform_manager.catalogs.base import Entry, Found, Remote, Tree, Version
from platform_manager.catalogs.hidden import shown
from platform_manager.errors import PlatformError, UserError

from .limits import MOST_COMPOSE, MOST_FILE_BYTES, MOST_STORED, REPOSITORIES, REPOSITORIES_SECONDS, REPOSITORY_SECONDS

# Gives the files of a repository by its address, its branch, tag or commit, and the seconds it may take.
Fetch = Callable[[str, str, float], Tree]
# Of a version in the catalog: the key of its recipe, and its label.
Name = tuple[str, str]
TOO_MANY = f"the catalog names more than {REPOSITORIES} repositories"
TOO_MUCH = f"the catalog's repositories hold more than {MOST_STORED // 2**20} MB of files for its recipes"
TOO_LATE = f"the catalog's repositories took more than {REPOSITORIES_SECONDS:.0f} s"


def fetcher(private: bool) -> Fetch:
    """Without the catalog's password, which is not theirs."""

    def fetch(address: str, ref: str, seconds: float) -> Tree:
        from platform_manager.catalogs.sources import git

        proxy = settings.PM_CATALOG_PROXY
        return git.fetch(address, ref=ref, private=private, seconds=seconds, proxy=proxy).tree

    return fetch


def complete(found: Found, fetch: Fetch) -> tuple[Found, dict[Name, str]]:
    """The recipes with the compose files of their remotes.

    By name, why those of some versions could not be had; their refusals say it too.
    """
    filled: dict[Name, Version] = {}
    missing: dict[Name, str] = {}
    deadline = time.monotonic() + REPOSITORIES_SECONDS
    left = MOST_STORED
    # One after the other, so that no more than one repository is held in memory.
    for n, ((address, ref), wanted) in enumerate(_by_repository(found).items()):
        tree = _fetched(address, ref, fetch, deadline - time.monotonic()) if n < REPOSITORIES else TOO_MANY
        contents: dict[str, dict[str, Any]] = {}
        for name, version, remote in wanted:
            try:
                if remote.path not in contents:
                    contents[remote.path] = found_there = _content(remote, tree, left)
                    left -= _size(found_there)
                filled[name] = replace(version, **contents[remote.path])
            except UserError as error:
                missing[name] = str(error)
                filled[name] = replace(version, refusal=str(error))

    def complete_one(entry: Entry) -> Entry:
        versions = tuple(filled.get((entry.key, version.label), version) for version in entry.versions)
        return replace(entry, versions=versions)

    return replace(found, entries=tuple(map(complete_one, found.entries))), missing


def _by_repository(found: Found) -> dict[tuple[str, str], list[tuple[Name, Version, Remote]]]:
    """The versions whose compose file is still to be had, by address and branch, tag or commit."""
    by: dict[tuple[str, str], list[tuple[Name, Version, Remote]]] = {}
    for entry in found.entries:
        for version in entry.versions:
            remote = version.remote
            if remote is not None and not version.refusal and not version.compose:
                by.setdefault((remote.address, remote.ref), []).append(((entry.key, version.label), version, remote))
    return by


def _fetched(address: str, ref: str, fetch: Fetch, seconds: float) -> Tree | str:
    """A repository's files, or why they can't be had."""
    if seconds <= 0:
        return TOO_LATE
    try:
        return fetch(address, ref, min(seconds, REPOSITORY_SECONDS))
    except PlatformError as error:
        return str(error).rstrip(".")


def _content(remote: Remote, tree: Tree | str, left: int) -> dict[str, Any]:
    """What a version gets of its repository, of at most so many bytes; UserError where the file can't be had."""
    if isinstance(tree, str):
        raise _unreadable(remote, tree)
    path = str(PurePosixPath(remote.path.lstrip("/"))) if remote.path else "docker-compose.yml"
    compose = _text(tree, path, remote)
    files = beside(tree, path, compose)
    try:
        recipes.parse(compose, files)
    except recipes.ComposeInvalid as error:
        return {"refusal": str(error)}
    found = {"compose": compose, "files": files}
    if _size(found) > left:
        raise _unreadable(remote, TOO_MUCH)
    return found


def _size(content: Mapping[str, Any]) -> int:
    return len(content.get("compose", "")) + sum(map(len, content.get("files", {}).values()))


def _text(tree: Tree, path: str, remote: Remote) -> str:
    if path not in tree:
        raise _unreadable(remote, "there is no such file")
    try:
        compose = tree[path].decode()
    except UnicodeDecodeError:
        raise _unreadable(remote, "it is no text in UTF-8") from None
    if len(compose) > MOST_COMPOSE:
        raise _unreadable(remote, f"it has more than {MOST_COMPOSE} characters")
    return compose


def _unreadable(remote: Remote, why: str) -> UserError:
    where = f"{remote.path} of {shown(remote.address)}" + (f" ({remote.ref})" if remote.ref else "")
    return UserError(f"Its compose file at {where} could not be read: {why}.")


def beside(tree: Tree, path: str, compose: str) -> Mapping[str, bytes]:
    """The files of the compose file's folder; where that is too much, those whose path it names."""
    folder = path.rpartition("/")[0]
    prefix = f"{folder}/" if folder else ""
    found = {name[len(prefix) :]: data for name, data in tree.items() if name.startswith(prefix) and name != path}
    if sum(map(len, found.values())) <= MOST_FILE_BYTES:
        return found
    return {name: data for name, data in found.items() if name in compose}
