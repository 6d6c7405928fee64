"""The questions of a recipe in the deploy form: how each type is asked, and what is said of a bad answer."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from dashboard.models import Environment, Revision
from dashboard.operations.masking import secrets_of
from platform_manager.recipes import Choice, Question, QuestionKind
from tests import factories
from tests.views.deploy_world import (
    COMPOSE,
    QUESTIONS,
    element,
    error_at,
    names,
    opened,
    previewed,
    sent,
    text,
    version,
)

pytestmark = pytest.mark.django_db
GOOD = {"name": "shop", "answer.ADMIN": "s3cret-1", "answer.WORKERS": "3"}


@pytest.fixture
def shop(anna: User) -> Environment:
    made = factories.environment(anna, "Shop")
    factories.filled(made, hosts=3, stacks=0, services=1, tasks=1)
    return made


def answers(**typed: str) -> dict[str, str]:
    return {f"answer.{name}": value for name, value in typed.items()}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("TAG", ['type="text"', 'placeholder="1.0"']),
        ("WORKERS", ['type="number"', 'step="1"', 'min="1"', 'max="8"', 'placeholder="2"']),
        ("DEBUG", ['type="checkbox"', 'value="true"', " checked"]),
        ("COLOUR", ["<select", 'value="red">Warm red<', 'value="blue">blue<']),
        ("NOTES", ["<textarea", "one\ntwo"]),
        ("ADMIN", ['type="password"', 'value=""', 'autocomplete="new-password"']),
        ("DATABASE", ['list="choices-DATABASE"']),
        ("CERT", ["<select", 'value="tls-2026"']),
    ],
)
def test_each_type_has_its_own_field(client: Client, shop: Environment, name: str, words: list[str]) -> None:
    shop.snapshot.secrets = '["tls-2026"]'
    shop.snapshot.save()
    factories.stack(shop, "data")
    factories.snapshot(shop, services=[factories.service("mongo", "data", image="mongo:3.2")])
    asked = element(opened(client, shop, version=version().pk), f"answer.{name}")
    assert [word for word in words if word not in asked] == []


def test_a_question_shows_label_variable_help_and_that_it_is_required(client: Client, shop: Environment) -> None:
    shown = opened(client, shop, version=version().pk)
    assert "Tag of the image" in shown
    assert "As the registry names it." in shown
    assert '<label class="form-label required" for="answer-ADMIN">Password of the admin</label>' in shown
    assert '<label class="form-label" for="answer-TAG">Tag of the image</label>' in shown


def test_a_required_question_with_a_default_may_stay_blank_and_has_no_star(client: Client, shop: Environment) -> None:
    asked = (
        Question("TAG", label="Tag", default="1.0", required=True),
        Question("COLOUR", label="Colour", required=True),
    )
    shown = opened(client, shop, version=version(questions=asked).pk)
    assert '<label class="form-label" for="answer-TAG">Tag</label>' in shown
    assert '<label class="form-label required" for="answer-COLOUR">Colour</label>' in shown


def test_strays_and_unused_questions_are_told_apart(client: Client, shop: Environment) -> None:
    shown = opened(client, shop, version=version().pk)
    known, rest = shown.split("Other variables of the file")
    strays, unused = rest.split("Not used by this file")
    assert 'name="answer.TAG"' in known
    assert 'name="answer.STRAY"' in strays
    assert 'name="answer.GONE"' in unused
    assert 'name="answer.GONE"' not in known + strays


def test_a_preset_is_not_asked_and_counts(client: Client, shop: Environment) -> None:
    used = version(compose=COMPOSE + "      PRESET: ${PRESET}\n")
    assert "answer.PRESET" not in opened(client, shop, version=used.pk)
    assert sent(client, shop, "stack_deploy", version=used.pk, **GOOD).status_code == 302
    assert Revision.objects.get().answers["PRESET"] == "fixed"


@pytest.mark.parametrize(
    ("name", "answer", "sentence"),
    [
        ("WORKERS", "many", "Write a whole number from 1 to 8 in digits."),
        ("WORKERS", "9", "9 is too large: write a number from 1 to 8."),
        ("WORKERS", "0", "0 is too small: write a number from 1 to 8."),
        ("COLOUR", "green", "Choose one of the list: red, blue."),
        ("TAG", "1", "It has 1 characters; at least 2 are needed."),
        ("TAG", "1.2.34", "It has 6 characters; at most 5 go."),
        ("ADMIN", "short", "It has 5 characters; at least 6 are needed."),
        ("ADMIN", "", "This must be answered."),
        ("STRAY", "x" * 20_001, "The answer is longer than 20000 characters."),
        ("DEBUG", "maybe", "Answer true or false."),
    ],
)
def test_a_bad_answer_stands_at_its_field_and_nothing_is_lost(
    client: Client, shop: Environment, name: str, answer: str, sentence: str
) -> None:
    typed = {**GOOD, **answers(**{name: answer}), **answers(NOTES="kept words")}
    shown = text(sent(client, shop, "stack_deploy", version=version().pk, **typed))
    assert error_at(shown, name) == sentence
    assert "kept words" in element(shown, "answer.NOTES")
    assert not Revision.objects.exists()


def test_while_one_types_errors_come_without_drawing_the_fields_again(client: Client, shop: Environment) -> None:
    made = version()
    drawn = names(opened(client, shop, version=made.pk))
    shown = previewed(client, shop, version=made.pk, question_names=drawn, name="shop", **answers(WORKERS="9"))
    assert "9 is too large" in error_at(shown, "WORKERS")
    assert not element(shown, "answer.WORKERS")
    assert re.search('href="#answer-WORKERS">[^<]+</a>: 9 is too large', shown)
    # What is still to come is no mistake.
    assert error_at(shown, "ADMIN") == ""


def test_an_answer_to_come_is_counted_in_the_preview(client: Client, shop: Environment) -> None:
    made = version()
    shown = previewed(client, shop, version=made.pk, name="shop")
    assert "1 answer to go" in shown
    assert 'href="#answer-ADMIN"' in shown
    assert "Can be deployed" in previewed(client, shop, version=made.pk, **GOOD)


def test_blank_answers_mean_the_catalogs_default_and_else_nothing(client: Client, shop: Environment) -> None:
    typed = {"name": "shop", **answers(ADMIN="s3cret-1", WORKERS="", TAG="", COLOUR="", STRAY="")}
    assert sent(client, shop, "stack_deploy", version=version().pk, **typed).status_code == 302
    given = Revision.objects.get().answers
    assert given == {"ADMIN": "s3cret-1", "WORKERS": "2", "DEBUG": "true", "NOTES": "one\ntwo"}


@pytest.mark.parametrize(
    ("switch", "env", "answer"),
    [(["false", "true"], "", "true"), (["false"], "", "false"), (["false", "true"], "DEBUG=no", "false")],
)
def test_a_switch_sends_true_or_false(
    client: Client, shop: Environment, switch: list[str], env: str, answer: str
) -> None:
    typed = {**GOOD, "answer.DEBUG": switch, "env": env}
    assert sent(client, shop, "stack_deploy", version=version().pk, **typed).status_code == 302
    assert Revision.objects.get().answers["DEBUG"] == answer


def test_the_env_file_fills_typed_questions_and_is_checked_like_them(client: Client, shop: Environment) -> None:
    typed = {"version": version().pk, "name": "shop"}
    shown = text(sent(client, shop, "stack_deploy", env="WORKERS=99\nADMIN=s3cret-1\nNOBODY=1", **typed))
    assert "99 is too large" in error_at(shown, "WORKERS")
    assert "NOBODY" in shown.split("Not used by this file: ")[1]
    assert sent(client, shop, "stack_deploy", env="WORKERS=5\nADMIN=s3cret-1", **typed).status_code == 302
    assert Revision.objects.get().answers["WORKERS"] == "5"


def test_names_that_steer_programs_elsewhere_are_answers_like_others(client: Client, shop: Environment) -> None:
    compose = "services:\n  web:\n    image: demo/web\n    environment: ['H=${DOCKER_HOST}', 'P=${PATH}']\n"
    typed = {"name": "web", "compose": compose, **answers(DOCKER_HOST="tcp://db", PATH="/opt")}
    assert sent(client, shop, "stack_deploy", **typed).status_code == 302
    assert Revision.objects.get().answers == {"DOCKER_HOST": "tcp://db", "PATH": "/opt"}


def test_what_the_platform_knows_is_shown_and_can_not_be_answered(client: Client, shop: Environment) -> None:
    compose = (
        "services:\n  web:\n    image: 'demo/${STACK_NAME}:${PM_HOSTS}'\n    environment: ['E=${PM_ENVIRONMENT}']\n"
    )
    typed = {"name": "web", "compose": compose, **answers(STACK_NAME="other", PM_HOSTS="9")}
    shown = previewed(client, shop, **typed)
    assert "demo/web:3" in shown
    assert "STACK_NAME=web" in shown.split("Given by the platform")[1]
    assert "answer.STACK_NAME" not in shown
    assert sent(client, shop, "stack_deploy", **typed).status_code == 302
    assert Revision.objects.get().answers == {"PM_HOSTS": "3", "PM_ENVIRONMENT": "Shop"}


@pytest.mark.parametrize(("format", "value"), [("rancher", "data/mongo"), ("mastermind", "data_mongo")])
def test_services_are_offered_as_the_catalog_names_them(
    client: Client, shop: Environment, format: str, value: str
) -> None:
    found = [factories.service("web", "data"), factories.service("mongo", "data", image="mongo:3.2")]
    factories.snapshot(shop, services=found)
    made = version()
    made.recipe.catalog.report = {"format": format}
    made.recipe.catalog.save()
    options = opened(client, shop, version=made.pk).split('<datalist id="choices-DATABASE">')[1].split("</datalist>")[0]
    # The type that is looked for comes first, the others may be meant too.
    assert options.index(f'value="{value}"') < options.index("web")


# Secrets


def test_secrets_are_never_rendered_back(client: Client, shop: Environment) -> None:
    made = version(compose=COMPOSE.replace("demo/app:${TAG:-1.0}", "demo/${ADMIN}:1"))
    typed = {**GOOD, "version": made.pk, **answers(ADMIN="s3cret-one", WORKERS="99")}
    shown = [
        text(sent(client, shop, "stack_deploy", **typed)),
        text(sent(client, shop, "stack_deploy", htmx=True, **typed)),
        previewed(client, shop, **typed),
    ]
    assert sent(client, shop, "stack_deploy", **(typed | answers(WORKERS="2"))).status_code == 302
    shown += [opened(client, shop, "stack_update", "shop"), opened(client, shop, "stack", "shop")]
    assert [page for page in shown if "s3cret-one" in page] == []
    assert "the value it has now is kept" in shown[3]


def test_a_catalog_knows_that_an_answer_is_secret_whatever_its_name(client: Client, shop: Environment) -> None:
    made = version(questions=(Question("STRAY", QuestionKind.PASSWORD), Question("ADMIN", default="somebody")))
    assert (
        sent(client, shop, "stack_deploy", version=made.pk, name="shop", **answers(STRAY="hidden-7")).status_code == 302
    )
    revision = Revision.objects.get()
    assert revision.wishes["secret_names"] == ["STRAY"]
    assert secrets_of(shop.operations.get()) == ["hidden-7"]
    # Also when the catalog is gone, and says nothing any more.
    made.recipe.catalog.delete()
    shown = opened(client, shop, "stack_update", "shop")
    assert "hidden-7" not in shown
    assert 'type="password"' in element(shown, "answer.STRAY")


def test_a_secret_is_encrypted_and_a_blank_one_keeps_it(client: Client, shop: Environment) -> None:
    made = version()
    sent(client, shop, "stack_deploy", version=made.pk, **GOOD)
    shop.operations.update(state="succeeded")
    typed = {"version": made.pk, **answers(ADMIN="", WORKERS="4")}
    shop.stacks.update(source=made.recipe)
    assert sent(client, shop, "stack_update", "shop", **typed).status_code == 302
    newest = Revision.objects.order_by("-n")[0]
    assert (newest.n, newest.answers["ADMIN"], newest.answers["WORKERS"]) == (2, "s3cret-1", "4")


def test_numbers_with_a_secret_sounding_name_are_shown(client: Client, shop: Environment) -> None:
    asked = (Question("PASSWORD_LENGTH", QuestionKind.INT, default="12"),)
    made = version(questions=asked, compose=COMPOSE.replace("${STRAY:-left}", "${PASSWORD_LENGTH}"))
    assert 'type="number"' in element(opened(client, shop, version=made.pk), "answer.PASSWORD_LENGTH")


def test_hostile_questions_are_text(client: Client, shop: Environment) -> None:
    evil = '"><script>alert(1)</script>'
    asked: tuple[Any, ...] = tuple(
        replace(one, label=evil, help=evil, default=evil if one.kind is QuestionKind.STRING else one.default)
        for one in QUESTIONS
    )
    asked += (Question(evil, QuestionKind.ENUM, choices=(Choice(evil, evil),)), Question("a b", QuestionKind.SERVICE))
    shown = opened(client, shop, version=version(questions=asked, label=evil).pk)
    assert "<script>alert" not in shown
    assert 'id="answer-a b"' not in shown
