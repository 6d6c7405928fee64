"""Files on their way into a tree: only where they may lie, only so many, and only so large."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from platform_manager.catalogs.base import Skipped, Tree
from platform_manager.errors import UserError

MOST_FILES = 20_000
MOST_SEEN = 200_000
MOST_FILE_BYTES = 2**20
MOST_BYTES = 64 * 2**20
MOST_SKIPPED = 100
MOST_PATH = 300

_ODD = re.compile(r"[\x00-\x1f\x7f\\]")


@dataclass(frozen=True)
class Fetched:
    """The files of a source; ``commit`` is of a git repository, "" elsewhere."""

    tree: Tree
    commit: str = ""
    skipped: tuple[Skipped, ...] = field(default=())


class Gathering:
    """``noun`` is what the files come from, as in "The archive"."""

    def __init__(self, noun: str, *, folder: str = "") -> None:
        self.noun = noun
        self.folder = inside(folder)
        self.tree: dict[str, bytes] = {}
        self.skipped: list[Skipped] = []
        self._bytes = 0
        self._seen = 0

    def wants(self, path: str) -> str:
        """The path that a file gets in the tree; "" when it stays out."""
        self.look()
        if self.folder and not path.startswith(f"{self.folder}/"):
            return ""
        if problem := path_problem(path):
            self.skip(path, problem)
            return ""
        return path[len(self.folder) + 1 :] if self.folder else path

    def look(self) -> None:
        """One more file or folder was looked at. UserError when it is one too many."""
        self._seen += 1
        if self._seen > MOST_SEEN:
            raise self._too_many(MOST_SEEN)

    def _too_many(self, most: int) -> UserError:
        return UserError(
            f"{self.noun} has more than {most:,} files and folders. "
            "Use one with the recipes alone, or name the folder they are in."
        )

    def add(self, path: str, data: bytes) -> None:
        if len(data) > MOST_FILE_BYTES:
            self.skip(path, too_large())
            return
        if len(self.tree) >= MOST_FILES:
            raise self._too_many(MOST_FILES)
        self._bytes += len(data)
        if self._bytes > MOST_BYTES:
            raise too_much(self.noun)
        self.tree[path] = data

    def skip(self, path: str, sentence: str) -> None:
        if len(self.skipped) < MOST_SKIPPED:
            self.skipped.append(Skipped(_ODD.sub("?", path)[:MOST_PATH], sentence))

    def fetched(self, commit: str = "") -> Fetched:
        """All of it; UserError when the folder that was asked for is not there."""
        if self.folder and not self.tree:
            raise UserError(
                f"{self.noun} has no folder '{self.folder[:100]}', or nothing that can be read in it. "
                "Check its spelling, or leave it out for all folders.",
                "folder",
            )
        return Fetched(self.tree, commit, tuple(self.skipped))


def too_large() -> str:
    return f"It is larger than {MOST_FILE_BYTES // 2**20} MB and was left out."


def too_much(noun: str) -> UserError:
    return UserError(
        f"{noun} holds more than {MOST_BYTES // 2**20} MB of files. "
        "Use one with the recipes alone, without pictures and programs."
    )


def path_problem(path: str) -> str:
    """Why a file may not lie at this path, as a sentence; "" when it may."""
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or path[1:2] == ":":
        return "Its path leads outside, so it was left out."
    if _ODD.search(path) or "" in parts or "." in parts or len(path) > MOST_PATH:
        return "Its path can't be used, so it was left out."
    return "It belongs to git and was left out." if ".git" in (part.lower() for part in parts) else ""


def inside(folder: str) -> str:
    """A folder as people write it ("/recipes/", "./recipes") as the start of paths; UserError when it leads outside."""
    parts = [part for part in folder.strip().split("/") if part not in ("", ".")]
    cleaned = "/".join(parts)
    if cleaned and path_problem(cleaned):
        raise UserError("The folder leads outside of its source. Give one such as recipes/tools.", "folder")
    return cleaned
