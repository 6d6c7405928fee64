"""The form that deploys or updates a stack: a compose file and the answers to the questions it asks.

A typed answer counts first, then the ``.env`` file. A blank one means the default, but where the name says
that it is a password, it means the answer of the revision before: such answers are never rendered back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from dashboard.operations.masking import SECRET_NAME
from platform_manager import recipes
from platform_manager.errors import UserError

COMPOSE_CAP = 500_000
ANSWER_CAP = 20_000
PREFIX = "answer."


def secret(name: str) -> bool:
    """Whether a variable's name says that its value is not for everybody's eyes."""
    return SECRET_NAME.search(name) is not None


@dataclass(frozen=True)
class Question:
    """A variable as the form shows it. ``source`` says where a value that is not shown comes from."""

    name: str
    default: str
    has_default: bool
    required: bool
    help: str
    secret: bool
    value: str
    source: str


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
    recipe = forms.CharField(max_length=100, required=False)

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
class StackInput:
    """What the form holds, as far as it can be read; ``failure`` says why not further."""

    name: str
    compose: str
    recipe: str
    questions: list[Question]
    answers: dict[str, str]
    unused: list[str]
    failure: UserError | None = None


def typed_answers(data: Mapping[str, Any]) -> dict[str, str]:
    return {
        key.removeprefix(PREFIX): str(data[key])[:ANSWER_CAP] for key in list(data)[:1000] if key.startswith(PREFIX)
    }


def read_input(cleaned: Mapping[str, Any], typed: Mapping[str, str], earlier: Mapping[str, str]) -> StackInput:
    """``earlier`` are the answers of the revision before, empty for a new stack."""
    compose = cleaned.get("compose") or ""
    name, recipe = (cleaned.get("name") or "").strip(), cleaned.get("recipe") or ""
    failure: UserError | None = None
    env: dict[str, str] = {}
    try:
        env = recipes.parse_env(cleaned.get("env") or "")
    except UserError as error:
        failure = UserError(str(error), "env")
    try:
        variables = recipes.variables(recipes.parse(compose))
    except UserError as error:
        return StackInput(name, compose, recipe, [], {}, [], error)
    questions = [_question(variable, typed, env, earlier) for variable in variables]
    known = {question.name for question in questions}
    answers = {name: _answer(name, typed, env, earlier) for name in sorted(known)}
    answered = {name: value for name, value in answers.items() if value}
    return StackInput(name, compose, recipe, questions, answered, sorted(set(env) - known), failure)


def _answer(name: str, typed: Mapping[str, str], env: Mapping[str, str], earlier: Mapping[str, str]) -> str:
    # What was not asked yet (the form is new, or the question is) keeps the answer of the revision before.
    kept = earlier.get(name, "") if secret(name) or name not in typed else ""
    return typed.get(name) or env.get(name) or kept


def _question(
    variable: recipes.Variable, typed: Mapping[str, str], env: Mapping[str, str], earlier: Mapping[str, str]
) -> Question:
    hidden = secret(variable.name)
    # Before anything was typed, the form shows what the revision before was given.
    value = typed[variable.name] if variable.name in typed else earlier.get(variable.name, "")
    source = "env" if env.get(variable.name) else "kept" if hidden and earlier.get(variable.name) else ""
    return Question(
        name=variable.name,
        default="" if hidden else variable.default or "",
        has_default=variable.default is not None,
        required=variable.required,
        help=variable.error_message,
        secret=hidden,
        value="" if hidden else value,
        source=source,
    )
