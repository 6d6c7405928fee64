"""Secrets are masked in whatever an operation says: its log lines, errors and the sentences of its objects.

A hidden value is known (the answer to a question that asks for a password) or known by its form (a join token, the
password of an address).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID

from dashboard.models import Operation, RegistryCredential, Revision
from platform_manager.recipes.contents import words_of

from .recorded import contents_of, secret_files

MASK = "***"
# Shorter values are no secret, and would hide half of every line.
SHORTEST = 4
# Earlier answers may still stand in what a swarm says.
REVISIONS = 20
# Their files are looked at in as many.
WITH_FILES = 2
# Each costs time at each letter of a text; of more, the shortest are found as whole lines and words alone.
MOST_FORMS = 5_000
# Patterns are compiled letter by letter.
LONG = 2_000
LINE, WORD = re.compile(r"\S(?:.*\S)?"), re.compile(r"\S+")

# The names of variables whose values are not for everybody's eyes.
SECRET_NAME = re.compile(
    r"pass(w|$|_|phrase)|passwd|pwd|secret|token|credential|private|api_?key|(^|_)key$", re.IGNORECASE
)

# Each of them takes time in proportion to the text: containers and recipes choose what is searched.
BY_FORM = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), MASK),
    (re.compile(r"\bSWM(TKN|KEY)-\d+-[A-Za-z0-9+/=_-]+"), rf"SWM\1-{MASK}"),
    # user:password@ of an address, and a token in the user's place.
    (re.compile(r"(://[^\s/:@]*):[^\s/]*@"), rf"\1:{MASK}@"),
    (re.compile(r"(://)[^\s/:@]{20,}@"), rf"\1{MASK}@"),
    (re.compile(r"(/join/)[A-Za-z0-9_-]{8,}"), rf"\1{MASK}"),
    (re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE), rf"\1 {MASK}"),
    (re.compile(r"(\b(?:X-Auth-Token|X-Subject-Token|X-Registry-Auth)\s*[:=]\s*)\S+", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"\b(?:gh[pousr]|github_pat|glpat)[_-][A-Za-z0-9_-]{16,}"), MASK),
    (re.compile(r"((?:passwd|password|secret|token|api_?key)\w{0,100}=)[^\s\"',;&]{4,}", re.IGNORECASE), rf"\1{MASK}"),
)


def secret_names(answers: Iterable[str], wishes: Mapping[str, Any] | None = None) -> set[str]:
    """The questions whose answers are secret: by their names, and those that the revision's ``wishes`` list."""
    listed = frozenset((wishes or {}).get("secret_names", ()))
    return {name for name in answers if name in listed or SECRET_NAME.search(name)}


def secret_answers(answers: Mapping[str, Any], wishes: Mapping[str, Any] | None = None) -> list[str]:
    """The values that a revision keeps of the questions that ask for a secret."""
    return [str(answers[name]) for name in secret_names(answers, wishes)]


def unsaid(values: Iterable[str], *texts: str) -> list[str]:
    """Those that stand in none of the texts, as words of their own, for everybody to read.

    A recipe may take the name of its program as its password: masking that hides no secret, but every service.
    """
    return [value for value in values if not any(_says(text, value) for text in texts)]


def _says(text: str, value: str) -> bool:
    return value in text and re.search(rf"(?<![^\W_]){re.escape(value)}(?![^\W_])", text) is not None


def secrets_of(operation: Operation) -> list[str]:
    """The secrets of the stack that the operation is about, and the passwords of registries."""
    name = operation.args.get("stack")
    if not name:
        return []
    registries = RegistryCredential.objects.filter(environment=operation.environment_id)
    passwords = [(secret or {}).get("password", "") for secret in registries.values_list("secret", flat=True)]
    return [*secrets_of_stack(operation.environment_id, str(name)), *passwords]


def secrets_of_stack(environment_id: UUID | None, name: str) -> list[str]:
    """The secret answers of its newest revisions, and what secrets that they gave hold."""
    found = Revision.objects.filter(stack__environment=environment_id, stack__name=name).order_by("-n")
    revisions = list(found.only("answers", "wishes", "contents", "files", "compose", "overlays")[:REVISIONS])
    values: list[str] = []
    for one in revisions:
        values += unsaid(secret_answers(one.answers or {}, one.wishes), one.compose, name)
        values += map(words_of, contents_of(one, "secrets").values())
    for one in [one for one in revisions if one.files][:WITH_FILES]:
        values += map(words_of, secret_files(one).values())
    return values


class Masker:
    """Hides these values, each of their lines, and whatever looks like a secret."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        values = set(values)
        hidden = {form for value in values for form in _forms(value)}
        self._long = sorted((form for form in hidden if len(form) > LONG), key=len, reverse=True)
        # Values that somebody gave come before the lines of others.
        ranked = sorted(hidden.difference(self._long), key=lambda form: (form not in values, -len(form), form))
        longest_first = sorted(ranked[:MOST_FORMS], key=lambda form: (-len(form), form))
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None
        self._whole = frozenset(ranked[MOST_FORMS:])

    def __call__(self, text: str) -> str:
        for form in self._long:
            text = text.replace(form, MASK)
        if self._known is not None:
            text = self._known.sub(MASK, text)
        for piece in (LINE, WORD) if self._whole else ():
            text = piece.sub(lambda found: MASK if found[0] in self._whole else found[0], text)
        for pattern, instead in BY_FORM:
            text = pattern.sub(instead, text)
        return text


def _forms(value: str) -> Iterable[str]:
    """The value, its lines, and both as the Docker CLI quotes them and as an address carries them."""
    plain = {value, *value.splitlines()}
    plain |= {text.strip() for text in plain}
    quoted = plain if len(plain) <= MOST_FORMS else {value}
    for text in {text for text in plain if len(text) >= SHORTEST}:
        yield text
        if text in quoted:
            as_json = json.dumps(text, ensure_ascii=False)[1:-1]
            yield from (as_json, as_json.replace("\\", "\\\\"), text.replace("'", "''"), quote(text, safe=""))
