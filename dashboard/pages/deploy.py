"""What the deploy form holds: its draft of a deployment, and what stands against it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar
from zlib import crc32

from django.http import QueryDict

from dashboard.flows.stacks import Wish, preview_stack
from dashboard.forms.questions import Field
from dashboard.forms.sources import Source
from dashboard.forms.stacks import StackForm, StackInput, read_input
from dashboard.models import Stack
from dashboard.operations.masking import Masker, unsaid
from platform_manager import recipes
from platform_manager.errors import UserError
from platform_manager.recipes.contents import words_of

from .deploy_asked import Content, Offer, asked_of, filled
from .deploy_sources import RESERVED, here
from .viewer import Viewer

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Draft:
    """What the form holds, what deploying it would do, and which sentence stands at which field.

    ``patient`` means that one still types: what is yet to come is no mistake.
    """

    given: StackInput
    wish: Wish
    preview: recipes.Preview | None
    problems: list[recipes.Problem]
    errors: dict[str, str]
    asked: list[Content]
    patient: bool = False

    @property
    def unnamed(self) -> bool:
        return self.patient and not self.given.name

    @property
    def wrong(self) -> bool:
        against = any(problem.severity == "error" for problem in self.problems)
        return self.preview is None or bool(self.errors) or against or self.given.wrong

    @property
    def missing(self) -> list[str]:
        """What must be answered or given and is not yet."""
        return [*self.given.missing, *(one.name for one in self.asked if one.missing)]

    @property
    def to_do(self) -> list[tuple[str, str, str]]:
        """What stands in the way in other parts of the form: its field's id, its name, and what is wrong with it."""
        answers = [
            (f"answer-{one.id}", one.question.label or one.name, one.error)
            for one in self.given.fields
            if one.error or (one.missing and one.question.used)
        ]
        given = [(f"asked-{n}", f"{one.word} {one.name}", one) for n, one in enumerate(self.asked, 1) if not one.kept]
        found = answers + [(id, name, one.error) for id, name, one in given if one.error or one.missing]
        return [*found, ("id_env", ".env file", self.errors["env"])] if "env" in self.errors else found

    @property
    def sound(self) -> bool:
        return not self.wrong and not self.missing

    @property
    def empty(self) -> bool:
        return not self.given.compose.strip() and not self.given.source.locked

    @property
    def question_names(self) -> str:
        version = self.given.source.version
        names = [one.name for one in self.given.fields]
        return " ".join([*names, f"@{version.pk}"] if version else names)

    @property
    def asked_names(self) -> str:
        return " ".join(one.field for one in self.asked)

    @property
    def source_mark(self) -> str:
        """Changes with what the form shows of the recipe; an own compose file is not drawn while one types in it."""
        source, version = self.given.source, self.given.source.version
        told = crc32(repr((source.compose, source.notes, source.refusal)).encode()) if source.locked else "own"
        return f"{version.pk if version else ''}/{told}"

    @property
    def offers(self) -> list[Offer]:
        wanted = [one.offer.partition(":") for one in self.problems if one.offer.startswith("create-")]
        found = {(kind.removeprefix("create-"), name): False for kind, _, name in wanted}
        found |= {("network", name): True for name in self.wish.networks}
        found |= {("volume", name): True for name in self.wish.volumes}
        return [Offer(kind, name, on) for (kind, name), on in sorted(found.items()) if kind in ("network", "volume")]

    def _own_networks(self) -> Iterable[str]:
        """What the file calls those that are missing, where the script finds the line of each to change it there."""
        lines = [line.strip().replace('"', "").replace("'", "") for line in self.given.compose.splitlines()]
        for one in self.problems:
            key = one.path.removeprefix("networks.")
            found = any(line == f"{key}:" or line.startswith(f"{key}: {{") for line in lines)
            if one.offer.startswith("create-network:") and found:
                yield key

    @property
    def context(self) -> dict[str, Any]:
        given, offers = self.given, self.offers
        return {
            "given": given,
            "source": given.source,
            "source_mark": self.source_mark,
            "fields": given.fields,
            "groups": _groups(given.fields),
            "unused_fields": [one for one in given.fields if not one.question.used],
            "question_names": self.question_names,
            "patient": self.patient,
            "asked": self.asked,
            "asked_names": self.asked_names,
            "preview": self.preview,
            "problems": self.problems,
            "serious": [one for one in self.problems if one.severity != "warning"],
            "warnings": [one for one in self.problems if one.severity == "warning"],
            "errors": self.errors,
            "missing": self.missing,
            "to_do": self.to_do,
            "wrong": self.wrong,
            "deployable": self.sound and not self.unnamed,
            "unnamed": self.sound and self.unnamed,
            "offers": offers,
            "offers_anew": self.wish.anew or any(one.offer == "recreate" for one in self.problems),
            "dangerous": any(one.severity == "danger" for one in self.problems),
            "own_networks": [] if given.source.locked else list(self._own_networks()),
            "empty": self.empty,
        }


