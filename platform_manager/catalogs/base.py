"""What readers of catalogs give, whatever the catalog's format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from platform_manager.recipes.questions import Question

# A source's files by their path, relative, with "/" between its parts, and never leading outside.
Tree: TypeAlias = Mapping[str, bytes]


@dataclass(frozen=True)
class Overlay:
    """A compose file that may be merged over the recipe's own; ``name`` is its file name."""

    name: str
    compose: str


@dataclass(frozen=True)
class Remote:
    """A compose file that lies in a git repository elsewhere: a commit, branch or tag (``ref``), and its path."""

    address: str
    path: str
    ref: str = ""


@dataclass(frozen=True)
class Version:
    """One version of a recipe.

    ``compose`` is ready for a swarm (converted where it was for something else), "" while it is still to be
    read from ``remote`` or where ``refusal`` says why it can't be deployed. ``files`` are by path relative to the
    compose file. ``notes`` are sentences on what the conversion dropped or wrote anew. ``readme`` is Markdown.
    """

    label: str
    compose: str = ""
    files: Tree = field(default_factory=dict)
    overlays: tuple[Overlay, ...] = ()
    questions: tuple[Question, ...] = ()
    notes: tuple[str, ...] = ()
    refusal: str = ""
    readme: str = ""
    remote: Remote | None = None


@dataclass(frozen=True)
class Logo:
    """The picture itself, or where it can be had."""

    data: bytes = b""
    address: str = ""


@dataclass(frozen=True)
class Entry:
    """A recipe with its versions, newest first; ``key`` names it within its catalog and stays the same.

    ``summary`` is one line of plain text, ``description`` Markdown or HTML as the catalog has it: nothing in it is
    safe yet. ``preferred`` is the label of the version that is offered first, "" for the newest.
    """

    key: str
    title: str
    versions: tuple[Version, ...]
    summary: str = ""
    description: str = ""
    categories: tuple[str, ...] = ()
    logo: Logo = Logo()
    icon: str = ""
    link: str = ""
    maintainer: str = ""
    license: str = ""
    preferred: str = ""
    operators_only: bool = False


@dataclass(frozen=True)
class Skipped:
    """Something of a catalog that could not be read, or only in part, and why, as a sentence."""

    path: str
    sentence: str


@dataclass(frozen=True)
class Found:
    """What a reader made of a tree; ``format`` is the name of what it took the tree for."""

    format: str
    entries: tuple[Entry, ...]
    skipped: tuple[Skipped, ...] = ()
