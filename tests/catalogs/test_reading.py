"""Trees of files as catalogs: compose files with what lies beside them, and several formats at once."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from platform_manager.catalogs import compose_files
from platform_manager.catalogs.base import Entry, Found, Overlay, Tree, Version
from platform_manager.catalogs.reading import read_tree
from platform_manager.catalogs.sources import folder
from platform_manager.recipes import Question, QuestionKind, builtin, united, variables
from tests.support.corpora import corpus

COMPOSE = b"version: '3.8'\nservices:\n  web:\n    image: web:${TAG:-1}\n"
OWN = "https://git.example.org/team/recipes"
SMARTSDK = [found] if (found := corpus("smartsdk-recipes")) else []


def by_key(found: Found) -> dict[str, Entry]:
    return {entry.key: entry for entry in found.entries}


def version(found: Found, key: str) -> Version:
    return by_key(found)[key].versions[0]


def test_every_compose_file_is_a_recipe_and_nothing_else_is() -> None:
    tree = {
        "docker-compose.yml": COMPOSE,
        "tools/portainer.yml": COMPOSE,
        "tools/viewer.yaml": COMPOSE,
        "db/docker-stack.yml": COMPOSE,
        "prometheus.yml": b"global:\n  scrape_interval: 15s\n",
        "deployment.yml": b"kind: Deployment\nspec:\n  containers:\n  - image: x\n",
        ".github/workflows/services.yml": COMPOSE,
        "notes.txt": COMPOSE,
    }
    assert set(by_key(read_tree(tree))) == {
        "docker-compose.yml",
        "tools/portainer.yml",
        "tools/viewer.yaml",
        "db/docker-stack.yml",
    }


@pytest.mark.parametrize(
    ("tree", "title"),
    [
        ({"apps/web/docker-compose.yml": COMPOSE, "apps/web/README.md": b"# The Web\n\nServes."}, "The Web"),
        ({"apps/context-broker/docker-compose.yml": COMPOSE}, "Context Broker"),
        ({"apps/broker/ha/docker-compose.yml": COMPOSE}, "Broker (ha)"),
        ({"tools/portainer.yml": COMPOSE, "tools/readme.md": b"# Tools"}, "Tools"),
        ({"docker-compose.yml": COMPOSE}, "My catalog"),
        (
            {"web/docker-compose.yml": COMPOSE, "web/recipe.yml": b"title: Own title\n", "web/README.md": b"# R"},
            "Own title",
        ),
        ({"web/docker-compose.yml": COMPOSE, "web/mastermind.yml": b"name: my-web\nversion: 1.10\n"}, "My Web"),
    ],
)
def test_a_recipe_has_a_title_whatever_is_said_of_it(tree: Tree, title: str) -> None:
    assert [entry.title for entry in read_tree(tree, name="My catalog").entries] == [title]


def test_files_of_one_folder_are_named_after_themselves() -> None:
    tree = {"tools/portainer.yml": COMPOSE, "tools/visualizer.yml": COMPOSE, "tools/readme.md": b"# Tools"}
    assert {entry.title for entry in read_tree(tree).entries} == {"Portainer", "Visualizer"}


def test_recipes_of_one_title_are_told_apart() -> None:
    tree = {f"{name}/docker-compose.yml": COMPOSE for name in ("one", "two")}
    tree |= {f"{name}/readme.md": b"# Same" for name in ("one", "two")}
    assert {entry.title for entry in read_tree(tree).entries} == {"Same (one)", "Same (two)"}


def test_what_lies_around_a_compose_file_comes_along() -> None:
    tree = {
        "web/docker-compose.yml": COMPOSE + b"configs:\n  page:\n    file: ./pages/logo.png\n",
        "web/pages/logo.png": b"png",
        "web/settings.env": b"A=1",
        "web/conf/a.json": b"{}",
        "web/picture.jpg": b"jpg",
        "web/readme.md": b"# Web",
        "web/inner/docker-compose.yml": COMPOSE,
        "web/inner/inner.env": b"B=1",
        "elsewhere.env": b"C=1",
    }
    found = read_tree(tree)
    assert set(version(found, "web/docker-compose.yml").files) == {"pages/logo.png", "settings.env", "conf/a.json"}
    assert set(version(found, "web/inner/docker-compose.yml").files) == {"inner.env"}
    assert version(found, "web/docker-compose.yml").readme == "# Web"


def test_a_compose_file_takes_nothing_from_outside_its_folder() -> None:
    outside = COMPOSE + b"configs:\n  a:\n    file: ../secret.txt\n  b:\n    file: /etc/passwd\n"
    found = read_tree({"web/docker-compose.yml": outside, "secret.txt": b"s"})
    assert version(found, "web/docker-compose.yml").files == {}


def test_a_folder_with_too_much_keeps_what_is_referred_to() -> None:
    tree = {"web/docker-compose.yml": COMPOSE + b"configs:\n  z:\n    file: z.txt\n", "web/z.txt": b"z"}
    tree |= {f"web/a{number}.txt": b"a" for number in range(300)}
    found = read_tree(tree)
    assert len(version(found, "web/docker-compose.yml").files) == 200
    assert "z.txt" in version(found, "web/docker-compose.yml").files
    assert [line.path for line in found.skipped] == ["web/docker-compose.yml"]


def test_recipes_of_one_folder_do_not_multiply_its_files_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose_files, "MOST_KEPT", 10_500)
    tree = {f"web/stack-{letter}.yml": COMPOSE for letter in "abc"} | {"web/large.txt": bytes(5_000)}
    found = read_tree(tree)
    assert [len(entry.versions[0].files) for entry in found.entries] == [1, 1, 0]
    assert "Split the catalog" in found.skipped[0].sentence


def test_addons_may_be_merged_over_a_recipe_and_are_one_of_their_own() -> None:
    tree = {"ql/docker-compose.yml": COMPOSE, "ql/docker-compose-addons.yml": COMPOSE, "ql/readme.md": b"# QL"}
    tree |= {"ql/docker-compose.override.yml": b"services:\n  web:\n    deploy: {replicas: 2}\n"}
    found = read_tree(tree)
    assert [overlay.name for overlay in version(found, "ql/docker-compose.yml").overlays] == [
        "docker-compose-addons.yml",
        "docker-compose.override.yml",
    ]
    assert version(found, "ql/docker-compose.yml").overlays[0] == Overlay("docker-compose-addons.yml", COMPOSE.decode())
    assert {entry.title for entry in found.entries} == {"QL", "QL Addons"}


def test_a_logo_in_the_folder_is_the_recipe_s() -> None:
    for name in ("logo.png", "icon.svg", "catalogIcon-web.svg"):
        found = read_tree({"web/docker-compose.yml": COMPOSE, f"web/{name}": b"picture"})
        assert found.entries[0].logo.data == b"picture"
        assert found.entries[0].versions[0].files == {}


def test_what_a_swarm_does_not_take_is_refused_with_the_reason() -> None:
    found = read_tree(
        {
            "old/docker-compose.yml": b"version: '2'\nservices:\n  a:\n    image: x\n",
            "older/docker-compose.yml": b"a:\n  image: x\n",
            "broken/docker-compose.yml": b"services:\n  a:\n    image: [\n",
            "built/docker-compose.yml": b"services:\n  a:\n    build: .\n",
            "loose.yml": b"services:\n    image: [\n",
        }
    )
    for key, words in {"old": "version 2", "older": "version 1", "broken": "not valid YAML"}.items():
        assert words in version(found, f"{key}/docker-compose.yml").refusal
        assert version(found, f"{key}/docker-compose.yml").compose == ""
    assert {line.path for line in found.skipped} == {"built/docker-compose.yml", "loose.yml"}


@pytest.mark.parametrize("value", ["true", "1.5", "-1", "{a: b}", "[[x]]", "[null]"])
def test_a_file_that_no_swarm_takes_does_not_cost_the_others(value: str) -> None:
    odd = f"services: {{web: {{image: x, env_file: {value}}}}}\n".encode()
    assert set(by_key(read_tree({"a/docker-compose.yml": odd, "docker-compose.yml": COMPOSE}))) >= {
        "docker-compose.yml"
    }


def test_words_beside_a_file_that_can_t_be_read_cost_only_themselves() -> None:
    tree = {"web/docker-compose.yml": COMPOSE, "web/recipe.yml": b"title: [", "web/mastermind.yml": b"a: 1\na: 2\n"}
    found = read_tree(tree)
    assert len(found.entries) == 1
    assert {line.path for line in found.skipped} == {"web/recipe.yml", "web/mastermind.yml"}


ABOUT = b"""
title: Web
description: Serves *pages*. And more.
icon: world
version: 1.10
categories: [Examples, Web]
license: MIT
questions:
  - {variable: TAG, type: enum, options: [1, {value: 2, label: Two}], default: 1, required: yes}
  - {variable: N, type: int, min: 1, max: 20, label: Number}
  - {variable: FLAG, type: boolean, default: True}
  - {variable: TAG, label: again}
  - {variable: "no name"}
  - text
