"""Deploying as a new user does it: six clicks to a running recipe, and a catalog's form with every kind of question."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.conftest import PASSWORD
from tests.browser.pages import Person
from tests.support.lab import ROOT, Lab, until

pytestmark = [pytest.mark.engine, pytest.mark.browser]

REFUSED = "status of 422"
COUNTING = """
addEventListener("click", (event) => {
  if (event.isTrusted && event.detail) sessionStorage.clicks = Number(sessionStorage.clicks || 0) + 1;
}, true);
"""
MAKING = """
from django.contrib.auth.models import User
from tests import factories
from tests.views.deploy_world import COMPOSE, QUESTIONS, recipe, version
environment = factories.environment(User.objects.get(username="ann"), "Forms")
factories.filled(environment, hosts=1, stacks=1, services=2, tasks=2)
lacking = '''
    networks: [lost]
    secrets: [key]
    configs: [page]
networks:
  lost: {external: true}
secrets:
  key: {external: true}
configs:
  page: {file: ./page.html}
'''
addons = "{version: '3.8', services: {extra: {image: 'demo/extra:1'}}}"
overlay = [{"name": "docker-compose-addons.yml", "compose": addons}]
notes = ["app.links: left out, services find each other by name."]
made = version(recipe(title="Every kind"), "1.3", compose=COMPOSE + lacking, overlays=overlay, notes=notes)
version(made.recipe, "1.2", QUESTIONS[:6])
print(environment.pk, made.pk)
"""


def test_from_signing_in_to_a_running_recipe_in_six_clicks(ann: Person) -> None:
    ann.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": COUNTING})
    ann.signs_in("ann", PASSWORD)
    ann.clicks("Create an environment")
    ann.types("Name", "First")
    ann.clicks("Create environment")
    ann.is_at("/hosts/add/$")
    ann.types("How many", "1")
    ann.clicks("Add hosts", within="content")
    ann.watches_operation()
    ann.looks_at("50-first-hosts")
    ann.clicks("Try it: deploy Who am I")
    ann.is_at("recipe=whoami")
    ann.sees("whoami_web", "#plan")
    ann.looks_at("50-first-recipe")
    ann.clicks("Deploy")
    ann.watches_operation()
    assert ann.script("return sessionStorage.clicks") == "6"
    ann.clicks("See stack whoami")
    ann.sees("3 of 3 tasks run")
    ann.finds_no_error_in_the_console()


@pytest.fixture
def form(ann: Person, platform: Lab) -> str:
    """The address of the form for a recipe that asks and lacks everything."""
    command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", MAKING]
    made = subprocess.run(command, cwd=ROOT, env=platform.environ, check=True, capture_output=True, text=True)
    environment, version = made.stdout.split()
    ann.opens("/")
    if "login" in ann.path:
        ann.signs_in("ann", PASSWORD)
    return f"/environments/{environment}/stacks/deploy/?version={version}"


def test_a_catalogs_recipe_asks_for_all_it_needs(ann: Person, form: str, tmp_path: Path) -> None:
    ann.opens(form)
    ann.looks_at("51-deploy-questions")
    ann.looks_at("51-deploy-questions", dark=True)
    ann.clicks("Deploy")
    ann.sees("This must be answered", "#error-ADMIN")
    assert ann.script("return document.activeElement.id") == "answer-ADMIN"
    answers_badly(ann)
    hears_that_no_answer_came(ann)
    goes_on_after_signing_in_in_another_tab(ann)
    keeps_a_password_through_another_version(ann)
    gives_what_is_lacking(ann, tmp_path)
    edits_the_compose_file(ann)
    is_asked_before_it_is_deployed_again(ann, form.partition("deploy/")[0])
    ann.finds_no_error_in_the_console()
    is_at_the_field_to_mend(ann, form.partition("stacks/")[0])
    assert ann.too_wide == []


def is_asked_before_it_is_deployed_again(ann: Person, stacks: str) -> None:
    ann.opens(f"{stacks}app001/redeploy/")
    ann.sees("No manager of this environment answers", "#plan")
    ann.looks_at("53-deploy-again")
    ann.looks_at("53-deploy-again", dark=True)
    ann.clicks("Deploy again", within="content")
    ann.is_at("/operations/")


def answers_badly(ann: Person) -> None:
    ann.types("Workers", "99")
    ann.sees("99 is too large", "#error-WORKERS")
    # What a screen reader is told of the preview.
    ann.sees("Not yet, 1 error", "#preview-said")
    ann.looks_at("52-deploy-errors")
    ann.looks_at("52-deploy-errors", dark=True)
    ann.types("Workers", "3")
    ann.no_longer_sees("99 is too large", "#error-WORKERS")


def hears_that_no_answer_came(ann: Person) -> None:
    token = ann.value("#stack-form [name=csrfmiddlewaretoken]")
    ann.script("document.querySelector('#stack-form [name=csrfmiddlewaretoken]').value = 'stale'")
    address = ann.script("return document.body.dataset.token")
    ann.script("document.body.dataset.token = '/nowhere/'")
    ann.types("Workers", "4")
    ann.sees("The platform gave no answer", "#unanswered-place")
    ann.script("document.querySelector('#stack-form [name=csrfmiddlewaretoken]').value = arguments[0]", token)
    ann.script("document.body.dataset.token = arguments[0]", address)
    ann.clicks("Preview")
    ann.no_longer_sees("The platform gave no answer", "#unanswered-place")
    assert ann.value("#answer-WORKERS") == "4"
    ann.finds_no_error_in_the_console("403", "404")


def goes_on_after_signing_in_in_another_tab(ann: Person) -> None:
    """That changes the token of all forms: what was refused is asked again with the new one."""
    ann.driver.delete_cookie("csrftoken")
    ann.types("Workers", "99")
    ann.sees("99 is too large", "#error-WORKERS")
    ann.types("Workers", "3")
    ann.no_longer_sees("99 is too large", "#error-WORKERS")
    assert ann.texts("#unanswered-place") == [""]
    ann.finds_no_error_in_the_console("403")


def keeps_a_password_through_another_version(ann: Person) -> None:
    ann.types("Password of the admin", "s3cret-typed")
    ann.clicks("Show Password of the admin")
    assert ann.script("return document.getElementById('answer-ADMIN').type") == "text"
    ann.clicks("Show Password of the admin")
    ann.chooses("Version", "1.2")
    ann.no_longer_sees("Certificate", "#questions")
    ann.no_longer_sees("Files and secrets", "#asked")
    assert ann.value("#answer-ADMIN") == "s3cret-typed"
    assert ann.value("#answer-WORKERS") == "3"
    ann.chooses("Version", "1.3")
    ann.sees("Certificate", "#questions")
    until(lambda: ann.value("#answer-ADMIN") == "s3cret-typed", what="the password is back in its field")


def chooses_files_that_are_no_text(ann: Person, folder: Path) -> None:
    """A keystore counts, is told, stays while the form is drawn anew, and goes again; text lands in its field."""
    (folder / "key.jks").write_bytes(bytes(range(256)))
    (folder / "page.html").write_text("<b>page</b>\n")
    ann.driver.find_element("name", "upload.secret.key").send_keys(str(folder / "key.jks"))
    ann.sees("Binary, 256 bytes.", "#asked")
    ann.driver.find_element("name", "upload.file.page.html").send_keys(str(folder / "page.html"))
    ann.sees("Can be deployed", "#preview")
    assert ann.value("[name='file.page.html']") == "<b>page</b>\n"
    ann.looks_at("53-deploy-file-chosen")
    ann.looks_at("53-deploy-file-chosen", dark=True)
    ann.clicks("Take it away")
    ann.sees("1 answer to go", "#preview")
    ann.driver.find_element("name", "upload.secret.key").send_keys(str(folder / "key.jks"))
    ann.sees("Can be deployed", "#preview")
    ann.clicks_on("[name=overlay]")
    ann.sees("demo/extra:1", "#preview")
    ann.clicks_on("[name=overlay]")
    ann.no_longer_sees("demo/extra:1", "#preview")
    assert ann.value("[name='binary.secret.key']").startswith("AAECAwQF")


def gives_what_is_lacking(ann: Person, folder: Path) -> None:
    ann.sees("Files and secrets this recipe needs", "#asked")
    ann.sees("Create the network lost", "#preview")
    ann.looks_at("53-deploy-asked")
    ann.clicks_on("#preview [name=create_network]")
    ann.sees("2 answers to go", "#preview")
    assert ann.script("return document.activeElement.name") == "create_network"
    chooses_files_that_are_no_text(ann, folder)
    ann.clicks_on("[name=overlay]")
    ann.sees("demo/extra:1", "#preview")
    ann.looks_at("54-deploy-ready")
    ann.looks_at("54-deploy-ready", dark=True)


def is_at_the_field_to_mend(ann: Person, home: str) -> None:
    """After a form that was refused."""
    ann.opens(f"{home}registries/add/")
    ann.clicks("Check and add")
    ann.sees("Write the registry's name.")
    until(lambda: ann.script("return document.activeElement.id") == "id_server", what="the field has the focus")
    ann.finds_no_error_in_the_console(REFUSED)


def edits_the_compose_file(ann: Person) -> None:
    ann.clicks("Compose file")
    ann.clicks("Edit the compose file")
    until(lambda: ann.count("#id_compose"), what="the file can be edited")
    file = ann.value("#id_compose")
    ann.pastes("Compose file", file.replace("demo/app", "demo/mine"))
    ann.sees("demo/mine:1.0", "#preview")
    ann.sees("your own copy", "#source")
    ann.looks_at("55-deploy-own-copy")
