"""Compose files that lie in other repositories than the catalog that lists them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from platform_manager import recipes
from platform_manager.catalogs.base import Entry, Found, Remote, Tree, Version
from platform_manager.errors import PlatformError, UserError

from .limits import MOST_COMPOSE, MOST_FILE_BYTES, REPOSITORIES, REPOSITORIES_SECONDS

# Gives the files of a repository by its address and its branch, tag or commit.
Fetch = Callable[[str, str], Tree]
TOO_MANY = f"the catalog names more than {REPOSITORIES} repositories"
TOO_LATE = f"the catalog's repositories took more than {REPOSITORIES_SECONDS:.0f} s"


def fetcher(private: bool) -> Fetch:
    """Without the catalog's password, which is not theirs."""

    def fetch(address: str, ref: str) -> Tree:
        from platform_manager.catalogs.sources import git

        return git.fetch(address, ref=ref, private=private).tree

    return fetch


@dataclass
class Repositories:
    """Each repository is fetched once, and what one refused is not asked for again."""

    fetch: Fetch
    deadline: float = field(default_factory=lambda: time.monotonic() + REPOSITORIES_SECONDS)
    known: dict[tuple[str, str], Tree | str] = field(default_factory=dict)

    def tree(self, remote: Remote) -> Tree:
        """Its files; UserError where they can't be had."""
        key = (remote.address, remote.ref)
        if key not in self.known:
            self.known[key] = self._fetched(*key)
        found = self.known[key]
        if isinstance(found, str):
            raise _unreadable(remote, found)
        return found

    def _fetched(self, address: str, ref: str) -> Tree | str:
        if len(self.known) >= REPOSITORIES:
            return TOO_MANY
        if time.monotonic() > self.deadline:
            return TOO_LATE
        try:
            return self.fetch(address, ref)
        except PlatformError as error:
            return str(error).rstrip(".")


def complete(found: Found, fetch: Fetch) -> tuple[Found, dict[tuple[str, str], str]]:
    """The recipes with the compose files of their remotes.

    By key and label, why those of some versions could not be had; their refusals say it too.
    """
    repositories = Repositories(fetch)
    missing: dict[tuple[str, str], str] = {}

    def filled(entry: Entry, version: Version) -> Version:
        if version.remote is None or version.refusal or version.compose:
            return version
        try:
            return _filled(version, version.remote, repositories.tree(version.remote))
        except UserError as error:
            missing[entry.key, version.label] = str(error)
            return replace(version, refusal=str(error))

    def complete_one(entry: Entry) -> Entry:
        return replace(entry, versions=tuple(filled(entry, version) for version in entry.versions))

    return replace(found, entries=tuple(map(complete_one, found.entries))), missing


def _filled(version: Version, remote: Remote, tree: Tree) -> Version:
    path = str(PurePosixPath(remote.path.lstrip("/"))) if remote.path else "docker-compose.yml"
    compose = _text(tree, path, remote)
    files = beside(tree, path, compose)
    try:
        recipes.parse(compose, files)
    except recipes.ComposeInvalid as error:
        return replace(version, refusal=str(error))
    return replace(version, compose=compose, files=files)


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
    where = f"{remote.path} of {remote.address}" + (f" ({remote.ref})" if remote.ref else "")
    return UserError(f"Its compose file at {where} could not be read: {why}.")


def beside(tree: Tree, path: str, compose: str) -> Mapping[str, bytes]:
    """The files of the compose file's folder; where that is too much, those whose path it names."""
    folder = path.rpartition("/")[0]
    prefix = f"{folder}/" if folder else ""
    found = {name[len(prefix) :]: data for name, data in tree.items() if name.startswith(prefix) and name != path}
    if sum(map(len, found.values())) <= MOST_FILE_BYTES:
        return found
    return {name: data for name, data in found.items() if name in compose}