"""


def test_the_platform_s_own_words_about_a_recipe() -> None:
    found = read_tree({"web/docker-compose.yml": COMPOSE, "web/recipe.yml": ABOUT})
    (entry,) = found.entries
    assert (entry.summary, entry.icon, entry.license) == ("Serves pages.", "world", "MIT")
    assert entry.categories == ("Examples",)
    assert entry.versions[0].label == "1.10"
    tag, number, flag = entry.versions[0].questions
    assert (tag.kind, tag.default, tag.required) == (QuestionKind.ENUM, "1", True)
    assert [(choice.value, choice.label) for choice in tag.choices] == [("1", "1"), ("2", "Two")]
    assert (number.minimum, number.maximum, number.label) == (1, 20, "Number")
    assert (flag.kind, flag.default) == (QuestionKind.BOOLEAN, "true")


MASTERMIND = b"""
name: orion
version: 1.10
description: Orion
environment_variables:
  - {variable: VERSION, name: Version, description: Which, required: false, managed: true, default: 1.10}
  - {variable: PORT, name: Port, required: true, default: 1026}
  - {variable: DEBUG, default: false}
  - {variable: MYSQL_PASSWORD}
  - {variable: "$(x)"}
  - text
services:
  - {service_type: mongo, name: Mongo, required: true, managed: true, retrieve: endpoint, as: MONGO_URI}
  - {service_type: mongo}
