"""Compose files in a tree, each with what lies beside it: files, overlays, a README, a logo, words about it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import PurePosixPath
from typing import Any

from platform_manager.catalogs.base import Logo, Overlay, Skipped, Tree
from platform_manager.catalogs.mastermind import NAMES as MASTERMIND
from platform_manager.recipes import ComposeInvalid, parse
from platform_manager.recipes.preflight import file_references
from platform_manager.recipes.recipe import clean_path, leaves_recipe

MOST_RECIPES = 5_000
MOST_FILES = 200
MOST_BYTES = 2 * 2**20
# Of all recipes together: many may share a folder, and each has its files of its own later.
MOST_KEPT = 128 * 2**20
MOST_LOGO = 200 * 2**10
MOST_README = 100_000
ABOUT = ("recipe.yml", "recipe.yaml")

_COMPOSE = re.compile(r"(docker-)?(compose|stack)([-._].*)?\.ya?ml|.*[-._](compose|stack)\.ya?ml")
_MAIN = ("docker-compose", "docker-stack", "compose", "stack")
_OVERLAY = re.compile(r"[-._](add-?ons?|extras?|overrides?|overlays?)")
_SERVICES = re.compile(r"^[\"']?services[\"']?[ \t]*:", re.MULTILINE)
_IMAGE = re.compile(r"^[ \t]+[\"']?image[\"']?[ \t]*:", re.MULTILINE)
_RESERVED = (*MASTERMIND, *ABOUT, "portainer-template.yml", "portainer-template.yaml", "templates.json")
_README = ("readme.md", "readme.markdown", "readme.txt", "readme")
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".ico", ".bmp", ".pdf", ".mp4")
_LOGO = re.compile(r"(logo|icon|catalogicon-.*)\.(png|jpe?g|gif|webp|svg)", re.IGNORECASE)


@dataclass(frozen=True)
class ComposeFile:
    """``refusal`` says why a swarm does not take it; ``value`` is then empty."""

    path: str
    text: str
    value: dict[str, Any] = field(default_factory=dict)
    refusal: str = ""

    @property
    def folder(self) -> str:
        return folder_of(self.path)

    @property
    def stem(self) -> str:
        return PurePosixPath(self.path).stem


def folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def name_of(path: str) -> str:
    return path.rpartition("/")[2]


class ComposeFiles:
    """``without`` are folders that belong to another reader."""

    def __init__(self, tree: Tree, without: Collection[str] = ()) -> None:
        self.tree = tree
        self.skipped: list[Skipped] = []
        self.overlays: dict[str, str] = {}
        self._kept = 0
        self.found: dict[str, ComposeFile] = {}
        for path in sorted(tree):
            if is_candidate(path) and not lies_in(path, without):
                self._read(path)
        self._folders = {file.folder for file in self.found.values()}
        # By folder, its first: recipes of one folder ask for them again and again.
        self._readmes: dict[str, str] = {}
        self._logos: dict[str, str] = {}
        for path in sorted(tree):
            if name_of(path).lower() in _README:
                self._readmes.setdefault(folder_of(path), path)
            elif _LOGO.fullmatch(name_of(path)):
                self._logos.setdefault(folder_of(path), path)

    def _read(self, path: str) -> None:
        if len(self.found) >= MOST_RECIPES:
            self.skipped.append(Skipped(path, f"A catalog has at most {MOST_RECIPES:,} recipes; it was left out."))
            return
        named = bool(_COMPOSE.fullmatch(name_of(path).lower()))
        text = self._text(path)
        structured = bool(_SERVICES.search(text))
        if not _IMAGE.search(text) or not (structured or named):
            if structured and named:
                self._without_images(path, text)
            return
        file = read_compose(path, text)
        if file.refusal and not named:
            self.skipped.append(Skipped(path, file.refusal))
        elif file.refusal or _has_image(file.value):
            self.found[path] = file

    def _without_images(self, path: str, text: str) -> None:
        if _overlay_of(path):
            self.overlays[path] = text
            return
        sentence = "It names no images: a swarm does not build any. Push them to a registry and name them."
        self.skipped.append(Skipped(path, sentence))

    def _text(self, path: str) -> str:
        return self.tree[path].decode("utf-8-sig", "replace")

    def is_main(self, file: ComposeFile) -> bool:
        """Whether what lies in the folder is about this file."""
        return file.stem.lower() in _MAIN or self._recipes_of[file.folder] == [file.path]

    @cached_property
    def _recipes_of(self) -> dict[str, list[str]]:
        """By folder, the paths of the compose files that go over no other."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for file in self.found.values():
            if not _overlay_of(file.path):
                found[file.folder].append(file.path)
        return found

    def overlays_of(self, file: ComposeFile) -> tuple[Overlay, ...]:
        return tuple(self._overlays[file.path.rpartition(".")[0]])

    @cached_property
    def _overlays(self) -> dict[str, list[Overlay]]:
        """By the path, without its ending, of the file that they go over."""
        texts = {path: file.text for path, file in self.found.items() if not file.refusal} | self.overlays
        found: defaultdict[str, list[Overlay]] = defaultdict(list)
        for path, text in sorted(texts.items()):
            if over := _overlay_of(path):
                found[over].append(Overlay(name_of(path), text))
        return found

    def admit(self, path: str) -> None:
        """Takes a file for a compose file because somebody says so; before anything else is asked of this."""
        if path not in self.found:
            self.found[path] = read_compose(path, self._text(path))
            self._folders.add(folder_of(path))

    def files_of(self, file: ComposeFile) -> tuple[dict[str, bytes], list[Skipped]]:
        """What the file refers to, and the small files around it, by path relative to it."""
        prefix = f"{file.folder}/" if file.folder else ""
        found: dict[str, bytes] = {}
        size = 0
        # Not all of them together: a folder with thousands may have thousands of recipes.
        for path in chain(self._referred(file), self._around[file.folder]):
            data = self.tree[path]
            if path.removeprefix(prefix) in found:
                continue
            if len(found) >= MOST_FILES or size + len(data) > MOST_BYTES:
                sentence = f"Only {MOST_FILES} files and {MOST_BYTES // 2**20} MB of a recipe's folder are kept."
                return found, [Skipped(file.path, sentence)]
            size += len(data)
            found[path.removeprefix(prefix)] = data
        self._kept += size
        if self._kept > MOST_KEPT:
            sentence = "The recipes of this catalog have too many files together; this one got none. Split the catalog."
            return {}, [Skipped(file.path, sentence)]
        return found, []

    def _referred(self, file: ComposeFile) -> Iterator[str]:
        sections = {name: _mappings(file.value.get(name)) for name in ("services", "configs", "secrets")}
        for _, name in file_references(sections):
            if isinstance(name, str) and not leaves_recipe(name):
                path = clean_path(f"{file.folder}/{name}" if file.folder else name)
                if path in self.tree and path != file.path:
                    yield path

    @cached_property
    def _around(self) -> dict[str, list[str]]:
        """The other files by the nearest folder above them that has a recipe."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for path in sorted(self.tree):
            if path not in self.found and path not in self.overlays and _is_kept(path):
                folder = folder_of(path)
                while folder not in self._folders and folder:
                    folder = folder_of(folder)
                found[folder].append(path)
        return found

    def readme_of(self, folder: str) -> str:
        path = self._readmes.get(folder)
        text = self._text(path)[:MOST_README] if path else ""
        self._kept += len(text)
        return text if self._kept <= MOST_KEPT else ""

    def logo_of(self, folder: str) -> Logo:
        path = self._logos.get(folder)
        data = self.tree[path] if path else b""
        return Logo(data) if 0 < len(data) <= MOST_LOGO else Logo()

    def text_beside(self, folder: str, names: Collection[str]) -> tuple[str, str]:
        """The path and text of the first of these names in a folder; both "" without."""
        paths = (_joined(folder, name) for name in sorted(names))
        path = next((path for path in paths if path in self.tree), "")
        return (path, self._text(path)) if path else ("", "")


def lies_in(path: str, folders: Collection[str]) -> bool:
    """Whether a file lies anywhere below one of the folders, of which there may be thousands."""
    while path := folder_of(path):
        if path in folders:
            return True
    return False


def is_candidate(path: str) -> bool:
    hidden = any(part.startswith(".") for part in path.split("/"))
    return path.endswith((".yml", ".yaml")) and not hidden and name_of(path) not in _RESERVED


def read_compose(path: str, text: str) -> ComposeFile:
    try:
        return ComposeFile(path, text, parse(text).value)
    except ComposeInvalid as error:
        return ComposeFile(path, text, refusal=str(error)[:1000])


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _has_image(value: dict[str, Any]) -> bool:
    return any(service.get("image") for service in _mappings(value.get("services")).values())


def _mappings(section: Any) -> dict[str, Any]:
    return {key: item for key, item in section.items() if isinstance(item, dict)} if isinstance(section, dict) else {}


def _overlay_of(path: str) -> str:
    """The path, without its ending, of the file that this one may be merged over; "" for others."""
    folder, stem = folder_of(path), PurePosixPath(path).stem
    for main in _MAIN:
        if stem.lower().startswith(main) and _OVERLAY.fullmatch(stem[len(main) :].lower()):
            return _joined(folder, stem[: len(main)])
    return ""


def _is_kept(path: str) -> bool:
    name = name_of(path).lower()
    parts = path.split("/")
    if name in _RESERVED or name in _README or name.endswith(_PICTURES):
        return False
    return not any(part.startswith(".git") for part in parts)