def _groups(asked: Iterable[Field]) -> list[tuple[str, list[Field]]]:
    """The questions that the catalog knows, then the strays of the file."""
    used = [one for one in asked if one.question.used]
    known = [one for one in used if one.question.known]
    strays = [one for one in used if not one.question.known]
    found = [("Questions", known), ("Other variables of the file" if known else "Variables of this file", strays)]
    return [(title, group) for title, group in found if group]


def draft(viewer: Viewer, form: StackForm, source: Source, known: Stack | None, *, patient: bool = False) -> Draft:
    """What deploying the form would do; ``known`` is the stack that it updates."""
    errors = {} if form.is_valid() else {name: str(found[0]) for name, found in form.errors.items()}
    around = here(viewer, source, known)
    if not source.locked or (form.cleaned_data.get("own") and "compose" in form.data):
        source = source.own(form.cleaned_data.get("compose", ""))
    given = read_input(form.cleaned_data, form.data, source, around, form.files)
    if source.locked and form.cleaned_data.get("own"):
        # One begins with the file as the answers made it.
        given = read_input(form.cleaned_data, form.data, given.source.own(None), around, form.files)
    start = Draft(given, _wish(given, known), None, [], errors, [], patient)
    mask = Masker(_secrets(given))
    return _masked(_named(_judged(viewer, start, known), known), mask)


def _judged(viewer: Viewer, draft: Draft, known: Stack | None) -> Draft:
    given, errors = draft.given, draft.errors
    if draft.empty:
        return draft
    if given.source.refusal:
        errors.setdefault("compose", given.source.refusal)
        return draft
    if given.failure is not None:
        errors.setdefault(given.failure.field or "compose", str(given.failure))
        if errors.get("compose"):
            return replace(draft, problems=list(getattr(given.failure, "problems", [])))
    try:
        bare = preview_stack(viewer.environment, draft.wish, updating=known is not None)
        asked = asked_of(bare, given)
        wish = filled(draft.wish, bare, asked, given)
        same = wish == draft.wish
        preview = bare if same else preview_stack(viewer.environment, wish, updating=known is not None)
    except UserError as error:
        errors.setdefault(error.field or "compose", str(error))
        return replace(draft, problems=list(getattr(error, "problems", [])))
    # What is to be given is asked for in fields of its own.
    problems = [one for one in preview.problems if not one.offer.startswith("give-")]
    return replace(draft, wish=wish, preview=preview, problems=problems, asked=asked)


def _named(draft: Draft, known: Stack | None) -> Draft:
    """With the sentence at the name, if there is one, and without it where a name is still to come."""
    given, errors = draft.given, dict(draft.errors)
    if known is None and not draft.empty:
        taken = "This name is taken by the platform itself. Choose another one." if given.name == RESERVED else ""
        told = next((one.message for one in draft.problems if one.path == "name"), "")
        problem = recipes.stack_name_problem(given.name) or taken or told
        if problem:
            errors.setdefault("name", problem)
    if not draft.unnamed:
        return replace(draft, errors=errors)
    errors.pop("name", None)
    return replace(draft, errors=errors, problems=[one for one in draft.problems if one.path != "name"])


def _wish(given: StackInput, known: Stack | None) -> Wish:
    source, version = given.source, given.source.version
    of_builtin = source.builtin.name if source.builtin else ""
    title = version.recipe.title if version else known.recipe if known else of_builtin
    return Wish(
        given.name,
        given.compose,
        given.answers,
        overlays=given.overlays,
        files=source.files,
        recipe=title,
        source=version.recipe if version else known.source if known else None,
        version=version.label if version else known.version if known else "",
        version_digest=version.digest if version else known.version_digest if known else "",
        secret_names=given.secret_names,
        anew=given.extras.anew and known is not None,
    )


def _secrets(given: StackInput) -> list[str]:
    """What nobody shall read in a sentence of the preview."""
    answers = unsaid((one.answer for one in given.fields if one.secret), given.compose, given.name)
    return [*answers, *map(words_of, given.extras.contents.of("secret").values())]


def _masked(draft: Draft, mask: Masker) -> Draft:
    errors = {name: mask(sentence) for name, sentence in draft.errors.items()}
    return replace(draft, errors=errors, preview=_hide(draft.preview, mask), problems=_hide(draft.problems, mask))


def _hide(thing: Thing, mask: Masker) -> Thing:
    """The record, or list of records, with every text masked."""
    found: Any = thing
    if isinstance(thing, Enum):
        return thing
    if isinstance(thing, str):
        found = mask(thing)
    elif isinstance(thing, list):
        found = [_hide(one, mask) for one in thing]
    elif is_dataclass(thing) and not isinstance(thing, type):
        found = replace(thing, **{one.name: _hide(getattr(thing, one.name), mask) for one in fields(thing)})
    return found  # type: ignore[no-any-return]


def data_of(values: Mapping[str, str], source: Source) -> QueryDict:
    """What a form that nobody has filled in yet would send."""
    data = QueryDict(mutable=True)
    data.update({**values, **({} if source.locked else {"compose": source.compose})})
    data.setlist("overlay", sorted(source.chosen))
    return data
