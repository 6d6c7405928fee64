"""Where the deploy form's recipe comes from: a catalog's version, a built-in recipe, a revision, or nothing yet."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from dashboard.models import RecipeVersion
from platform_manager import recipes
from platform_manager.catalogs import rancher

# What the reader of Rancher's catalogs keeps beside the compose file, so that it can be made anew from the answers.
RANCHER = rancher.STORED_AS


@dataclass(frozen=True)
class Source:
    """``overlays`` are the compose files that may be merged, ``chosen`` the names of those that were before.

    ``locked`` means that the compose file is the recipe's own and not the form's, ``copied`` that it was and one edits
    it now. ``questions`` are the catalog's.
    ``defaults_before`` are those of the version that runs, by variable. ``slashed_services`` says that services are
    answered as ``stack/service``, not by their name on the network.
    """

    compose: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)
    overlays: tuple[tuple[str, str], ...] = ()
    chosen: frozenset[str] = frozenset()
    questions: tuple[recipes.Question, ...] = ()
    defaults_before: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    refusal: str = ""
    version: RecipeVersion | None = None
    builtin: recipes.BuiltinRecipe | None = None
    locked: bool = False
    copied: bool = False
    slashed_services: bool = False

    @property
    def templated(self) -> bool:
        return RANCHER in self.files

    def own(self, compose: str | None) -> Source:
        """The same with a compose file of one's own, the recipe's where none came yet."""
        files = {path: data for path, data in self.files.items() if path != RANCHER}
        text = self.compose if compose is None else compose
        return replace(self, compose=text, files=files, locked=False, copied=self.locked)

    def drawn(self, answers: Mapping[str, str], secret: Collection[str], stack_name: str) -> Source:
        """The compose file as these answers make it, where it is made from them.

        The file is kept and shown as text: a ``secret`` answer stands in it as a variable, never as itself.
        """
        if not self.templated:
            return self
        values = {name: _as_variable(name) if name in secret else value for name, value in answers.items()}
        made = rancher.rendered(self.files, values, stack_name=stack_name)
        if made is None:
            return self
        return replace(self, compose=made.compose, notes=made.notes, refusal=made.refusal or self.refusal)

    def mentioned(self) -> Collection[str]:
        """The variables that the files use before the compose file is made from them."""
        return rancher.mentioned(self.files) or ()


def _as_variable(name: str) -> str:
    return f"${{{name}}}" if re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name) else ""
