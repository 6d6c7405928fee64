"""Where the deploy form's recipe comes from: a catalog's version, its overlays, an own copy, an upgrade."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from dashboard.models import CatalogRecipe, Environment, PlatformSettings, Revision, Stack
from platform_manager.catalogs.rancher import STORED_AS, Template
from platform_manager.recipes import Question, QuestionKind
from tests import factories
from tests.views.deploy_world import COMPOSE, catalog, element, names, opened, previewed, recipe, sent, text, version

pytestmark = pytest.mark.django_db
TAG = (Question("TAG", default="1"),)


def compose(image: str = "demo/app:${TAG}") -> str:
    return f"services:\n  app:\n    image: {image}\n"


@pytest.fixture
def shop(anna: User) -> Environment:
    made = factories.environment(anna, "Shop")
    factories.filled(made, hosts=3, stacks=0, services=1, tasks=1)
    return made


def test_no_name_is_proposed_that_would_be_refused(client: Client, shop: Environment) -> None:
    made = version(recipe(title="Deploy"))
    assert 'value="deploy-2"' in element(opened(client, shop, version=made.pk), "name")


def test_a_recipe_of_a_catalog_is_deployed_as_it_is_and_remembered(client: Client, shop: Environment) -> None:
    made = version(recipe(title="My Shop"), "1.2", TAG, compose=compose(), files={"a.conf": b64encode(b"x").decode()})
    shown = opened(client, shop, version=made.pk)
    assert 'value="my-shop"' in element(shown, "name")
    assert "From the recipe" in shown
    assert not element(shown, "compose")
    # What is posted for a locked file does not count.
    answer = sent(client, shop, "stack_deploy", version=made.pk, name="my-shop", compose="services: {evil: {}}")
    assert answer.status_code == 302
    revision, stack = Revision.objects.get(), Stack.objects.get()
    assert revision.compose == made.compose
    assert revision.files == {"a.conf": b64encode(b"x").decode()}
    assert (stack.source, stack.recipe) == (made.recipe, "My Shop")
    assert (stack.version, stack.version_digest) == ("1.2", "digest-1.2")


def test_another_version_keeps_the_answers_that_still_apply(client: Client, shop: Environment) -> None:
    first = version(recipe(), "2", TAG, compose=compose())
    other = version(first.recipe, "1", (*TAG, Question("MORE")), compose=compose("demo/old:${TAG}${MORE}"))
    drawn = names(opened(client, shop, version=first.pk))
    typed = {"name": "shop", "question_names": drawn, "source_mark": "other", "answer.TAG": "77", "answer.LOST": "x"}
    shown = previewed(client, shop, version=other.pk, **typed)
    assert "demo/old:77" in shown
    assert 'value="77"' in element(shown, "answer.TAG")
    assert element(shown, "answer.MORE")
    assert "LOST" not in shown


def test_the_picker_names_every_version_and_marks_the_refused(client: Client, shop: Environment) -> None:
    made = version(recipe(), "2", TAG, compose=compose())
    version(made.recipe, "1", TAG, refusal="The service app asks for a Rancher agent.")
    picker = element(opened(client, shop, version=made.pk), "version")
    assert f'<option value="{made.pk}" selected>2</option>' in picker
    assert "1 (can&#x27;t be deployed)" in picker


def test_a_refused_version_shows_its_sentence_and_no_form(client: Client, shop: Environment) -> None:
    made = version(recipe(), "1", TAG, compose="", refusal="The service app asks for a Rancher agent.")
    shown = opened(client, shop, version=made.pk)
    assert "asks for a Rancher agent" in shown
    assert 'id="stack-form"' not in shown
    assert element(shown, "version")
    answer = sent(client, shop, "stack_deploy", version=made.pk, name="shop")
    assert answer.status_code == 422
    assert "asks for a Rancher agent" in previewed(client, shop, version=made.pk, name="shop")
    assert not Stack.objects.exists()


@pytest.mark.parametrize("hidden", ["other environment", "operators", "gone", "disabled", "nothing", "words", "²"])
def test_recipes_that_are_not_for_the_viewer_do_not_exist(client: Client, shop: Environment, hidden: str) -> None:
    of = catalog(factories.environment() if hidden == "other environment" else None)
    made = version(recipe(of, "Hidden gem"), "1", TAG, compose=compose())
    made.recipe.operators_only = hidden == "operators"
    made.recipe.gone_at = shop.created_at if hidden == "gone" else None
    made.recipe.catalog.enabled = hidden != "disabled"
    made.recipe.save()
    made.recipe.catalog.save()
    asked = {"nothing": made.pk + 1, "words": "1 or 1", "²": "²"}.get(hidden, made.pk)
    address = reverse("stack_deploy", args=[shop.pk])
    assert client.get(address, {"version": asked}).status_code == 404
    for page in ("stack_deploy", "stack_preview", "stack_plan"):
        assert sent(client, shop, page, version=asked, name="shop").status_code == 404
    assert ("Hidden gem" in opened(client, shop)) == (asked != made.pk)


def test_a_version_that_goes_while_one_types_is_said_in_the_preview(client: Client, shop: Environment) -> None:
    made = version(recipe(), "1", TAG, compose=compose())
    typed = {"version": made.pk, "name": "shop"}
    made.delete()
    for page in ("stack_preview", "stack_deploy"):
        answer = sent(client, shop, page, htmx=True, **typed)
        assert answer.status_code == 200
        assert "not in the catalog (any more)" in text(answer)


def test_a_stack_whose_recipe_left_its_catalog_is_updated_all_the_same(
    client: Client, shop: Environment, running: Stack
) -> None:
    assert running.source is not None
    running.source.gone_at = running.created_at
    running.source.save()
    shown = opened(client, shop, "stack_update", "shop")
    assert not element(shown, "version")
    assert "Upgrade available" not in shown
    assert sent(client, shop, "stack_update", "shop", **{"answer.TAG": "9"}).status_code == 302


def test_overlays_are_merged_when_ticked(client: Client, shop: Environment) -> None:
    more = [{"name": "docker-compose-addons.yml", "compose": "services: {extra: {image: demo/extra}}"}]
    made = version(recipe(), "1", TAG, compose=compose(), overlays=more)
    assert "Also <code>docker-compose-addons.yml</code>" in opened(client, shop, version=made.pk)
    ticked = {"overlay": ["docker-compose-addons.yml", "unknown.yml"]}
    assert sent(client, shop, "stack_deploy", version=made.pk, name="shop", **ticked).status_code == 302
    assert Revision.objects.get().overlays == more
    assert " checked" in element(opened(client, shop, "stack_update", "shop"), "overlay")


def test_an_overlay_does_not_get_past_what_an_operator_forbids(client: Client, shop: Environment) -> None:
    PlatformSettings.objects.create(forbid_docker_socket=True)
    more = [{"name": "more.yml", "compose": 'services: {app: {volumes: ["/var/run/docker.sock:/s"]}}'}]
    made = version(recipe(), "1", TAG, compose=compose(), overlays=more)
    typed = {"version": made.pk, "name": "shop", "overlay": "more.yml"}
    assert "This platform does not allow" in previewed(client, shop, **typed)
    assert sent(client, shop, "stack_deploy", **typed).status_code == 422
    assert not Stack.objects.exists()


def test_an_overlay_asks_its_own_variables(client: Client, shop: Environment) -> None:
    file = "services:\n  extra:\n    image: demo/extra:${EXTRA:-3}\n    user: ${WHO:?Say who}\n"
    more = [{"name": "more.yml", "compose": file}]
    made = version(recipe(), "1", TAG, compose=compose(), overlays=more)
    assert not element(opened(client, shop, version=made.pk), "answer.EXTRA")
    shown = previewed(client, shop, version=made.pk, name="shop", overlay="more.yml")
    assert 'placeholder="3"' in element(shown, "answer.EXTRA")
    assert "demo/extra:3" in shown
    assert "more.yml" in shown.split("WHO must be given")[0]


def test_editing_the_file_makes_an_own_copy(client: Client, shop: Environment) -> None:
    made = version(recipe(), "1", TAG, compose=compose())
    locked = opened(client, shop, version=made.pk)
    mark = locked.split('name="source_mark" value="')[1].split('"')[0]
    opening = previewed(client, shop, version=made.pk, name="shop", own="1", source_mark=mark)
    assert "image: demo/app:${TAG}" in element(opening, "compose")
    typed = {"version": made.pk, "name": "shop", "own": "1", "compose": compose("demo/mine:${TAG}")}
    mark = opening.split('name="source_mark" value="')[1].split('"')[0]
    assert not element(previewed(client, shop, source_mark=mark, **typed), "compose")
    assert sent(client, shop, "stack_deploy", **typed).status_code == 302
    assert "demo/mine" in Revision.objects.get().compose
    assert "demo/mine" in element(opened(client, shop, "stack_update", "shop"), "compose")


@pytest.fixture
def running(client: Client, shop: Environment) -> Stack:
    """Deployed as version 1 with all defaults but one answer, when there was no other version."""
    old = version(recipe(), "1", (*TAG, Question("MORE", default="m")), compose=compose("demo/app:${TAG}${MORE}"))
    assert sent(client, shop, "stack_deploy", version=old.pk, name="shop", **{"answer.MORE": "own"}).status_code == 302
    shop.operations.update(state="succeeded")
    return Stack.objects.get()


def test_an_upgrade_is_offered_keeps_answers_and_takes_new_defaults(
    client: Client, shop: Environment, running: Stack
) -> None:
    assert "Upgrade available" not in opened(client, shop, "stack_update", "shop")
    running.source.versions.update(position=1)  # type: ignore[union-attr]
    asked = (Question("TAG", default="2"), Question("MORE", default="m"))
    new = version(running.source, "2", asked, compose=compose("demo/app:${TAG}${MORE}"), position=0)
    shown = opened(client, shop, "stack_update", "shop")
    assert "Upgrade available: 1 → 2" in shown
    assert "demo/app:1own" in shown
    upgraded = opened(client, shop, "stack_update", "shop", version=new.pk)
    assert "demo/app:2own" in upgraded
    typed = {"version": new.pk, "answer.TAG": "", "answer.MORE": "own"}
    assert sent(client, shop, "stack_update", "shop", **typed).status_code == 302
    running.refresh_from_db()
    assert (running.version, running.version_digest) == ("2", "digest-2")
    assert Revision.objects.order_by("-n")[0].answers == {"TAG": "2", "MORE": "own"}


def test_what_the_catalog_would_offer_is_no_upgrade_of_something_newer(
    client: Client, shop: Environment, running: Stack
) -> None:
    """The form says the same of it as the catalog's page."""
    version(running.source, "0", TAG, compose=compose("demo/old:${TAG}"), position=1)
    CatalogRecipe.objects.update(preferred="0")
    assert "Upgrade available" not in opened(client, shop, "stack_update", "shop")


