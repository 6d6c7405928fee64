"""What a recipe lacks: networks and volumes to make first, and the contents that the deploy form takes."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, replace

from dashboard.flows.stacks import Wish
from dashboard.forms.sources import RANCHER
from dashboard.forms.stacks import StackInput
from platform_manager import recipes
from platform_manager.recipes import contents

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

    ``text`` is shown again, which no secret is, and so is ``binary``, what came as a file, in base64; ``said`` tells of
    a file what it is. ``given`` says that there is content whether it is shown or not.
    """

    kind: str
    name: str
    secret: bool
    message: str
    text: str = ""
    binary: str = ""
    said: str = ""
    error: str = ""
    given: bool = False
    kept: bool = False

    @property
    def missing(self) -> bool:
        return not self.given and not self.kept

    @property
    def largest(self) -> int:
        return contents.longest(self.kind)

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
    kept = [Content("file", path, True, _kept(given.source.files[path]), kept=True) for path in own]
    asked = [Content(one.kind, one.name, one.secret, one.message) for one in preview.asked if not one.given]
    return [_with_content(one, given) for one in asked + kept]


def _kept(data: bytes) -> str:
    return f"If blank: the file stays as it is ({contents.described(data, digest=False)})."


def _with_content(one: Content, given: StackInput) -> Content:
    came, mark = given.extras.contents, (one.kind, one.name)
    data, is_file = came.given.get(mark, b""), mark in came.files
    one = replace(one, error=came.errors.get(mark, ""), given=bool(data))
    if is_file and data:
        told = contents.described(data, digest=not one.secret)
        one = replace(one, said=f"{told[0].upper()}{told[1:]}.")
    if one.secret:
        return one
    # What came as a file need not survive a text field: line ends do not.
    return replace(one, binary=b64encode(data).decode()) if is_file else replace(one, text=data.decode())


def filled(wish: Wish, bare: recipes.Preview, asked: Iterable[Content], given: StackInput) -> Wish:
    """The wish with what was ticked and given, as far as this file needs it."""
    needed = {(one.kind, one.name) for one in asked}
    of = {
        kind: {name: data for name, data in given.extras.contents.of(kind).items() if (kind, name) in needed}
        for kind in WORDS
    }
    return replace(
        wish,
        files={**wish.files, **of["file"]},
        secrets=of["secret"],
        configs=of["config"],
        networks=given.extras.networks & {one.name for one in bare.networks if one.external},
        volumes=given.extras.volumes & {one.name for one in bare.volumes if one.external},
    )
