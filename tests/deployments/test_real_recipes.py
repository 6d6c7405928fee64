"""Real recipes through the catalog and its form: the swarm gets what plain ``docker stack deploy`` would give it.

The SmartSDK recipes are tried where their folder lies at hand, the project's own for each feature always. Images can't
be had here: what is compared is what the swarm was told to run.
"""

from __future__ import annotations

import asyncio
import html
import os
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from dashboard.catalogs.refreshing import claim, refresh
from dashboard.flows import operations, stacks
from dashboard.models import Catalog, CatalogKind, Operation, RecipeVersion, Revision, StepState
from platform_manager import recipes
from platform_manager.engines import cli
from platform_manager.recipes import suggest_stack_name
from tests.deployments.swarm_pair import SwarmPair
from tests.recipes import refused
from tests.recipes.features import CONFIGS, FEATURES, FILES, SECRETS, Feature
from tests.support import plain_deploy
from tests.support.lab import ROOT, Lab, finished, succeeded, transcript, until

pytestmark = [pytest.mark.engine, pytest.mark.django_db(transaction=True)]

SHARED = Path(os.environ.get("SMARTSDK_RECIPES") or ROOT.parent / "shared" / "data" / "smartsdk-recipes")
PROVIDED = ("STACK_NAME", "DOCKER_MTU")
# What these recipes can't do without, and the form says so at its field.
LACKS = {
    "data-management/context-broker/ha/docker-compose.yml": "MONGO_SERVICE_URI",
    "iot-services/iotagent-manager/docker-compose.yml": "IOTA_MONGO_HOST",
    "security/api-umbrella/docker-compose.yml": "api-umbrella.yml",
}
GENERATED = {"security/api-umbrella/docker-compose.yml": {"api-umbrella.yml": "app_env: production\n"}}


class Swarms(SwarmPair):
    """With a browser's session, and the catalog of a folder."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.client = Client(SERVER_NAME="127.0.0.1")
        self.client.force_login(self.user)

    def read_catalog(self, folder: Path) -> list[RecipeVersion]:
        settings.PM_CATALOG_FOLDERS = [str(folder)]
        catalog = Catalog.objects.create(name=folder.name, kind=CatalogKind.FOLDER, address=str(folder), position=9)
        assert claim(catalog)
        refresh(catalog)
        catalog.refresh_from_db()
        assert not catalog.problem, catalog.problem
        return list(RecipeVersion.objects.filter(recipe__catalog=catalog).select_related("recipe"))

    def form(self, data: dict[str, str]) -> Any:
        return self.client.post(reverse("stack_deploy", args=[self.ours.pk]), data)

    def holds_nothing_of(self, stack: str) -> bool:
        socket = self.sockets[0]
        kept = [plain_deploy.contents(socket, kind, stack) for kind in ("config", "secret")]
        return not (plain_deploy.services(socket, stack) or plain_deploy.networks(socket, stack) or any(kept))


@pytest.fixture
def swarms(lab: Lab) -> Iterator[Swarms]:
    kept = settings.PM_CATALOG_FOLDERS
    try:
        yield Swarms(lab)
    finally:
        settings.PM_CATALOG_FOLDERS = kept


def test_every_smartsdk_recipe_becomes_what_docker_makes_of_it(swarms: Swarms) -> None:
    if not SHARED.is_dir():
        return
    versions = swarms.read_catalog(SHARED)
    files = {str(path.relative_to(SHARED)) for path in SHARED.rglob("*.yml") if path.name != "mastermind.yml"}
    assert {version.recipe.key for version in versions} >= files
    for version in sorted(versions, key=lambda one: one.recipe.key):
        assert_same(swarms, version)


def test_every_feature_of_recipes_reaches_the_swarm_as_docker_would_give_it_or_is_refused(
    swarms: Swarms,
) -> None:
    for socket in swarms.sockets:
        node = plain_deploy.cli(socket, "node", "ls", "-q").strip()
        # Nothing has to run for being told.
        plain_deploy.cli(socket, "node", "update", "--availability", "drain", node)
        for kind, names in (("secret", SECRETS), ("config", CONFIGS)):
            for name in names:
                plain_deploy.cli(socket, kind, "create", name, str(Path(__file__)))
    accepted = [one for one in FEATURES.values() if one.says != "error" and not one.early]
    assert len(accepted) > 60
    assert_refused_by_engines(swarms)
    with ThreadPoolExecutor(2) as both:
        for n, feature in enumerate(accepted):
            assert_feature(swarms, both, f"{feature.stack}-{n}", feature)


def assert_refused_by_engines(swarms: Swarms) -> None:
    """What the preview refuses for the engine's sake the engine refuses, and takes what is close to it."""
    socket = swarms.sockets[1]
    folder = swarms.lab.var / "refused"
    folder.mkdir()
    for path, content in refused.FILES.items():
        (folder / path).write_bytes(content)
    for text in [*refused.ACCEPTED, *refused.REFUSED]:
        (folder / "stack.yml").write_text(text)
        taken = True
        try:
            plain_deploy.deploy(socket, folder / "stack.yml", "refused", {})
        except AssertionError:
            taken = False
        assert taken is (text in refused.ACCEPTED), text
        plain_deploy.remove(socket, "refused")