def test_an_update_without_another_version_stays_with_its_own(
    client: Client, shop: Environment, running: Stack
) -> None:
    assert sent(client, shop, "stack_update", "shop", **{"answer.TAG": "9"}).status_code == 302
    before = (running.source, running.version, running.version_digest, running.recipe)
    running.refresh_from_db()
    assert (running.source, running.version, running.version_digest, running.recipe) == before
    assert Revision.objects.order_by("-n")[0].answers == {"TAG": "9", "MORE": "own"}


def test_a_stack_is_not_upgraded_to_another_recipe(client: Client, shop: Environment, running: Stack) -> None:
    other = version(recipe(title="Other"), "1", TAG)
    assert sent(client, shop, "stack_update", "shop", version=other.pk).status_code == 404


def test_cards_lead_to_recipes(client: Client, shop: Environment) -> None:
    made = version(recipe(title="Broker", summary="Context for everybody"), "1", TAG, compose=compose())
    version(recipe(title="Refused"), "1", TAG, refusal="It can't be.")
    shown = opened(client, shop)
    assert f'href="?version={made.pk}"' in shown
    assert "Context for everybody" in shown
    assert "Refused" not in shown


def test_a_card_leads_to_the_newest_version_that_can_be_deployed(client: Client, shop: Environment) -> None:
    newest = version(recipe(title="Broker"), "2", TAG, refusal="It can't be.", position=0)
    older = version(newest.recipe, "1", TAG, compose=compose(), position=1)
    assert f'href="?version={older.pk}"' in opened(client, shop)


