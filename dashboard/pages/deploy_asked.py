"""What a recipe lacks: networks and volumes to make first, and the contents that the deploy form takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from dashboard.flows.stacks import Wish
from dashboard.forms.sources import RANCHER
from dashboard.forms.stacks import StackInput
from platform_manager import recipes

# Kept out of sight: the platform's own.
OWN_FILES = (RANCHER,)
WORDS = {"secret": "Secret", "config": "Config", "file": "File"}


@dataclass(frozen=True)
class Offer:
    """An external network or volume that the platform makes first, if the box is ticked."""

    kind: str
    name: str
    ticked: bool


@dataclass(frozen=True)
class Content:
    """A secret, config or file whose content the form takes; ``kept`` means that there is one already.

    ``text`` is shown again, which no secret is; ``given`` says that there is content whether it is shown or not.
    """

    kind: str
    name: str
    secret: bool
    message: str
    text: str = ""
    error: str = ""
    given: bool = False
    kept: bool = False

    @property
    def missing(self) -> bool:
        return not self.given and not self.kept

    @property
    def field(self) -> str:
        return f"{self.kind}.{self.name}"

    @property
    def word(self) -> str:
        return WORDS.get(self.kind, self.kind)


def asked_of(preview: recipes.Preview, given: StackInput) -> list[Content]:
    """What the recipe lacks, and which of its files can be replaced."""
    own = [path for path in sorted(given.source.files) if path not in OWN_FILES]
    # A file of the recipe may hold a secret that a revision keeps: its content is not shown.
    kept = [Content("file", path, True, "Blank: the file stays as it is.", kept=True) for path in own]
    asked = [Content(one.kind, one.name, one.secret, one.message) for one in preview.asked if not one.given]
    return [_with_content(one, given) for one in asked + kept]


def _with_content(one: Content, given: StackInput) -> Content:
    text = given.extras.contents.get((one.kind, one.name), "")
    error = given.extras.errors.get((one.kind, one.name), "")
    return replace(one, text="" if one.secret else text, error=error, given=bool(text))


def filled(wish: Wish, bare: recipes.Preview, asked: Iterable[Content], given: StackInput) -> Wish:
    """The wish with what was ticked and given, as far as this file needs it."""
    needed = {(one.kind, one.name) for one in asked}
    contents = {mark: text for mark, text in given.extras.contents.items() if mark in needed}
    of = {kind: {name: text for (one, name), text in contents.items() if one == kind} for kind in WORDS}
    return replace(
        wish,
        files={**wish.files, **{path: text.encode() for path, text in of["file"].items()}},
        secrets=of["secret"],
        configs=of["config"],
        networks=given.extras.networks & {one.name for one in bare.networks if one.external},
        volumes=given.extras.volumes & {one.name for one in bare.volumes if one.external},
    )
