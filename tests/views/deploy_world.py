"""Recipes of catalogs for tests of the deploy form, and how the form's parts are read."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from dashboard.models import Catalog, CatalogRecipe, Environment, RecipeVersion
from platform_manager.recipes import Choice, Question, QuestionKind

HTMX = {"HX-Request": "true"}

COMPOSE = """\
version: "3.8"
services:
  app:
    image: demo/app:${TAG:-1.0}
    environment:
      WORKERS: ${WORKERS}
      DEBUG: ${DEBUG}
      COLOUR: ${COLOUR}
      NOTES: ${NOTES}
      ADMIN: ${ADMIN}
      DATABASE: ${DATABASE}
      CERT: ${CERT}
      STRAY: ${STRAY:-left}
"""

QUESTIONS = (
    Question("TAG", label="Tag of the image", help="As the registry names it.", minimum=2, maximum=5),
    Question("WORKERS", QuestionKind.INT, "Workers", default="2", minimum=1, maximum=8),
    Question("DEBUG", QuestionKind.BOOLEAN, "Debug output", default="true"),
    Question("COLOUR", QuestionKind.ENUM, "Colour", choices=(Choice("red", "Warm red"), Choice("blue", ""))),
    Question("NOTES", QuestionKind.MULTILINE, "Notes", default="one\ntwo"),
    Question("ADMIN", QuestionKind.PASSWORD, "Password of the admin", required=True, default=None, minimum=6),
    Question("DATABASE", QuestionKind.SERVICE, "Database", service_type="mongo"),
    Question("CERT", QuestionKind.CERTIFICATE, "Certificate"),
    Question("GONE", label="Of an older file", default="x"),
    Question("PRESET", default="fixed", hidden=True),
)


def catalog(of: Environment | None = None, **fields: Any) -> Catalog:
    values: dict[str, Any] = {"name": f"Catalog {Catalog.objects.count() + 1}", "environment": of}
    return Catalog.objects.create(**(values | fields))


def recipe(of: Catalog | None = None, title: str = "Shop", **fields: Any) -> CatalogRecipe:
    values: dict[str, Any] = {"key": title.lower(), "title": title, "catalog": of or catalog()}
    return CatalogRecipe.objects.create(**(values | fields))


def version(
    of: CatalogRecipe | None = None, label: str = "1.0", questions: tuple[Question, ...] = QUESTIONS, **fields: Any
) -> RecipeVersion:
    of = of or recipe()
    values: dict[str, Any] = {
        "label": label,
        "position": of.versions.count(),
        "compose": COMPOSE,
        "questions": [question.as_dict() for question in questions],
        "digest": f"digest-{label}",
    }
    return RecipeVersion.objects.create(recipe=of, **(values | fields))


def text(answer: HttpResponse) -> str:
    return answer.content.decode()


def opened(client: Client, environment: Environment, page: str = "stack_deploy", *args: str, **query: Any) -> str:
    answer = client.get(reverse(page, args=[environment.pk, *args]), query)
    assert answer.status_code == 200
    return text(answer)


def sent(client: Client, environment: Environment, page: str, /, *args: str, **data: Any) -> HttpResponse:
    htmx = data.pop("htmx", False)
    address = reverse(page, args=[environment.pk, *args])
    answer: HttpResponse = client.post(address, data, headers=HTMX if htmx else {})
    return answer


def previewed(client: Client, environment: Environment, **data: Any) -> str:
    answer = sent(client, environment, "stack_preview", htmx=True, **data)
    assert answer.status_code == 200
    return text(answer)


def element(shown: str, name: str) -> str:
    """The field of the name, as its opening tag, or a select or text area whole; "" where there is none."""
    found = re.search(rf'<(select|textarea)[^>]*name="{re.escape(name)}".*?</\1>', shown, re.DOTALL)
    plain = re.findall(rf'<input[^>]*name="{re.escape(name)}"[^>]*>', shown)
    return found[0] if found else plain[-1] if plain else ""


def error_at(shown: str, id: str) -> str:
    """The sentence at an answer's field."""
    found = re.search(rf'id="error-{re.escape(id)}"[^>]*>(.*?)</div>', shown, re.DOTALL)
    assert found, f"no place for an error of {id}"
    return found[1].strip()


def names(shown: str) -> str:
    """What the form would send so that its questions are not drawn again."""
    found = re.search(r'name="question_names" value="([^"]*)"', shown)
    assert found
    return found[1]
