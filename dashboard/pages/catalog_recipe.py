"""One recipe of the catalog: what it is, its versions, what it asks, and what came of it here."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from html import unescape
from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.html import strip_tags

from dashboard.flows.provided import BY_THE_CORE, provided
from dashboard.models import CatalogRecipe, RecipeVersion
from platform_manager import recipes
from platform_manager.recipes.questions import Question, QuestionKind

from .catalog import offered, uses_of, versions_of
from .deploy_sources import of_version
from .viewer import Viewer

SHOWN_DEFAULT = 200
SHOWN_CHOICES = 20


@dataclass(frozen=True)
class Asked:
    """A question as a row: ``default`` is shown unless it is a secret's."""

    question: Question
    default: str
    choices: Sequence[str]

    @property
    def must(self) -> bool:
        """Whether a blank answer is refused: a default takes its place."""
        return self.question.required and not self.question.default

    @property
    def remark(self) -> str:
        if not self.question.used:
            return "No file of the recipe mentions it."
        return "" if self.question.known else "Of its files; the catalog says nothing of it."


@dataclass(frozen=True)
class File:
    path: str
    size: int


def recipe_of(viewer: Viewer, recipe_id: UUID) -> CatalogRecipe:
    """Also one that left its catalog, where a stack here came from it."""
    visible = CatalogRecipe.objects.of(viewer.environment, viewer.user)
    known = CatalogRecipe.objects.filter(stacks__environment=viewer.environment)
    found = visible.filter(pk=recipe_id).select_related("catalog").defer("logo", "catalog__upload", "catalog__secret")
    row = found.first() or known.filter(pk=recipe_id).select_related("catalog").defer("logo").first()
    if row is None:
        raise Http404("There is no such recipe in the catalog of this environment (any more).")
    return row


def recipe_page(viewer: Viewer, recipe_id: UUID, params: Mapping[str, str]) -> dict[str, Any]:
    """``params``: the label of a version (version)."""
    recipe = recipe_of(viewer, recipe_id)
    labels = list(recipe.versions.values_list("label", flat=True))
    versions = versions_of([recipe.pk])
    deployable = {one.label for one in versions[recipe.pk]}
    first = offered(versions[recipe.pk], recipe.preferred)
    asked = params.get("version", "")
    label = asked if asked in labels else first.label if first else labels[0] if labels else ""
    version = recipe.versions.filter(label=label).first()
    return {
        **viewer.shared,
        "recipe": recipe,
        "labels": [(one, one not in deployable) for one in labels],
        "offered": first.label if first else "",
        "version": version,
        "says_more": says_more(recipe),
        "questions": asked_by(version, {*BY_THE_CORE, *provided(viewer.environment)}) if version else [],
        "files": files_of(version) if version else [],
        "uses": uses_of(viewer, [recipe], versions).get(recipe.pk, []),
    }


def says_more(recipe: CatalogRecipe) -> bool:
    """Whether the description holds more than the summary that is made of it."""
    said = unescape(strip_tags(recipe.description))
    return said.split() != recipe.summary.split()


def asked_by(version: RecipeVersion, given: Container[str] = ()) -> list[Asked]:
    """The catalog's questions and the variables of the files, as the form will ask them; ``given`` are not asked."""
    known = [recipes.question_of(stored) for stored in version.questions]
    overlays = [(one["name"], one["compose"]) for one in version.overlays]
    try:
        parsed = recipes.parse(version.compose, overlays=overlays) if version.compose else None
    except recipes.ComposeInvalid:
        parsed = None
    united = recipes.united(known, recipes.variables(parsed)) if parsed else known
    # Templates mention some that the compose file made from them does not.
    mentioned = of_version(version).mentioned()
    united = [replace(one, used=one.used or one.variable in mentioned) for one in united]
    return [_asked(one) for one in united if not one.hidden and one.variable not in given]


def _asked(question: Question) -> Asked:
    secret = question.kind == QuestionKind.PASSWORD
    default = (question.default or "")[:SHOWN_DEFAULT]
    return Asked(
        question, "set, not shown" if secret and default else default, [one.value for one in question.choices][:20]
    )


def files_of(version: RecipeVersion) -> list[File]:
    """Sizes in bytes, of what base64 holds."""
    sizes = ((path, len(text) * 3 // 4 - text[-2:].count("=")) for path, text in version.files.items())
    overlays = [File(one["name"], len(one["compose"].encode())) for one in version.overlays]
    return [*overlays, *(File(path, size) for path, size in sorted(sizes))]
