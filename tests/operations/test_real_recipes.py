"""Real recipes through the catalog and its form: the swarm gets what plain ``docker stack deploy`` would give it.

The SmartSDK recipes are tried where their folder lies at hand, those of the project always. Their images can't be had
here: what is compared is what the swarm was told to run.
"""

from __future__ import annotations

import html
import os
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from dashboard.catalogs.refreshing import claim, refresh
from dashboard.flows import environments, hosts, operations, stacks
from dashboard.models import Catalog, CatalogKind, Environment, Operation, RecipeVersion, Revision, StepState
from platform_manager import recipes
from platform_manager.recipes import suggest_stack_name
from tests import factories
from tests.support import plain_deploy
from tests.support.lab import ROOT, Lab, finished, succeeded, transcript, until

pytestmark = [pytest.mark.engine, pytest.mark.django_db(transaction=True)]

SHARED = Path(os.environ.get("SMARTSDK_RECIPES") or ROOT.parent / "shared" / "data" / "smartsdk-recipes")
OWN = ROOT / "tests" / "recipes" / "features"
PROVIDED = ("STACK_NAME", "DOCKER_MTU")
MTU = "com.docker.network.driver.mtu"
# What these recipes can't do without, and the form says so at its field.
LACKS = {
    "data-management/context-broker/ha/docker-compose.yml": "MONGO_SERVICE_URI",
    "iot-services/iotagent-manager/docker-compose.yml": "IOTA_MONGO_HOST",
    "security/api-umbrella/docker-compose.yml": "api-umbrella.yml",
}
GENERATED = {"security/api-umbrella/docker-compose.yml": {"api-umbrella.yml": "app_env: production\n"}}


class Swarms:
    """Two swarms alike: one the platform deploys to, the other plain ``docker stack deploy``."""

    def __init__(self, lab: Lab) -> None:
        lab.start_web()
        lab.start_hub()
        lab.start_worker()
        self.lab, self.user = lab, factories.user()
        self.ours, self.plain = (self._environment(name) for name in ("ours", "plain"))
        adding = [hosts.add_hosts(one, self.user, driver="local", prefix="fw", quantity=1) for one in self.both]
        for operation in adding:
            succeeded(operation)
        self.client = Client(SERVER_NAME="127.0.0.1")
        self.client.force_login(self.user)

    @property
    def both(self) -> tuple[Environment, Environment]:
        return self.ours, self.plain

    def _environment(self, name: str) -> Environment:
        return environments.create_environment(self.user, name=name, managers=1)

    def socket(self, environment: Environment) -> Path:
        return self.lab.var / "links" / f"{environment.hosts.get().pk}.sock"

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
        socket = self.socket(self.ours)
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
    folder = swarms.lab.var / "plain" / name
    folder.mkdir(parents=True)
    for path, data in revision.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b64decode(data))
    (folder / "stack.yml").write_text(version.compose)
    mtu = str(swarms.ours.swarm_mtu or Environment.objects.get(pk=swarms.ours.pk).swarm_mtu)
    variables = {"STACK_NAME": name, "DOCKER_MTU": mtu, **revision.answers}
    sockets = [swarms.socket(one) for one in swarms.both]
    plain_deploy.deploy(sockets[1], folder / "stack.yml", name, variables)
    try:
        ours, plain = (plain_deploy.services(socket, name) for socket in sockets)
        assert ours, name
        assert ours == plain, name
        for kind in ("config", "secret"):
            assert plain_deploy.contents(sockets[0], kind, name) == plain_deploy.contents(sockets[1], kind, name)
        made = [plain_deploy.networks(socket, name) for socket in sockets]
        assert all(network["Options"].pop(MTU) for network in made[0].values()), f"{name}: a network without MTU"
        for network in made[1].values():
            network["Options"].pop(MTU, "")
        assert made[0] == made[1], name
    finally:
        plain_deploy.cli(sockets[1], "stack", "rm", name)
