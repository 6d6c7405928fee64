"""A tree of files as a catalog, whatever formats its recipes are in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from platform_manager.catalogs import rancher as rancher_catalog
from platform_manager.catalogs.base import Entry, Found, Skipped, Tree, Version
from platform_manager.catalogs.compose_files import ComposeFiles, lies_in
from platform_manager.catalogs.describing import described
from platform_manager.catalogs.portainer import Template, read_list, templates_of
from platform_manager.recipes.problems import listed

_LIST_NAMES = re.compile(r".*templates?[^/]*\.json", re.IGNORECASE)
_RANCHER = re.compile(
    r"(?P<folder>(?:.*/)?[a-z-]*templates/[^/]+)/"
    r"[^/]+/(?:rancher-compose\.ya?ml|docker-compose\.ya?ml(?:\.tpl)?|project\.ya?ml)"
)
_MOST_KEY = 300
_COMPOSE, _PORTAINER, _RANCHER_NAME = "Compose files", "Portainer list", "Rancher catalog"


@dataclass(frozen=True)
class _Made:
    """An entry, and what tells it from another of the same title."""

    entry: Entry
    hint: str


def read_tree(tree: Tree, *, name: str = "", own_addresses: Collection[str] = ()) -> Found:
    """All recipes of a tree, each once; what could not be read is told with the reason.

    ``name`` is the catalog's, for a recipe that has no other. ``own_addresses`` are of the git repository that the
    tree comes from: compose files that a list says lie there are taken from the tree.
    """
    rancher = _rancher_folders(tree)
    files = ComposeFiles(tree, rancher)
    lists = _lists(tree, rancher)
    templates: list[Template] = []
    skipped = list(files.skipped)
    for path in lists:
        found, left_out = read_list(path, tree[path])
        templates += found
        skipped += left_out
    merger = _Merger(tree, files, {_normal(address) for address in own_addresses}, name)
    made = [*merger.merged(templates)]
    skipped += merger.skipped
    formats = [_PORTAINER] if lists else []
    formats += [_COMPOSE] if files.found else []
    entries = _told_apart(made)
    if rancher:
        other = rancher_catalog.read(tree)
        entries += other.entries
        skipped += other.skipped
        formats.append(_RANCHER_NAME)
    if not entries and not skipped:
        skipped.append(Skipped("", _NOTHING))
    return Found(listed(formats), tuple(_keyed(entries)), tuple(skipped))


_NOTHING = (
    "There is no recipe in it. A catalog holds compose files, a Portainer template list (templates.json) "
    "or a Rancher catalog. Check the branch and the folder."
)


def _rancher_folders(tree: Tree) -> set[str]:
    """Folders of Rancher's form: ``…templates/<name>`` with a ``config.yml``, or a numbered version of it."""
    found = set()
    for path in tree:
        if match := _RANCHER.fullmatch(path):
            folder = match["folder"]
            number = path[len(folder) + 1 :].partition("/")[0]
            if f"{folder}/config.yml" in tree or (number.isdecimal() and _has_rancher(tree, f"{folder}/{number}")):
                found.add(folder)
    return found


def _has_rancher(tree: Tree, version: str) -> bool:
    return any(f"{version}/{name}" in tree for name in ("rancher-compose.yml", "project.yml"))


def _lists(tree: Tree, without: Collection[str]) -> list[str]:
    lone = len(tree) == 1
    named = (path for path in sorted(tree) if path.endswith(".json") and (lone or _LIST_NAMES.fullmatch(path)))
    beside = (path for path in named if not lies_in(path, without))
    return [path for path in beside if templates_of(tree[path]) is not None]


class _Merger:
    """Puts what lists say of compose files in the tree into these files' entries."""

    def __init__(self, tree: Tree, files: ComposeFiles, own: set[str], name: str) -> None:
        self.tree = tree
        self.files = files
        self.own = own
        self.name = name
        self.skipped: list[Skipped] = []

    def merged(self, templates: list[Template]) -> Iterator[_Made]:
        own = self.own | self._surely_own(templates)
        about: dict[str, Template] = {}
        others: list[tuple[Template, str | None]] = []
        for template in templates:
            remote = template.version.remote
            if remote is None or _normal(remote.address) not in {*own, ""} or template.version.refusal:
                others.append((template, None))
                continue
            path = self._path(remote.path)
            if path:
                self.files.admit(path)
            if path and path not in about:
                about[path] = template
            else:
                others.append((template, path))
        for file in self.files.found.values():
            entry, hint, skipped = described(self.files, file, about.get(file.path), self.name)
            self.skipped += skipped
            yield _Made(entry, hint)
        for template, own_path in others:
            version = template.version if own_path is None else self._again(template, own_path)
            yield _Made(_entry(template, version), template.words)

    def _surely_own(self, templates: list[Template]) -> set[str]:
        """Addresses of which most compose files lie in this tree: a copy of a repository is not told its address."""
        told: Counter[str] = Counter()
        here: Counter[str] = Counter()
        for remote in (template.version.remote for template in templates):
            if remote is not None:
                told[_normal(remote.address)] += 1
                here[_normal(remote.address)] += remote.path in self.files.found
        return {address for address, count in told.items() if here[address] > 1 and here[address] * 2 > count}

    def _path(self, path: str) -> str:
        """Where the tree has a file of the repository; the tree may be only a folder of it."""
        while path and path not in self.tree:
            path = path.partition("/")[2]
        return path

    def _again(self, template: Template, path: str) -> Version:
        """Of a second template of one file, or of one whose file is gone."""
        if path:
            return described(self.files, self.files.found[path], template, self.name)[0].versions[0]
        gone = template.version.remote.path[:200] if template.version.remote else ""
        return replace(template.version, remote=None, refusal=f"Its compose file {gone} is not in the repository.")


def _entry(template: Template, version: Version) -> Entry:
    return Entry(
        key=template.key,
        title=template.title,
        versions=(version,),
        summary=template.summary,
        description=template.description,
        categories=tuple(name for name in template.categories if name.lower() != template.title.lower()),
        logo=template.logo,
        operators_only=template.operators_only,
    )


def _normal(address: str) -> str:
    """A git address without what makes no difference: ``https://GitHub.com/a/b.git/`` is ``github.com/a/b``."""
    parts = urlsplit(address.strip())
    path = parts.path.strip("/").removesuffix(".git")
    host = (parts.hostname or "").lower()
    return f"{host}/{path}".lower() if host else address.strip("/").removesuffix(".git").lower()


def _told_apart(made: list[_Made]) -> list[Entry]:
    titles = Counter(one.entry.title.lower() for one in made)
    return [
        replace(one.entry, title=f"{one.entry.title} ({one.hint})"[:200])
        if titles[one.entry.title.lower()] > 1 and one.hint
        else one.entry
        for one in made
    ]


def _keyed(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Each with a key that no other has; the first of two keeps its own."""
    taken: set[str] = set()
    counted: Counter[str] = Counter()
    for entry in entries:
        key = own = entry.key[: _MOST_KEY - 5]
        while key in taken:
            counted[own] += 1
            key = f"{own}-{counted[own] + 1}"
        taken.add(key)
        yield replace(entry, key=key)