"""


def test_mastermind_s_variables_and_services_become_questions() -> None:
    found = read_tree({"orion/docker-compose.yml": COMPOSE, "orion/mastermind.yml": MASTERMIND})
    assert version(found, "orion/docker-compose.yml").questions == (
        Question("MONGO_URI", QuestionKind.SERVICE, label="Mongo", required=True, service_type="mongo"),
        Question("VERSION", label="Version", help="Which", default="1.10"),
        Question("PORT", label="Port", required=True, default="1026"),
        Question("DEBUG", QuestionKind.BOOLEAN, default="false"),
        Question("MYSQL_PASSWORD", QuestionKind.PASSWORD),
    )
    assert version(found, "orion/docker-compose.yml").label == "1.10"


def listing(*paths: str, address: str = OWN) -> bytes:
    templates = [
        {
            "type": 2,
            "title": f"Title of {path}",
            "description": "Deploys it",
            "logo": "https://logos.example.org/x.png",
            "env": [{"name": "TAG", "label": "Tag"}],
            "repository": {"url": address, "stackfile": path},
        }
        for path in paths
    ]
    return json.dumps(templates).encode()


def test_what_a_list_says_of_a_file_in_the_tree_is_merged_into_its_entry() -> None:
    tree = {
        "portainer/templates.json": listing("a/docker-compose.yml", "gone.yml", address=f"{OWN.upper()}.git/"),
        "a/docker-compose.yml": COMPOSE,
        "a/mastermind.yml": b"environment_variables: [{variable: TAG, default: 2}]",
        "b/docker-compose.yml": COMPOSE,
    }
    found = read_tree(tree, own_addresses=[OWN])
    entries = by_key(found)
    assert set(entries) == {"a/docker-compose.yml", "b/docker-compose.yml", "stack/title-of-gone-yml"}
    assert entries["a/docker-compose.yml"].title == "Title of a/docker-compose.yml"
    assert entries["a/docker-compose.yml"].logo.address == "https://logos.example.org/x.png"
    assert version(found, "a/docker-compose.yml").questions == (Question("TAG", label="Tag", default="2"),)
    assert version(found, "a/docker-compose.yml").compose == COMPOSE.decode()
    assert "gone.yml is not in the repository" in version(found, "stack/title-of-gone-yml").refusal
    assert found.format == "Portainer list and Compose files"


def test_a_list_in_a_copy_of_its_repository_is_known_by_its_files() -> None:
    tree = {"templates.json": listing("a/docker-compose.yml", "b/docker-compose.yml")}
    tree |= {"a/docker-compose.yml": COMPOSE, "b/docker-compose.yml": COMPOSE}
    assert set(by_key(read_tree(tree))) == {"a/docker-compose.yml", "b/docker-compose.yml"}


def test_files_of_other_repositories_are_not_taken_for_the_tree_s() -> None:
    found = read_tree({"templates.json": listing("docker-compose.yml"), "docker-compose.yml": COMPOSE})
    assert len(found.entries) == 2
    assert any(entry.versions[0].remote for entry in found.entries)


def test_a_list_is_understood_where_only_a_folder_of_its_repository_was_taken() -> None:
    tree = {"templates.json": listing("deep/a/docker-compose.yml"), "a/docker-compose.yml": COMPOSE}
    (entry,) = read_tree(tree, own_addresses=[OWN]).entries
    assert (entry.key, entry.title) == ("a/docker-compose.yml", "Title of deep/a/docker-compose.yml")


def test_rancher_folders_are_left_to_their_own_reader() -> None:
    tree = {
        "templates/blog/config.yml": b"name: Blog\nversion: '1'\n",
        "templates/blog/0/docker-compose.yml": b"web:\n  image: web:1\n",
        "templates/blog/0/rancher-compose.yml": b".catalog: {name: Blog, version: '1'}\n",
        "templates/plain/docker-compose.yml": COMPOSE,
        "own/docker-compose.yml": COMPOSE,
    }
    found = read_tree(tree)
    plain = {"templates/plain/docker-compose.yml", "own/docker-compose.yml"}
    (blog,) = (entry for entry in found.entries if entry.key not in plain)
    assert plain < set(by_key(found))
    assert (blog.title, [version.label for version in blog.versions]) == ("Blog", ["1"])
    assert "services:" in blog.versions[0].compose
    assert found.format == "Compose files and Rancher catalog"
    listed = {**tree, "templates.json": b'[{"title": "Web", "type": 1, "image": "nginx"}]'}
    assert read_tree(listed).format == "Portainer list, Compose files and Rancher catalog"


def test_an_empty_tree_says_what_a_catalog_holds() -> None:
    for tree in ({}, {"readme.md": b"# Nothing"}):
        found = read_tree(tree)
        assert found.entries == ()
        assert "no recipe" in found.skipped[0].sentence


@pytest.mark.parametrize("name", ["docker-compose.yml", "mastermind.yml", "recipe.yml", "templates.json", "readme.md"])
@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe\x00",
        b"[" * 10_000,
        b"a: &a [*a]\n",
        b"services:\n  a: &x\n    image: y\n    <<: *x\n",
        b"services:\n" + b"  image:\n" * 1_000,
        b" " * 100_000 + b"image:",
        b"\n" * 100_000 + b" image: x\nservices:",
        b"questions: [[[], {}, null, {variable: [a]}]]\nservices: 1\ntitle: {a: b}\n",
    ],
    ids=range(8),
)
def test_hostile_files_do_no_harm(name: str, data: bytes) -> None:
    began = time.process_time()
    read_tree({"web/docker-compose.yml": COMPOSE, f"web/{name}": data})
    assert time.process_time() - began < 2


def test_built_in_recipes_ask_typed_questions_that_their_files_know() -> None:
    for recipe in builtin():
        assert recipe.categories
        assert recipe.questions
        for question in united(recipe.questions, variables(recipe.recipe())):
            assert question.kind is QuestionKind.INT
            assert question.known and question.used and question.label


def test_a_large_catalog_is_read_quickly() -> None:
    tree = {f"recipes/r{number}/docker-compose.yml": COMPOSE for number in range(500)}
    tree |= {f"recipes/r{number}/conf/a.json": b"{}" for number in range(500)}
    began = time.process_time()
    found = read_tree(tree)
    assert time.process_time() - began < 5
    assert len(found.entries) == 500
    assert all(set(entry.versions[0].files) == {"conf/a.json"} for entry in found.entries)


def test_all_of_the_smartsdk_recipes_are_reachable_once() -> None:
    """Where they lie at hand."""
    for path in SMARTSDK:
        assert_all_reachable(path)


def assert_all_reachable(path: Path) -> None:
    found = read_tree(folder.read(path).tree)
    files = {str(file.relative_to(path)) for file in path.rglob("*.yml") if file.name != "mastermind.yml"}
    entries = by_key(found)
    assert len(files) == 22
    assert set(entries) - files == {"stack/greenroute"}
    assert files <= set(entries)
    assert all(entries[key].versions[0].compose for key in files)
    assert len({entry.title for entry in found.entries}) == 23
    assert sum(bool(entry.logo.address) for entry in found.entries) == 11
    quantumleap = version(found, "recipes/data-management/quantumleap/docker-compose.yml")
    assert [overlay.name for overlay in quantumleap.overlays] == ["docker-compose-addons.yml"]
