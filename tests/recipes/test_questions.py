"""Variables, answers and ``.env`` files."""

from pathlib import Path

import pytest
import yaml
from oracle import stack_config

from platform_manager.errors import UserError
from platform_manager.recipes import SubstitutionError, interpolate, parse, parse_env, variables

ANSWERS = {"A": "a", "SPACED": "x y", "DOLLAR": "$A", "BLANK": ""}
# What the CLI makes of each, with these answers.
TEXTS = {
    "$A ${A} $$A $${A}": "a a $A ${A}",
    "${BLANK:-d}|${BLANK-d}|${GONE:-d}|${GONE-d}|${GONE}": "d|d|d|d|",
    "${A:-d}|${A-d}|${A:?e}|${A?e}": "a|a|a|a",
    "${GONE:-with space: 'and' \"quotes\"}": "with space: 'and' \"quotes\"",
    "${GONE:-${A}}": "${A}",
    "${A-b:-c}": "c",
    "${A?x-y}": "y",
    "$DOLLAR$SPACED": "$Ax y",
    "$Aé": "aé",
    "{{.Task.Slot}} {A} A": "{{.Task.Slot}} {A} A",
    "${GONE?say} ${A}": " a",
}


@pytest.mark.parametrize("text", TEXTS)
def test_interpolation(text: str) -> None:
    assert interpolate(text, ANSWERS) == TEXTS[text]


def test_interpolation_is_the_cli_s(tmp_path: Path) -> None:
    environment = {f"K{n}": text for n, text in enumerate(TEXTS)}
    file = yaml.safe_dump({"services": {"a": {"image": "x", "environment": environment}}})

    value, said = stack_config(tmp_path, file, {name: text for name, text in ANSWERS.items() if text})

    assert value is not None, said
    assert list(value["services"]["a"]["environment"].values()) == [
        TEXTS[environment[key]] for key in value["services"]["a"]["environment"]
    ]


@pytest.mark.parametrize(
    "text", ["$", "a$", "${A", "${A:b}", "${}", "$1", "${ A}", "${GONE:?e}", "${GONE?e}", "${BLANK:?e}"]
)
def test_what_the_cli_refuses_to_interpolate(text: str) -> None:
    with pytest.raises(SubstitutionError):
        interpolate(text, ANSWERS)


def test_questions_come_with_default_requirement_and_place() -> None:
    recipe = parse(
        """\
services:
  web:
    image: app:${TAG:-1.0}
    labels: ["$$NOT", "${TAG}", "${DB_PASSWORD:?the password of the database}", "${PLAIN}"]
    environment: [BARE, "SET=1", "EMPTY="]
  db: {image: "db${TAG}", environment: {ALSO_BARE: , SET: 1}}
networks: {n: {name: "${NET-backend}"}}
x-note: {"${KEYS_ARE_NOT}": "${EXTENSIONS_ARE}"}
"""
    )

    found = {question.name: question for question in variables(recipe)}

    assert list(found) == ["TAG", "DB_PASSWORD", "PLAIN", "NET", "EXTENSIONS_ARE", "BARE", "ALSO_BARE"]
    assert (found["TAG"].default, found["TAG"].required) == ("1.0", False)
    assert found["TAG"].mentions == ["services.web.image", "services.web.labels[1]", "services.db.image"]
    assert found["DB_PASSWORD"].required
    assert found["DB_PASSWORD"].error_message == "the password of the database"
    assert (found["PLAIN"].default, found["PLAIN"].required) == (None, False)
    assert found["NET"].default == "backend"


def test_env_files_as_people_write_them() -> None:
    text = "\ufeff# comment\r\n\r\nA=1\r\nexport B = two words # comment\nC='lit $A \\n'\n"
    text += 'D="q \\"x\\"\\n# kept"\nE=\nF=a=b#c\nA=2\nG= # fill in\nH=#1\nI =  x \n'

    assert parse_env(text) == {
        "A": "2",
        "B": "two words",
        "C": "lit $A \\n",
        "D": 'q "x"\n# kept',
        "E": "",
        "F": "a=b#c",
        "G": "",
        "H": "#1",
        "I": "x",
    }


def test_only_line_ends_end_a_line_of_an_env_file() -> None:
    assert parse_env("A=a\u2028b\x0cc\r\nB=d\re=f") == {"A": "a\u2028b\x0cc", "B": "d", "e": "f"}


@pytest.mark.parametrize("line", ["no equals", "=x", "1A=x", 'A="open', "A='x' y"])
def test_a_bad_line_of_an_env_file_is_named(line: str) -> None:
    with pytest.raises(UserError, match=r"^Line 2: ") as caught:
        parse_env(f"A=1\n{line}\n")

    assert caught.value.field == "env"