def assert_feature(swarms: Swarms, both: ThreadPoolExecutor, stack: str, feature: Feature) -> None:
    ready = recipes.prepare(recipes.parse(feature.text, FILES), feature.answers, mtu=swarms.mtu, stack_name=stack)
    plain = both.submit(swarms.deploy_plain, stack, feature.text, FILES, feature.answers)
    ours = asyncio.run(cli.stack_deploy(swarms.sockets[0], stack, ready.compose, files=ready.files))
    plain.result()
    assert ours.exit_code == 0, f"{stack}: {ours.output}"
    try:
        swarms.assert_alike(stack)
    finally:
        list(both.map(lambda socket: plain_deploy.remove(socket, stack), swarms.sockets))


def assert_same(swarms: Swarms, version: RecipeVersion) -> None:
    """Refused until what it needs is given, with nothing made; then the same as plain."""
    key = version.recipe.key.removeprefix("recipes/")
    name = suggest_stack_name(key.removesuffix(".yml").replace("docker-compose", "").replace("data-management", "dm"))
    data = {"name": name, "version": str(version.pk)}
    given = answers(version)
    given |= {f"file.{path}": text for path, text in GENERATED.get(key, {}).items()}
    if given or version.refusal:
        assert_refused(swarms, version, data, LACKS.get(key, ""))
    if version.refusal:
        return
    answer = swarms.form({**data, **given})
    assert answer.status_code == 302, f"{key}: {problems_of(answer)}"
    operation = swarms.ours.operations.get(kind="deploy_stack", args__stack=name)
    with handed_over(swarms, operation, name) as revision:
        compare(swarms, version, revision, name)


def assert_refused(swarms: Swarms, version: RecipeVersion, data: dict[str, str], lacks: str) -> None:
    """The form says at the field what it can't do without, or why it can't be deployed, and nothing is made."""
    refused = swarms.form(data)
    assert refused.status_code == 422, version
    shown = html.unescape(refused.content.decode())
    if version.refusal:
        assert version.refusal in shown
    else:
        missing = refused.context["missing"]
        assert missing and (not lacks or lacks in missing), (version, missing)
        assert "This must be " in shown
    assert swarms.holds_nothing_of(data["name"]), version


def answers(version: RecipeVersion) -> dict[str, str]:
    """An answer to each question that has no default, in the file or the catalog."""
    if version.refusal:
        return {}
    asked = {question["variable"]: question for question in version.questions}
    found = recipes.variables(recipes.parse(version.compose, {p: b64decode(d) for p, d in version.files.items()}))
    blank = [one.name for one in found if one.default is None]
    blank += [name for name, question in asked.items() if question["required"]]
    undefined = [name for name in dict.fromkeys(blank) if asked.get(name, {}).get("default") is None]
    return {f"answer.{name}": answer_to(name, asked.get(name, {})) for name in undefined if name not in PROVIDED}


def answer_to(name: str, question: dict[str, Any]) -> str:
    if question.get("choices"):
        return str(question["choices"][0]["value"])
    if "PORT" in name:
        return str(20000 + sum(name.encode()))
    number = question.get("kind") == "int" or any(word in name for word in ("NODES", "SIZE", "COUNT", "REPLICAS"))
    return "1" if number else f"a-{name.lower()}"


def problems_of(answer: Any) -> list[str]:
    context = answer.context or {}
    told = [str(problem) for problem in context.get("problems", [])]
    return [
        *told,
        str(context.get("errors")),
        *(f"{one.name}: {one.error}" for one in context["given"].fields if one.error or one.missing),
    ]


@contextmanager
def handed_over(swarms: Swarms, operation: Operation, name: str) -> Iterator[Revision]:
    """While the swarm has what it was given; its tasks need not come up."""

    def handed() -> bool:
        step = operation.steps.filter(name="deploy").first()
        return step is not None and step.state in (StepState.DONE, StepState.FAILED)

    until(handed, what=f"{name} is handed over", every=0.1)
    assert operation.steps.get(name="deploy").state == StepState.DONE, transcript(operation)
    yield Revision.objects.get(operation=operation)
    operation.refresh_from_db()
    if not operation.finished:
        operations.cancel_operation(operation, swarms.user)
    finished(operation)
    succeeded(stacks.remove_stack(swarms.ours, swarms.user, name))


def compare(swarms: Swarms, version: RecipeVersion, revision: Revision, name: str) -> None:
    swarms.deploy_plain(name, version.compose, revision.files, revision.answers)
    try:
        swarms.assert_alike(name)
    finally:
        plain_deploy.remove(swarms.sockets[1], name)
