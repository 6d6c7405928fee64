"""Which recipe the deploy form is about, for this viewer; Http404 for one that they may not see."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass

from django.http import Http404

from dashboard.flows.provided import provided
from dashboard.forms.sources import RANCHER, Source
from dashboard.forms.stacks import Here
from dashboard.models import CatalogKind, CatalogRecipe, RecipeVersion, Revision, Stack
from dashboard.operations.masking import secret_names
from platform_manager import recipes
from platform_manager.catalogs import rancher
from platform_manager.recipes import Choice, Question, QuestionKind
from platform_manager.swarm.snapshot import load_owners

from .catalog import Offered, offered, upgrade_of, versions_of
from .snapshot import read
from .viewer import Viewer

# The address of a stack of this name is the deploy form's.
RESERVED = "deploy"
CARDS = 6
MOST_CHOICES = 200


def source_of(viewer: Viewer, data: Mapping[str, str], known: Stack | None) -> Source:
    """``data`` may hold ``version`` (the id of a recipe's version) and ``recipe`` (the name of a built-in one)."""
    if data.get("version"):
        version = _version(viewer, data["version"], known)
        return of_version(version, known)
    if known is not None:
        return of_stack(known)
    chosen = next((one for one in recipes.builtin() if one.name == data.get("recipe")), None)
    return Source(compose=chosen.compose, files=chosen.files, builtin=chosen) if chosen else Source()


def _version(viewer: Viewer, pk: str, known: Stack | None) -> RecipeVersion:
    visible = CatalogRecipe.objects.of(viewer.environment, viewer.user)
    found = RecipeVersion.objects.select_related("recipe__catalog").filter(recipe__in=visible)
    if known is not None:
        found = found.filter(recipe=known.source_id)
    version = found.filter(pk=int(pk)).first() if pk.isascii() and pk.isdecimal() and len(pk) < 19 else None
    if version is None:
        raise Http404("This version of the recipe is not in the catalog (any more). Choose another one there.")
    return version


def of_version(version: RecipeVersion, known: Stack | None = None) -> Source:
    revision = known.revisions.first() if known else None
    return Source(
        compose=version.compose,
        files=decoded(version.files),
        overlays=_overlays(version.overlays),
        chosen=frozenset(one["name"] for one in revision.overlays) if revision else frozenset(),
        questions=_questions(version),
        defaults_before=_defaults(_running_version(known)) if known else {},
        notes=tuple(version.notes),
        refusal=version.refusal,
        version=version,
        locked=True,
        slashed_services=_slashed(version),
    )


def of_stack(known: Stack) -> Source:
    """What the newest revision was made of, with the questions of the version it came from."""
    revision = known.revisions.first() or Revision()
    version, files = _running_version(known), decoded(revision.files or {})
    more = _overlays(version.overlays) if version else ()
    merged = _overlays(revision.overlays)
    return Source(
        compose=revision.compose,
        files=files,
        overlays=(*merged, *(one for one in more if one[0] not in dict(merged))),
        chosen=frozenset(dict(merged)),
        questions=_questions(version) if version else (),
        defaults_before=_defaults(version),
        locked=version is not None and (RANCHER in files or version.compose == revision.compose),
        slashed_services=version is not None and _slashed(version),
    )


def _running_version(known: Stack) -> RecipeVersion | None:
    if known.source is None:
        return None
    return known.source.versions.filter(label=known.version).select_related("recipe__catalog").first()


def upgrade(viewer: Viewer, known: Stack) -> RecipeVersion | None:
    """What its catalog offers instead of what runs."""
    if known.source_id is None:
        return None
    recipe = CatalogRecipe.objects.of(viewer.environment, viewer.user).filter(pk=known.source_id).first()
    if recipe is None:
        return None
    best = upgrade_of(known, versions_of([recipe.pk])[recipe.pk], recipe.preferred)
    return recipe.versions.filter(pk=best.pk).first() if best else None


def free_name(viewer: Viewer, source: Source) -> str:
    """A name for a new stack of the recipe that nothing here has yet; "" where there is no recipe."""
    chosen = source.version.recipe.title if source.version else source.builtin.name if source.builtin else ""
    name = recipes.suggest_stack_name(chosen)
    if not name:
        return ""
    known = viewer.environment.stacks.values_list("name", flat=True)
    taken = {RESERVED, *known, *read(viewer.environment).services_by_stack}
    numbered = (f"{name[:36]}-{n}" for n in range(2, len(taken) + 3))
    return next(one for one in (name, *numbered) if one not in taken)


def decoded(files: Mapping[str, str]) -> dict[str, bytes]:
    return {path: b64decode(data) for path, data in files.items()}


def _overlays(stored: list[dict[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((one["name"], one["compose"]) for one in stored)


def _questions(version: RecipeVersion) -> tuple[Question, ...]:
    return tuple(recipes.question_of(stored) for stored in version.questions)


def _defaults(version: RecipeVersion | None) -> dict[str, str]:
    asked = _questions(version) if version else ()
    return {one.variable: one.default for one in asked if one.default is not None}


def _slashed(version: RecipeVersion) -> bool:
    told = str(version.recipe.catalog.report.get("format", ""))
    return RANCHER in version.files or told == rancher.FORMAT


def here(viewer: Viewer, source: Source, known: Stack | None) -> Here:
    """What this environment and the revision before give to the answers."""
    revision = known.revisions.first() if known else None
    answers = revision.answers if revision and isinstance(revision.answers, dict) else {}
    earlier = {str(name): str(value) for name, value in answers.items()}
    return Here(
        provided=provided(viewer.environment),
        choices={one.variable: _choices(viewer, source, one) for one in source.questions},
        earlier=earlier,
        secret_before=secret_names(earlier, revision.wishes if revision else None),
    )


def _choices(viewer: Viewer, source: Source, question: Question) -> tuple[Choice, ...]:
    if question.kind is QuestionKind.SERVICE:
        return _services(viewer, question.service_type, slashed=source.slashed_services)
    if question.kind in (QuestionKind.SECRET, QuestionKind.CERTIFICATE):
        names = load_owners(viewer.environment.snapshot.secrets)
        return tuple(Choice(str(name), str(name)) for name in sorted(names)[:MOST_CHOICES])
    return ()


def _services(viewer: Viewer, wanted: str, *, slashed: bool) -> tuple[Choice, ...]:
    """Those of the wanted type first, by image or name."""
    found = read(viewer.environment).services
    fitting = [one for one in found if wanted.lower() in f"{one.image} {one.name}".lower()]
    ordered = (*fitting, *(one for one in found if one not in fitting))
    names = [(one, one.name.removeprefix(f"{one.stack}_") if one.stack else one.name) for one in ordered]
    return tuple(
        Choice(f"{one.stack}/{short}" if slashed and one.stack else one.name, f"{one.name} ({one.image})")
        for one, short in names[:MOST_CHOICES]
    )


@dataclass(frozen=True)
class VersionChoice:
    """An option of the version picker; ``value`` is "" for what a stack runs now."""

    value: str
    label: str
    chosen: bool


def version_choices(viewer: Viewer, source: Source, known: Stack | None) -> list[VersionChoice]:
    """None where there is no recipe, or where it is not (or no longer) for the viewer."""
    pk = source.version.recipe_id if source.version else known.source_id if known else None
    recipe = CatalogRecipe.objects.of(viewer.environment, viewer.user).filter(pk=pk).first() if pk else None
    if recipe is None:
        return []
    found = [
        VersionChoice(
            str(one.pk), f"{one.label} (can't be deployed)" if one.refusal else one.label, one == source.version
        )
        for one in recipe.versions.only("pk", "label", "position", "refusal", "recipe")
    ]
    if known is None:
        return found
    now = VersionChoice("", f"{known.version or 'the version'} that runs now", source.version is None)
    return [now, *found]


def cards(viewer: Viewer) -> list[tuple[CatalogRecipe, Offered]]:
    """Some recipes of catalogs to start from, as the catalog offers them; the built-in ones have cards of their own."""
    found = CatalogRecipe.objects.of(viewer.environment, viewer.user).filter(deployable=True)
    found = found.exclude(catalog__kind=CatalogKind.BUILTIN).select_related("catalog").defer("description", "logo")
    rows = list(found[:CARDS])
    versions = versions_of([recipe.pk for recipe in rows])
    best = ((recipe, offered(versions[recipe.pk], recipe.preferred)) for recipe in rows)
    return [(recipe, version) for recipe, version in best if version is not None]
