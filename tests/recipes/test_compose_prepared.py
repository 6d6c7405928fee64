"""What is handed to the CLI means the same as the recipe, and nothing can steer the CLI through it."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from oracle import MTU_OPTION, stack_config, without_mtu
from samples import ACCEPTED, FILES

from platform_manager.recipes import ComposeInvalid, Prepared, parse, prepare, variables

ANSWERS = {
    "TAG": "2.0-β",
    "GREETING": 'it\'s "quoted" $HOME ${X} # no: comment\nsecond line',
    "FROM_OUTSIDE": "outside value",
    "EMPTY": "filled",
    "A": "{{.Node.Hostname}}",
    "B": "",
    "REPLICAS": "5",
    "NOTHING": "something",
    "HOST": "a.example.org",
}
PROVIDED = {"STACK_NAME": "shop", "DOCKER_MTU": "1400"}
BUILTIN = Path(__file__).parents[2] / "platform_manager" / "recipes" / "builtin"


def prepared(text: str, answers: dict[str, str] | None = None, files: dict[str, bytes] | None = None) -> Prepared:
    return prepare(parse(text, files or {}), answers or {}, mtu=1400, stack_name="shop")


def options(text: str, network: str = "default") -> dict[str, Any]:
    found = yaml.safe_load(prepared(text).compose)["networks"][network]["driver_opts"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("name", ACCEPTED)
@pytest.mark.parametrize("answers", [{}, ANSWERS])
def test_it_means_the_same_to_the_cli(name: str, answers: dict[str, str], tmp_path: Path) -> None:
    given = {key: value for key, value in answers.items() if value}
    wanted, _ = stack_config(tmp_path, ACCEPTED[name], {**PROVIDED, **given}, FILES)
    ready = prepared(ACCEPTED[name], answers, FILES)

    found, said = stack_config(tmp_path, ready.compose, {}, ready.files)

    assert wanted is not None and found is not None, said
    assert without_mtu(found) == without_mtu(wanted)


@pytest.mark.parametrize("path", sorted(BUILTIN.glob("*/docker-compose.yml")), ids=lambda path: path.parent.name)
def test_our_own_recipes_mean_the_same_to_the_cli(path: Path, tmp_path: Path) -> None:
    near = (file for file in path.parent.rglob("*") if file.is_file() and file.name not in (path.name, "recipe.yml"))
    files = {str(file.relative_to(path.parent)): file.read_bytes() for file in near}
    recipe = parse(path.read_text(), files)
    answers = {found.name: str(8100 + n) for n, found in enumerate(variables(recipe))}
    ready = prepare(recipe, answers, mtu=1400, stack_name="shop")
    wanted, _ = stack_config(tmp_path, recipe.text, {**PROVIDED, **answers}, files)

    found, said = stack_config(tmp_path, ready.compose, {}, files)

    assert wanted is not None and found is not None, said
    assert without_mtu(found) == without_mtu(wanted)


def test_answers_are_filled_in_and_no_variable_is_left() -> None:
    answers = {"DOCKER_HOST": "tcp://evil", "USED": "1", "BLANK": "", "SHELL": "$HOME ${X:-y}"}

    text = prepared("services: {a: {image: 'x:${USED}', labels: ['${DOCKER_HOST}', '${BLANK}', '${SHELL}']}}", answers)

    service = yaml.safe_load(text.compose)["services"]["a"]
    assert service == {"image": "x:1", "labels": ["tcp://evil", "", "$$HOME $${X:-y}"]}


def test_what_the_platform_knows_is_provided_unless_answered() -> None:
    text = "services: {a: {image: x, labels: ['${STACK_NAME}-${DOCKER_MTU:-1500}']}}"

    assert "shop-1400" in prepared(text).compose
    assert "shop-9000" in prepared(text, {"DOCKER_MTU": "9000"}).compose


def test_the_implicit_network_gets_the_mtu() -> None:
    assert options("services: {a: {image: x}}") == {MTU_OPTION: "1400"}
    assert options("services: {a: {image: x}}\nnetworks: {default: }") == {MTU_OPTION: "1400"}


def test_a_network_keeps_its_own_mtu_and_other_options() -> None:
    text = "services: {a: {image: x, networks: [n]}}\nnetworks: {n: {driver_opts: {%s}}}"

    assert options(text % f"{MTU_OPTION}: 1300", "n") == {MTU_OPTION: 1300}
    assert options(text % "encrypted: ''", "n") == {"encrypted": "", MTU_OPTION: "1400"}


@pytest.mark.parametrize(
    "network",
    ["{external: true}", "{external: {name: other}}", "{driver: macvlan}", "{external: '${YES:-true}'}"],
)
def test_other_networks_are_left_alone(network: str) -> None:
    text = f"version: '3.4'\nservices: {{a: {{image: x, networks: [n]}}}}\nnetworks: {{n: {network}, unused: }}"

    assert MTU_OPTION not in prepared(text).compose


def test_an_option_shared_by_an_alias_is_not_written_elsewhere() -> None:
    value = yaml.safe_load(prepared(ACCEPTED["anchors and merges"]).compose)

    assert value["networks"]["shared"]["driver_opts"] == {"foo": "bar", MTU_OPTION: "1400"}
    assert value["volumes"]["v"]["driver_opts"] == {"foo": "bar"}


@pytest.mark.parametrize(
    ("extra", "version"), [("", "3.8"), ("cgroupns_mode: host", "3.9"), ("oom_score_adj: 1", "3.13")]
)
def test_a_missing_version_is_added_as_old_as_can_be(extra: str, version: str) -> None:
    assert yaml.safe_load(prepared(f"services: {{a: {{image: x, {extra}}}}}").compose)["version"] == version


@pytest.mark.parametrize("file", ["/etc/hostname", "../secret", "conf/../../x", "~/x", "missing", "${F}"])
def test_no_file_but_the_recipe_s_own_is_ever_read(file: str) -> None:
    text = f"services: {{a: {{image: x}}}}\nsecrets: {{s: {{file: '{file}'}}}}"

    with pytest.raises(ComposeInvalid, match="the recipe has no file"):
        prepared(text, {"F": "/etc/shadow"}, FILES)


def test_files_are_handed_over_by_their_clean_path() -> None:
    text = "services: {a: {image: x}}\nconfigs: {s: {file: ./conf/../conf/app.json}}"

    assert prepared(text, files={"./conf/app.json": b"1", "other": b"2"}).files == {"conf/app.json": b"1"}
