"""The form that deploys or updates a stack: where its compose file comes from, the answers, and what it lacks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict

from dashboard.flows.provided import BY_THE_CORE
from dashboard.forms.contents import Contents, read_contents
from dashboard.forms.questions import Field, Given, fields_of, hidden_answers, typed_answers
from dashboard.forms.sources import Source
from platform_manager import recipes
from platform_manager.errors import UserError

COMPOSE_CAP = 500_000
MOST_TICKED = 200
# What one ticks: external networks and volumes to make, compose files to merge.
TICKED = {"create_network": "networks", "create_volume": "volumes", "overlay": "overlays"}


class StackForm(forms.Form):
    name = forms.CharField(max_length=200, required=False, label="Stack name", strip=True)
    compose = forms.CharField(
        max_length=COMPOSE_CAP,
        required=False,
        strip=False,
        error_messages={"max_length": f"The compose file is larger than {COMPOSE_CAP} characters."},
    )
    compose_file = forms.FileField(required=False)
    env = forms.CharField(max_length=COMPOSE_CAP, required=False, strip=False)
    env_file = forms.FileField(required=False)
    own = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        """Uploaded files count like pasted text, for browsers that did not read them into the fields."""
        cleaned = super().clean() or self.cleaned_data
        for name in ("compose", "env"):
            upload = cleaned.get(f"{name}_file")
            if upload and not cleaned.get(name):
                cleaned[name] = self._text(name, upload)
        return cleaned

    def _text(self, name: str, upload: UploadedFile[Any]) -> str:
        if (upload.size or 0) > COMPOSE_CAP:
            self.add_error(name, f"The file is larger than {COMPOSE_CAP} bytes.")
            return ""
        try:
            text: str = upload.read().decode("utf-8")
        except UnicodeDecodeError:
            self.add_error(name, "The file is no text in UTF-8.")
            return ""
        return text


@dataclass(frozen=True)
class Extras:
    """What the form has besides answers: ticked boxes, and the content of secrets, configs and files."""

    networks: frozenset[str] = frozenset()
    volumes: frozenset[str] = frozenset()
    overlays: frozenset[str] = frozenset()
    anew: bool = False
    contents: Contents = field(default_factory=Contents)


def read_extras(data: Mapping[str, Any], files: Mapping[str, Any]) -> Extras:
    ticked = {
        word: frozenset(data.getlist(name)[:MOST_TICKED]) if isinstance(data, QueryDict) else frozenset()
        for name, word in TICKED.items()
    }
    return Extras(contents=read_contents(data, files), anew=bool(data.get("anew")), **ticked)


@dataclass(frozen=True)
class StackInput:
    """What the form holds, as far as it can be read; ``failure`` says why not further.

    ``provided`` is what the platform itself knows and the file uses. ``unused`` are names of the ``.env`` file that
    nothing asks for.
    """

    name: str
    source: Source
    fields: list[Field] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    provided: dict[str, str] = field(default_factory=dict)
    secret_names: frozenset[str] = frozenset()
    unused: list[str] = field(default_factory=list)
    overlays: tuple[tuple[str, str], ...] = ()
    extras: Extras = Extras()
    failure: UserError | None = None

    @property
    def compose(self) -> str:
        return self.source.compose

    @property
    def missing(self) -> list[str]:
        """The questions that must be answered and are not."""
        return [one.name for one in self.fields if one.missing and one.question.used]

    @property
    def wrong(self) -> bool:
        return any(one.error for one in self.fields) or bool(self.extras.contents.errors)


@dataclass(frozen=True)
class Here:
    """What an environment gives to answers: what the platform knows, and what can be picked, by question."""

    provided: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, tuple[recipes.Choice, ...]] = field(default_factory=dict)
    earlier: Mapping[str, str] = field(default_factory=dict)
    secret_before: Collection[str] = ()


def read_input(
    cleaned: Mapping[str, Any],
    data: Mapping[str, Any],
    source: Source,
    here: Here,
    files: Mapping[str, Any] | None = None,
) -> StackInput:
    name = (cleaned.get("name") or "").strip()
    failure: UserError | None = None
    env: dict[str, str] = {}
    try:
        env = recipes.parse_env(cleaned.get("env") or "")
    except UserError as error:
        failure = UserError(str(error), "env")
    defaults = {one.variable: one.default for one in source.questions if one.default is not None}
    given = Given(typed_answers(data), env, here.earlier, here.secret_before, defaults, source.defaults_before)
    provided = {**here.provided, "STACK_NAME": name}
    asked = [question for question in source.questions if question.variable not in provided]
    first = fields_of(asked, given)
    source = source.drawn(_answers(first, asked), {one.name for one in first if one.secret}, name)
    extras = read_extras(data, files or {})
    overlays = tuple((file, text) for file, text in source.overlays if file in extras.overlays)
    start = StackInput(name, source, overlays=overlays, extras=extras)
    try:
        parsed = recipes.parse(source.compose, source.files, overlays=overlays)
        found = recipes.variables(parsed)
    except UserError as error:
        return replace(start, fields=fields_of(asked, given, here.choices), failure=error)
    questions = recipes.united(asked, [variable for variable in found if variable.name not in provided])
    used_before = source.mentioned()
    questions = [replace(one, used=one.used or one.variable in used_before) for one in questions]
    fields = fields_of(questions, given, here.choices)
    mentioned = {variable.name for variable in found}
    used = {name: value for name, value in provided.items() if name in mentioned}
    answers = _answers(fields, questions)
    return replace(
        start,
        fields=fields,
        answers=answers | {name: value for name, value in used.items() if name not in BY_THE_CORE},
        provided=used,
        secret_names=frozenset(one.name for one in fields if one.secret),
        unused=sorted(set(env) - {question.variable for question in questions}),
        failure=failure,
    )


def _answers(fields: list[Field], questions: list[recipes.Question]) -> dict[str, str]:
    used = {one.name: one.answer for one in fields if one.answer and one.question.used}
    return hidden_answers(question for question in questions if question.used) | used