def test_a_broken_file_takes_no_answer_away(client: Client, shop: Environment) -> None:
    drawn = {"question_names": "TAG", "name": "shop", "answer.TAG": "7"}
    shown = previewed(client, shop, compose="services: [", **drawn)
    assert 'id="questions"' not in shown
    assert "Error" in shown


def test_an_offered_network_is_ticked(client: Client, shop: Environment) -> None:
    file = compose("demo/app") + "    networks: [lost]\nnetworks:\n  lost: {external: true}\n"
    typed = {"name": "shop", "compose": file}
    shown = element(previewed(client, shop, **typed), "create_network")
    assert 'value="lost"' in shown
    assert " checked" not in shown
    assert " checked" in element(previewed(client, shop, create_network="lost", **typed), "create_network")
    # A tick for what the file does not ask is left out.
    assert "other" not in text(sent(client, shop, "stack_preview", create_network="other", **typed))


def rancher_files(compose: str, rancher: str = "") -> dict[str, str]:
    kept = json.dumps(Template(compose, rancher, templated=True).as_dict())
    return {STORED_AS: b64encode(kept.encode()).decode()}


def test_a_template_is_made_anew_with_the_answers_but_holds_no_secret(client: Client, shop: Environment) -> None:
    file = """\
version: '2'
services:
  app:
    image: demo/app:{{ .Values.TAG }}
    environment: {WORD: "{{ .Values.WORD }}"}
  {{- if eq .Values.MORE "true" }}
  more: {image: demo/more}
  {{- end }}
"""
    more = Question("MORE", QuestionKind.BOOLEAN, default="false")
    asked = (*TAG, more, Question("WORD", QuestionKind.PASSWORD), Question("NEVER"))
    made = version(recipe(), "1", asked, compose=compose(), files=rancher_files(file))
    typed = {"version": made.pk, "name": "shop", "answer.WORD": "hidden-9", "answer.MORE": ["false", "true"]}
    shown = previewed(client, shop, source_mark="other", **typed)
    assert "demo/more" in shown
    assert "demo/app:1" in shown
    assert "hidden-9" not in shown
    known, unused = opened(client, shop, version=made.pk).split("Not used by this file")
    assert all(f'name="answer.{name}"' in known for name in ("TAG", "MORE", "WORD"))
    assert 'name="answer.NEVER"' in unused
    told = client.get(reverse("catalog_recipe", args=[shop.pk, made.recipe.pk])).context["questions"]
    assert [one.question.variable for one in told if one.remark] == ["NEVER"]
    assert sent(client, shop, "stack_deploy", **typed).status_code == 302
    revision = Revision.objects.get()
    assert "${WORD}" in revision.compose
    assert "demo/more" in revision.compose
    assert revision.answers["WORD"] == "hidden-9"
    # The answers of the update make it anew as well.
    again = previewed(client, shop, updating="shop", **{"answer.MORE": "false"})
    assert "demo/more" not in again.split("Services that would run")[1]


