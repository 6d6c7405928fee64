"""What a catalog's source gives: the one place that knows how the core reads them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings

import platform_manager.recipes
from dashboard.models import Catalog, CatalogKind
from platform_manager.catalogs import hidden
from platform_manager.catalogs.base import Found, Skipped, Tree
from platform_manager.catalogs.sources import Fetched
from platform_manager.errors import UserError

from .limits import MOST_READ_AT_ONCE

# Bump when catalogs shall be read anew though nothing changed in them.
EDITION = 1
BUILTIN = Path(platform_manager.recipes.__file__).parent / "builtin"


@dataclass(frozen=True)
class Fresh:
    """What was read; ``commit`` names that state. ``found`` is None where the state is the known one."""

    commit: str
    found: Found | None
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True)
class Access:
    """With what a source is reached."""

    private: bool = False
    user: str = ""
    password: str = ""

    @classmethod
    def of(cls, catalog: Catalog) -> Access:
        secret = catalog.secret if isinstance(catalog.secret, dict) else {}
        return cls(may_be_private(catalog), str(secret.get("user", "")), str(secret.get("password", "")))

    @property
    def words(self) -> dict[str, Any]:
        words = {"private": self.private, "user": self.user, "password": self.password}
        return {**words, "proxy": settings.PM_CATALOG_PROXY}


def address_of(catalog: Catalog) -> str:
    """What is asked for: with what nobody is shown of it."""
    secret = catalog.secret if isinstance(catalog.secret, dict) else {}
    return hidden.whole(catalog.address, str(secret.get("query", "")))


def may_be_private(catalog: Catalog) -> bool:
    """Whether the catalog, and what it names, may be at addresses of the platform's own network."""
    return catalog.private or bool(settings.PM_PRIVATE_CATALOGS)


def read(catalog: Catalog, known: str) -> Fresh:
    """What the source holds now; ``known`` is the state that need not be read again, "" for none.

    Raises UserError and ProviderError with a sentence on what is wrong.
    """
    if catalog.kind == CatalogKind.BUILTIN:
        return _builtin(catalog, known)
    if catalog.kind == CatalogKind.GIT:
        return _git(catalog, known)
    if catalog.kind == CatalogKind.FOLDER:
        return _folder(catalog, known)
    if catalog.kind == CatalogKind.LIST:
        return _file(_download(catalog), PurePosixPath(catalog.address.partition("?")[0]).name, catalog, known)
    return _file(bytes(catalog.upload or b""), catalog.upload_name, catalog, known)


def _git(catalog: Catalog, known: str) -> Fresh:
    from platform_manager.catalogs.sources import git

    access = Access.of(catalog)
    if known and git.remote_commit(catalog.address, ref=catalog.ref, **access.words) == known:
        return Fresh(known, None)
    fetched = git.fetch(catalog.address, ref=catalog.ref, folder=catalog.folder, **access.words)
    return Fresh(fetched.commit, found_in(fetched.tree, catalog.name, catalog.address), tuple(fetched.skipped))


def _folder(catalog: Catalog, known: str) -> Fresh:
    from platform_manager.catalogs.sources import folder

    fetched = folder.read(allowed_folder(str(Path(catalog.address) / catalog.folder.strip("/"))))
    commit = digest_of(fetched.tree)
    if commit == known:
        return Fresh(known, None)
    return Fresh(commit, found_in(fetched.tree, catalog.name, *_origins(catalog)), tuple(fetched.skipped))


def _origins(catalog: Catalog) -> tuple[str, ...]:
    """Addresses that mean the folder itself, in lists that lie in it."""
    from .presets import SMARTSDK_ADDRESS, SMARTSDK_ID

    return (SMARTSDK_ADDRESS,) if catalog.pk == SMARTSDK_ID else ()


def _download(catalog: Catalog) -> bytes:
    from platform_manager.catalogs.sources import address

    return address.get(address_of(catalog), **Access.of(catalog).words)


def _file(data: bytes, name: str, catalog: Catalog, known: str) -> Fresh:
    commit = sha256(data).hexdigest()
    if commit == known:
        return Fresh(known, None)
    return Fresh(commit, *read_file(data, name, catalog.name))


def read_file(data: bytes, name: str, title: str) -> tuple[Found, tuple[Skipped, ...]]:
    """The recipes of an archive, a list or a lone compose file; UserError where it holds none."""
    fetched = _unpacked(data, name)
    return found_in(fetched.tree, title), tuple(fetched.skipped)


def look_at(data: bytes, name: str, title: str) -> None:
    """UserError for what :func:`read_file` would refuse; of a large file, whether it can be unpacked is all."""
    tree = _unpacked(data, name).tree
    if sum(map(len, tree.values())) <= MOST_READ_AT_ONCE:
        found_in(tree, title)


def _unpacked(data: bytes, name: str) -> Fetched:
    from platform_manager.catalogs.sources import archive

    if data.lstrip()[:1] in (b"[", b"{") and not name.lower().endswith(".json"):
        name = "templates.json"
    return archive.read(data, name)


def found_in(tree: Tree, name: str, *own_addresses: str) -> Found:
    from platform_manager.catalogs.reading import read_tree

    found = read_tree(tree, name=name, own_addresses=own_addresses)
    if not found.entries:
        first = found.skipped[0]
        # A reason without a place is of the whole, and says so itself.
        nothing = f"There is no recipe in it: no compose file, list or catalog was found. {first.path}: "
        raise UserError(f"{nothing if first.path else ''}{first.sentence}")
    return found


def allowed_folder(address: str) -> Path:
    """The folder, where operators may have catalogs; UserError elsewhere."""
    allowed = [Path(folder).resolve() for folder in settings.PM_CATALOG_FOLDERS]
    if settings.PM_SMARTSDK_RECIPES.startswith("/"):
        allowed.append(Path(settings.PM_SMARTSDK_RECIPES).resolve())
    path = Path(address)
    if not path.is_absolute() or not any(path.resolve().is_relative_to(folder) for folder in allowed):
        raise UserError(
            "The folder is in none that may hold catalogs. Name one in or below PM_CATALOG_FOLDERS.", "address"
        )
    return path.resolve()


def digest_of(tree: Tree) -> str:
    """Names the state of a tree."""
    told = sha256()
    for path in sorted(tree):
        told.update(f"{len(path)} {path} {len(tree[path])} ".encode("utf-8", "surrogateescape"))
        told.update(tree[path])
    return told.hexdigest()


def _builtin(catalog: Catalog, known: str) -> Fresh:
    from platform_manager.catalogs.sources import folder

    tree = folder.read(BUILTIN).tree
    recipes = {path: data for path, data in tree.items() if not path.endswith((".py", ".pyc"))}
    commit = digest_of(recipes)
    return Fresh(commit, None if commit == known else found_in(recipes, catalog.name))
