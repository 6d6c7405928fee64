"""Several compose files, pinned images, new names of configs and secrets, and limits of what answers may do."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from oracle import MTU_OPTION, understood

from platform_manager.errors import UserError
from platform_manager.recipes import (
    ComposeInvalid,
    EnvironmentFacts,
    Severity,
    merged,
    parse,
    prepare,
    preview,
    variables,
)
from platform_manager.recipes.prepare import Prepared

BASE = """\
version: "3.3"
services:
  web: {image: "app:${TAG:-1}", ports: ["80:80"], networks: [front], configs: [app]}
networks: {front: {driver_opts: {a: b}}}
configs: {app: {file: ./conf/app.json}, gone: {file: /etc/shadow}}
secrets: {key: {external: {name: old}}}
"""
MORE = """\
version: "3.3"
services:
  web: {environment: [MORE], labels: ["a=${LABEL}"]}
  db: {image: db, networks: [front, back]}
networks: {back: , front: {attachable: true}}
configs: {gone: {file: more/x.txt}}
"""
FILES = {"conf/app.json": b"{}", "more/x.txt": b"x"}


def prepared(text: str, *overlays: str, answers: dict[str, str] | None = None, **more: Any) -> Prepared:
    recipe = parse(text, FILES, overlays=[(f"more-{n}.yml", overlay) for n, overlay in enumerate(overlays)])
    return prepare(recipe, answers or {}, mtu=1400, stack_name="shop", **more)


def test_the_mtu_goes_where_a_network_is_declared_last() -> None:
    ready = prepared(BASE, MORE)

    last = yaml.safe_load(ready.overlays[0])["networks"]
    assert last == {
        "back": {"driver_opts": {MTU_OPTION: "1400"}},
        "front": {"attachable": True, "driver_opts": {MTU_OPTION: "1400"}},
    }
    assert MTU_OPTION not in ready.compose


def test_the_implicit_network_is_added_to_the_last_file() -> None:
    ready = prepared("services: {a: {image: x}}", "services: {b: {image: x}}", "services: {c: {image: x}}")

    assert [MTU_OPTION in text for text in (ready.compose, *ready.overlays)] == [False, False, True]


def test_files_are_those_that_the_merged_files_name() -> None:
    assert prepared(BASE, MORE).files == FILES
    with pytest.raises(ComposeInvalid, match="no file '/etc/shadow'"):
        prepared(BASE)


def test_a_pinned_image_is_used_instead_of_the_last_one() -> None:
    pins = {"web": "app@sha256:" + "0" * 64, "db": "db:pinned", "nobody": "x"}

    ready = prepared(BASE, MORE, pins=pins)

    value, _ = merged(parse(ready.compose, overlays=[("more", ready.overlays[0])]), {})
    assert {name: service["image"] for name, service in value["services"].items()} == {
        "web": pins["web"],
        "db": pins["db"],
    }


def test_renamed_objects_get_a_name_and_a_version_that_knows_it(tmp_path: Path) -> None:
    renames = {("configs", "app"): "app-1a2b", ("secrets", "key"): "key-3c4d", ("configs", "none"): "x"}

    ready = prepared(BASE, MORE, renames=renames)

    found = understood(tmp_path, [ready.compose, *ready.overlays], {}, FILES)
    assert found is not None
    assert [yaml.safe_load(text)["version"] for text in (ready.compose, *ready.overlays)] == ["3.5", "3.5"]
    assert "name: app-1a2b" in ready.compose
    assert yaml.safe_load(ready.compose)["secrets"]["key"] == {"external": True, "name": "key-3c4d"}


def test_questions_are_those_of_all_files() -> None:
    found = variables(parse(BASE, FILES, overlays=[("more.yml", MORE)]))

    assert [variable.name for variable in found] == ["TAG", "LABEL", "MORE"]


def test_a_preview_of_merged_files_has_the_merged_service() -> None:
    recipe = parse(BASE, FILES, overlays=[("more.yml", MORE)])

    value, problems = merged(recipe, {"LABEL": "l", "MORE": "m"})

    assert problems == []
    assert value["services"]["web"]["labels"] == ["a=l"]
    assert value["services"]["web"]["environment"] == ["MORE=m"]
    assert value["networks"] == {"front": {"attachable": True}, "back": None}


def test_without_overlays_merging_changes_nothing() -> None:
    value, problems = merged(parse(BASE, FILES), {"TAG": "2"})

    assert (value["services"]["web"]["image"], value["services"]["web"]["ports"]) == ("app:2", ["80:80"])
    assert (value["version"], problems) == ("3.3", [])


@pytest.mark.parametrize(
    ("overlay", "words"),
    [
        ("version: '3.8'\n", "version of merged files must be one"),
        ("version: '3.3'\nservices:\n", "more-0.yml, line 2: services must be a mapping"),
        ("version: '3.3'\nservices: {web: {extends: {service: x}}}", "more-0.yml, line 2: services.web.extends"),
        ("version: '3.3'\nx: a: b", "more-0.yml, line 2: This is not valid YAML"),
        ("version: '3.3'\nservices: {web: {labels: ['$']}}", "more-0.yml, line 2: .* stray"),
        ("version: '3.3'\nservices: {web: {tty: '${T:-maybe}'}}", "more-0.yml, line 2: .* true or false"),
    ],
)
def test_a_bad_overlay_is_named_with_its_line(overlay: str, words: str) -> None:
    with pytest.raises(ComposeInvalid, match=words):
        prepared(BASE.replace("/etc/shadow", "conf/app.json"), overlay)


def test_what_the_schema_refuses_is_told_and_not_merged() -> None:
    bad = "version: '3.3'\nservices: {web: {ports: many, hostname: h}, db: {image: db, foo: 1}}"

    value, problems = merged(parse(BASE, FILES, overlays=[("bad.yml", bad)]), {})

    assert [path for path, _ in problems] == [("services", "web", "ports"), ("services", "db", "foo")]
    assert all(problem.message.startswith("bad.yml, line 2: ") for _, problem in problems)
    assert "hostname" not in value["services"]["web"]


@pytest.mark.parametrize(
    "text",
    [
        "services: {a: {image: x, labels: [" + ", ".join(f"'{n}{'${A}' * 50}'" for n in range(100)) + "]}}",
        f"x-a: &a '{'${A}' * 10}'\nservices: {{a: {{image: x, labels: [{', '.join(['*a'] * 2000)}]}}}}",
    ],
)
def test_answers_can_not_blow_a_file_up(text: str) -> None:
    answers = {"A": "x" * 60_000}

    with pytest.raises(ComposeInvalid, match="passes"):
        prepared(text, answers=answers)
    found = preview(parse(text), answers, EnvironmentFacts(stack_name="shop")).problems
    assert sum("passes" in problem.message for problem in found if problem.severity is Severity.ERROR) == 1


def test_aliases_can_not_blow_a_file_up() -> None:
    text = f"x-a: &a {'y' * 1_000}\nservices: {{a: {{image: x, labels: [{', '.join(['*a'] * 90_000)}]}}}}"

    with pytest.raises(ComposeInvalid, match="passes"):
        prepared(text)


@pytest.mark.parametrize("answer", ["a\0b", "\ud800"])
def test_an_answer_that_is_no_text_is_refused(answer: str) -> None:
    with pytest.raises(UserError, match="not text") as caught:
        prepared("services: {a: {image: x, labels: ['${A}']}}", answers={"A": answer})

    assert caught.value.field == "A"
