"""Portainer's template lists: all versions, all fields, and what is wrong with many."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from platform_manager.catalogs.base import Entry, Found, Remote
from platform_manager.catalogs.portainer import raw_file
from platform_manager.catalogs.reading import read_tree
from platform_manager.catalogs.report import report
from platform_manager.recipes import EnvironmentFacts, Question, QuestionKind, parse, preview
from tests.support.corpora import corpus

LISTS = [*sorted(folder.glob("*.json"))] if (folder := corpus("portainer")) else []


def read(*templates: Any, version: str = "2") -> Found:
    listed: Any = list(templates) if version == "1" else {"version": version, "templates": list(templates)}
    return read_tree({"templates.json": json.dumps(listed).encode()})


def only(found: Found) -> Entry:
    (entry,) = found.entries
    return entry


def services(entry: Entry) -> Any:
    recipe = parse(entry.versions[0].compose)
    assert preview(recipe, {}, EnvironmentFacts(networks={"shared"})).deployable
    return recipe.value


def question(entry: Entry, variable: str) -> Question:
    return next(asked for asked in entry.versions[0].questions if asked.variable == variable)


CONTAINER = {
    "type": 1,
    "title": "Web Server",
    "description": "Serves.\nAnd more.",
    "categories": ["webserver", "web server"],
    "platform": "linux",
    "logo": "https://logos.example.org/web.png",
    "note": "<b>Careful</b>",
    "image": "team/web:1.2",
    "registry": "registry.example.org",
    "command": "serve --cost $5",
    "hostname": "web",
    "ports": ["8080:80/tcp", "443/tcp", "53/udp", "nonsense"],
    "volumes": [
        {"container": "/data"},
        {"container": "/data/"},
        {"container": "/etc/web", "bind": "/srv/web", "readonly": True},
        {"container": "/named", "bind": "named"},
        {"container": "C:/temp"},
    ],
    "labels": [{"name": "owner", "value": "me"}],
    "env": [{"name": "MODE", "label": "Mode", "default": "fast"}, {"name": "PLAIN"}, {"name": "dotted.name"}],
    "restart_policy": "on-failure",
    "privileged": True,
    "interactive": True,
    "administrator_only": True,
}


def test_a_container_becomes_a_compose_file_of_one_service() -> None:
    value = services(only(read(CONTAINER)))
    assert value["version"] == "3.8"
    assert value["services"]["web-server"] == {
        "image": "registry.example.org/team/web:1.2",
        "command": "serve --cost $$5",
        "hostname": "web",
        "environment": {"MODE": "${MODE:-fast}", "PLAIN": None, "dotted.name": "${dotted_name}"},
        "ports": ["8080:80", "443", "53/udp"],
        "volumes": ["data:/data", "data-2:/data/", "/srv/web:/etc/web:ro", "named:/named"],
        "labels": {"owner": "me"},
        "stdin_open": True,
        "tty": True,
        "deploy": {"replicas": 1, "restart_policy": {"condition": "on-failure"}},
    }
    assert set(value["volumes"]) == {"data", "data-2", "named"}


def test_texts_of_a_template_that_look_like_numbers_stay_texts() -> None:
    labels = [{"name": "a", "value": "1e3"}, {"name": "b", "value": "0o17"}, {"name": "c", "value": "yes"}]
    entry = only(read({"title": "A", "image": "a", "hostname": "1e3", "labels": labels}))
    made = parse(entry.versions[0].compose).value["services"]["a"]
    assert (made["hostname"], made["labels"]) == ("1e3", {"a": "1e3", "b": "0o17", "c": "yes"})


def test_a_container_says_what_it_is_and_what_was_left_out() -> None:
    entry = only(read(CONTAINER))
    assert (entry.title, entry.summary) == ("Web Server", "Serves.")
    assert entry.description == "Serves.\nAnd more.\n\n<b>Careful</b>"
    assert entry.categories == ("webserver",)
    assert entry.logo.address == "https://logos.example.org/web.png"
    assert entry.operators_only
    assert entry.versions[0].label == "1.2"
    notes = " ".join(entry.versions[0].notes)
    for word in ("privileged", "terminal", "nonsense", "C:/temp"):
        assert word in notes


@pytest.mark.parametrize(
    ("name", "networks"),
    [
        ("", None),
        ("bridge", None),
        ("shared", {"shared": {"external": True, "name": "shared"}}),
        ("host", {"host": {"external": True, "name": "host"}}),
    ],
)
def test_networks_of_containers_are_external(name: str, networks: Any) -> None:
    assert services(only(read({"title": "A", "image": "a", "network": name}))).get("networks") == networks


@pytest.mark.parametrize("version", ["1", "2", "3"])
@pytest.mark.parametrize("kind", [None, 1, "1", "container", "Container"])
def test_a_template_without_a_known_word_for_it_is_a_container(version: str, kind: Any) -> None:
    template = {"title": "A", "image": "a"} | ({} if kind is None else {"type": kind})
    assert only(read(template, version=version)).versions[0].compose


@pytest.mark.parametrize(
    ("template", "remote"),
    [
        (
            {"type": 2, "repository": {"url": "https://git.example.org/a/b", "stackfile": "x/stack.yml"}},
            Remote("https://git.example.org/a/b", "x/stack.yml"),
        ),
        (
            {"type": 3, "repository": {"url": "https://git.example.org/a/b", "stackfile": "c.yml", "commit": "v2"}},
            Remote("https://git.example.org/a/b", "c.yml", "v2"),
        ),
        (
            {"type": "stack", "repository": {"url": "https://git.example.org/a/b"}},
            Remote("https://git.example.org/a/b", "docker-compose.yml"),
        ),
        (
            {"type": 4, "stackfile": "https://raw.githubusercontent.com/o/r/master/edge/x/docker-compose.yml"},
            Remote("https://github.com/o/r", "edge/x/docker-compose.yml", "master"),
        ),
    ],
)
def test_stacks_lie_in_a_repository_elsewhere(template: dict[str, Any], remote: Remote) -> None:
    found = read({"title": "A", **template})
    assert only(found).versions[0].remote == remote
    assert only(found).versions[0].compose == ""
    assert report(found)[0].becomes == f"its file is still to be read from {remote.address}"


def test_raw_addresses_of_other_hosts_are_known_by_their_form() -> None:
    assert raw_file("https://git.example.org/a/b/c/-/raw/main/x/y.yml") == Remote(
        "https://git.example.org/a/b/c", "x/y.yml", "main"
    )
    assert raw_file("https://raw.githubusercontent.com/o/r/refs/heads/main/y.yml") == Remote(
        "https://github.com/o/r", "y.yml", "main"
    )
    assert raw_file("https://files.example.org/y.yml") is None
    assert raw_file("https://raw.githubusercontent.com/o/r/refs/heads") is None


ENV = [
    {"name": "PLAIN", "label": "Plain", "description": "Say it"},
    {"name": "PRESET", "default": 5, "preset": True},
    {"name": "SET", "set": True},
    {"name": "PICK", "select": [{"text": "One", "value": "1"}, {"text": "Two", "value": "2", "default": True}]},
    {"name": "HOST", "label": "Database", "type": "container"},
    {"name": "SHOWN", "value": "x", "disabled": True},
    {"name": "CODE", "type": "password", "value": "p"},
    {"name": "LEVEL", "type": "select", "select": [{"text": "a", "value": "a"}]},
    {"name": "ROOT_PASSWORD"},
]


def test_the_environment_becomes_questions() -> None:
    entry = only(read({"title": "A", "image": "a", "env": ENV}))
    assert question(entry, "PLAIN") == Question("PLAIN", label="Plain", help="Say it")
    assert (question(entry, "PRESET").default, question(entry, "PRESET").hidden) == ("5", True)
    assert (question(entry, "SET").default, question(entry, "SET").hidden) == ("true", True)
    assert (question(entry, "PICK").kind, question(entry, "PICK").default) == (QuestionKind.ENUM, "2")
    assert [choice.label for choice in question(entry, "PICK").choices] == ["One", "Two"]
    assert question(entry, "HOST").kind is QuestionKind.SERVICE
    assert (question(entry, "SHOWN").default, question(entry, "SHOWN").hidden) == ("x", True)
    assert (question(entry, "CODE").kind, question(entry, "CODE").default) == (QuestionKind.PASSWORD, "p")
    assert (question(entry, "LEVEL").kind, question(entry, "LEVEL").default) == (QuestionKind.ENUM, None)
    assert question(entry, "ROOT_PASSWORD").kind is QuestionKind.PASSWORD


def test_broken_halves_are_left_out_and_named() -> None:
    found = read({"title": "Agent", "image": "a", "env": [{"name": "A"}, {"label": "No name"}, "text", {"name": "ü$"}]})
    assert [asked.variable for asked in only(found).versions[0].questions] == ["A"]
    assert len(found.skipped) == 3
    assert all("Agent" in line.path for line in found.skipped)


def test_templates_that_are_none_cost_only_themselves() -> None:
    found = read({"title": "A", "image": "a"}, "text", None, [], {"type": 9, "title": "B"}, {"type": 1}, {"title": "C"})
    assert [entry.title for entry in found.entries] == ["A", "C"]
    assert len(found.skipped) == 5
    assert "no image" in found.entries[1].versions[0].refusal


@pytest.mark.parametrize(
    "address", ["https://[", "https://h:x/", "https://u:secret@h/x", "ftp://h/x", "javascript:x", "/x"]
)
def test_addresses_that_are_none_are_not_kept(address: str) -> None:
    stack = {"type": 2, "title": "A", "logo": address, "repository": {"url": address, "stackfile": "c.yml"}}
    entry = only(read(stack))
    assert entry.logo.address == ""
    assert "does not say where" in entry.versions[0].refusal
    only(read({"type": 4, "title": "A", "stackfile": address}))


def test_windows_is_refused_with_the_reason() -> None:
    assert "Windows" in only(read({"title": "A", "image": "a", "platform": "windows"})).versions[0].refusal


def test_templates_of_one_title_are_told_apart() -> None:
    stack = {"type": 2, "title": "A", "repository": {"url": "https://git.example.org/a/b", "stackfile": "c.yml"}}
    found = read({"title": "A", "image": "a"}, {"title": "A", "image": "b"}, stack)
    assert [entry.title for entry in found.entries] == ["A (container)", "A (container)", "A (swarm stack)"]
    assert [entry.key for entry in found.entries] == ["container/a", "container/a-2", "stack/a"]


def test_fields_of_wrong_types_do_no_harm() -> None:
    wrong: list[Any] = [None, 1, "x", [], {}, [[]], {"a": []}, [{"name": {}}], True]
    for field in ("title", "description", "categories", "logo", "env", "ports", "volumes", "labels", "repository"):
        for value in wrong:
            read({"title": "A", "image": "a", **{field: value}})
            read({"type": 2, "title": "A", **{field: value}})


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[1]", b"null", b"\xff", b"[" * 100_000, b'{"templates": 1}', b'{"a": 1}']
)
def test_what_is_no_list_holds_no_recipe_and_says_so(data: bytes) -> None:
    found = read_tree({"templates.json": data})
    assert found.entries == ()
    assert "no recipe" in found.skipped[0].sentence


def test_all_of_each_real_list_imports() -> None:
    """Those that lie at hand; what they hold stands in the samples above too."""
    for path in LISTS:
        assert_all_imports(path)


def assert_all_imports(path: Path) -> None:
    listed = json.loads(path.read_bytes())
    templates = listed["templates"] if isinstance(listed, dict) else listed
    found = read_tree({path.name: path.read_bytes()})
    assert len(found.entries) == len(templates)
    assert found.skipped == ()
    for line in report(found):
        windows = "Windows" in line.becomes
        assert windows or line.becomes == "deployable" or line.becomes.startswith("its file is still"), line
