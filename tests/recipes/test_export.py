"""A revision as a folder for plain ``docker stack deploy``: it means the same, and holds no secret."""

from pathlib import Path

import pytest
import yaml
from generated import FILES, Maker, answers, phrases
from hypothesis import given
from hypothesis import strategies as st
from oracle import MTU_OPTION, understood
from test_like_the_cli import SERVICES, cases, environment

from platform_manager.errors import UserError
from platform_manager.recipes import exported, parse

COMPOSE = """\
version: "3.8"
services:
  web:
    image: app:${TAG:-1}
    command: ["--password", "${PASSWORD}", "$$HOME"]
    environment: [PASSWORD, KEY=, "URL=http://${USER_NAME:-me}:${PASSWORD}@db", PLAIN]
    networks: [front, back]
    deploy: {replicas: "${COUNT:-1}"}
    configs: [app]
networks: {front: {external: true, name: frontend}, back: }
configs: {app: {file: ./conf/app.json}}
"""
GIVEN = {"PASSWORD": "s3cret $x 'y'", "KEY": "k3y", "COUNT": "3", "TAG": "2", "PLAIN": "p"}
SECRET = ("PASSWORD", "KEY", "COUNT", "NEVER_ASKED")
OVERLAY = "version: '3.8'\nservices: {web: {labels: ['${PASSWORD}'], image: 'app:3'}}"


def folder(**more: object) -> dict[str, bytes]:
    recipe = parse(COMPOSE, FILES, overlays=[("more.yml", OVERLAY)] if more.pop("overlay", False) else [])
    keywords = {"mtu": 1400, "stack_name": "shop", "secret_names": SECRET, **more}
    return exported(recipe, GIVEN, **keywords)  # type: ignore[arg-type]


@pytest.mark.parametrize("overlay", [False, True])
def test_with_the_secrets_set_it_means_the_same(overlay: bool, tmp_path: Path) -> None:
    made = folder(overlay=overlay)
    ours = [made[name].decode() for name in ("docker-compose.yml", "docker-compose.1.yml") if name in made]
    raw = [COMPOSE, OVERLAY] if overlay else [COMPOSE]

    found = understood(tmp_path, ours, {name: GIVEN[name] for name in SECRET if name in GIVEN}, FILES)

    assert found is not None
    assert found == understood(tmp_path, raw, environment(GIVEN), FILES)


def test_no_file_holds_a_secret_and_the_readme_names_them() -> None:
    made = folder(overlay=True)

    together = b"\n".join(made.values())
    assert b"s3cret" not in together and b"k3y" not in together
    readme = made["README.txt"].decode()
    assert "docker stack deploy -c docker-compose.yml -c docker-compose.1.yml shop\n" in readme
    assert "docker network create --driver overlay --attachable frontend\n" in readme
    assert [line.strip() for line in readme.splitlines() if line.strip() in SECRET] == ["PASSWORD", "KEY", "COUNT"]


def test_files_that_become_secrets_are_named_and_not_there() -> None:
    text = """\
services: {web: {image: x, secrets: [key, own], configs: [app]}}
secrets: {key: {file: "./conf/../keys/${NAME}.pem"}, own: {external: true, name: own}}
configs: {app: {file: ./app.json}}
"""
    overlay = "secrets: {more: {file: more.txt}}"
    files = {"keys/a.pem": b"hidden", "more.txt": b"hidden", "app.json": b"{}", "conf/x": b""}
    recipe = parse(text, files, overlays=[("more.yml", overlay)])

    made = exported(recipe, {"NAME": "a"}, mtu=1400, stack_name="shop", secret_names=())

    assert b"hidden" not in b"".join(made.values())
    assert {"app.json", "conf/x"} < set(made)
    readme = made["README.txt"].decode().splitlines()
    assert [line.strip() for line in readme if line.strip() in files] == ["keys/a.pem", "more.txt"]


def test_all_else_is_filled_in() -> None:
    value = yaml.safe_load(folder(pins={"web": "app@sha256:" + "a" * 64})["docker-compose.yml"])

    assert value["services"]["web"]["image"] == "app@sha256:" + "a" * 64
    assert value["services"]["web"]["environment"] == ["PASSWORD", "KEY=", "URL=http://me:${PASSWORD}@db", "PLAIN=p"]
    assert value["services"]["web"]["deploy"]["replicas"] == "${COUNT}"
    assert value["networks"]["back"]["driver_opts"] == {MTU_OPTION: "1400"}


def test_the_files_of_the_recipe_keep_their_names() -> None:
    recipe = parse(
        "services: {a: {image: x, env_file: docker-compose.yml}}", {"docker-compose.yml": b"A=1", "README.txt": b"r"}
    )

    made = exported(recipe, {}, mtu=1400, stack_name="", secret_names=())

    assert made["docker-compose.yml"] == b"A=1" and made["README.txt"] == b"r"
    assert b"-c stack-1.docker-compose.yml NAME" in made["stack-1.README.txt"]


def test_text_that_is_none_is_refused() -> None:
    with pytest.raises(UserError, match="not text"):
        exported(parse(COMPOSE, FILES), {"TAG": "a\0b"}, mtu=1400, stack_name="s", secret_names=())


@cases(25)
@given(st.data(), answers(), st.sets(st.sampled_from(("A", "B", "N", "K1", "K2", "K5", "YES", "A-b"))))
def test_any_file_means_the_same(
    tmp_path: Path, data: st.DataObject, given_answers: dict[str, str], names: set[str]
) -> None:
    text = Maker(data.draw, phrases).file(SERVICES)
    made = exported(parse(text, FILES), given_answers, mtu=1400, stack_name="", secret_names=names)

    secrets = {name: given_answers[name] for name in names if given_answers.get(name)}
    found = understood(tmp_path, [made["docker-compose.yml"].decode()], secrets, FILES)

    assert found == understood(tmp_path, [text], environment(given_answers), FILES), text