def test_a_template_that_its_answers_make_undeployable_says_so(client: Client, shop: Environment) -> None:
    file = "version: '2'\nservices:\n  app:\n    image: a\n    privileged: {{ .Values.TAG }}\n    pid: host\n"
    made = version(recipe(), "1", TAG, compose=compose(), files=rancher_files(file))
    shown = text(sent(client, shop, "stack_deploy", version=made.pk, name="shop", **{"answer.TAG": "true"}))
    assert "This version can't be deployed" in shown
    assert "app" in shown.split('id="compose-error"')[1].split("</div>")[0]


def test_an_error_in_the_file_of_a_recipe_leads_to_editing_it(client: Client, shop: Environment) -> None:
    sound = previewed(client, shop, version=version().pk, name="shop", **{"answer.ADMIN": "s3cret-1"})
    assert "edit the compose file" not in sound
    clash = COMPOSE + "    ports: ['80:80', '80:81']\n"
    told = previewed(client, shop, version=version(compose=clash).pk, name="shop", **{"answer.ADMIN": "s3cret-1"})
    assert "edit the compose file" in told


def test_a_password_that_is_the_name_of_the_program_does_not_hide_its_services(
    client: Client, shop: Environment
) -> None:
    compose = """
version: "3.8"
services:
  wiki: {image: "demo/wiki:1", environment: {PASSWORD: "${PASSWORD}"}}
  more: {image: "demo/more:${OTHER_PASSWORD}"}
"""
    asked = (
        Question("PASSWORD", QuestionKind.PASSWORD, default="wiki"),
        Question("OTHER_PASSWORD", QuestionKind.PASSWORD),
    )
    made = version(compose=compose, questions=asked)
    told = previewed(client, shop, version=made.pk, name="wiki", **{"answer.OTHER_PASSWORD": "hunter2"})
    assert "demo/wiki:1" in told and "wiki_default" in told
    assert "demo/more:***" in told and "hunter2" not in told


def test_without_scripts_the_plan_is_shown_by_a_button_of_its_own(client: Client, shop: Environment) -> None:
    fields = {"name": "plain", "compose": "services: {web: {image: demo/web:1}}", "look": "yes"}
    shown = client.post(reverse("stack_deploy", args=[shop.pk]), fields)
    page = shown.content.decode()
    assert shown.status_code == 200 and "demo/web:1" in page
    assert "The plan can&#x27;t be made now: No manager of this environment answers." in page
    assert not Stack.objects.filter(name="plain").exists()
