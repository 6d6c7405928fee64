"""Where the recipes of a Rancher catalog lie in a tree of files."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from platform_manager.catalogs.base import Tree

_BASE = re.compile(r"(?:([a-z]+)-)?templates")
_COMPOSE = re.compile(r"(?:docker-compose|rancher-compose|project)\.ya?ml(?:\.tpl)?")
_CONFIG = ("config.yml", "config.yaml")


@dataclass
class Folder:
    """One recipe: ``path`` in the tree ("" for the tree itself), ``base`` is what it is for ("" is cattle, "infra").

    ``files`` are its own by name, ``versions`` those of its numbered folders.
    """

    path: str
    base: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    versions: dict[int, dict[str, bytes]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def key(self) -> str:
        """As Rancher writes it, ``infra*ipsec``, below whatever folder the whole catalog lies in."""
        parent = self.path.split("/")[:-1]
        above = parent[:-1] if parent and _BASE.fullmatch(parent[-1]) else parent
        return "/".join([*above, f"{self.base}*{self.name}" if self.base else self.name])


def folders(tree: Tree) -> list[Folder]:
    """Folders with numbered versions in them, by path; folders that only look like it are left out."""
    found: dict[str, Folder] = {}
    for path in tree:
        parts = path.split("/")
        place = _version_at(parts)
        if place is not None:
            folder = _folder(found, parts[:place])
            folder.versions.setdefault(int(parts[place]), {})["/".join(parts[place + 1 :])] = tree[path]
    for path, data in tree.items():
        parent, _, name = path.rpartition("/")
        if parent in found:
            found[parent].files[name] = data
    return [found[path] for path in sorted(found) if _is_recipe(found[path])]


def _version_at(parts: list[str]) -> int | None:
    """Which part of a path is the version's number; the first one, for versions may hold folders themselves."""
    for place, part in enumerate(parts[:-1]):
        if part.isascii() and part.isdecimal() and len(part) < 10:
            return place
    return None


def _folder(found: dict[str, Folder], parts: list[str]) -> Folder:
    path = "/".join(parts)
    if path not in found:
        match = _BASE.fullmatch(parts[-2]) if len(parts) > 1 else None
        found[path] = Folder(path, (match[1] or "") if match else "")
    return found[path]


def _is_recipe(folder: Folder) -> bool:
    has_config = any(name in folder.files for name in _CONFIG)
    has_compose = any(_COMPOSE.fullmatch(name) for files in folder.versions.values() for name in files)
    return has_compose or (has_config and bool(folder.base))


def first_of(files: dict[str, bytes], names: Iterable[str]) -> tuple[str, str]:
    """The name and text of the first file there is; both "" where there is none. Names may differ in capitals."""
    lowered = {name.lower(): name for name in files}
    for name in names:
        if name in lowered:
            return lowered[name], files[lowered[name]].decode("utf-8-sig", "replace")
    return "", ""


def config_of(folder: Folder) -> str:
    return first_of(folder.files, _CONFIG)[1]
