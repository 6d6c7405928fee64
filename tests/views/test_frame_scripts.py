"""The parts of the log scripts that need no page: filters, levels, fields, colours and the buffer."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / "static" / "js" / "log"


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The modules under a name that Node takes for modules."""
    folder = tmp_path_factory.mktemp("log")
    for script in SCRIPTS.glob("*.js"):
        shutil.copy(script, folder / script.name.replace(".js", ".mjs"))
    return folder


def run(modules: Path, module: str, names: str, expression: str) -> Any:
    code = f"import {{ {names} }} from './{module}.mjs'; process.stdout.write(JSON.stringify({expression}) ?? 'null')"
    done = subprocess.run(
        ["node", "--input-type=module", "-e", code], cwd=modules, capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


LINES = ["GET /health 200", "ERROR no route", "GET /api 500 slow", "say a b now"]


@pytest.mark.parametrize(
    ("terms", "invert", "kept"),
    [
        ("", False, [0, 1, 2, 3]),
        ("", True, [0, 1, 2, 3]),
        ("get", False, [0, 2]),
        ("get 500", False, [2]),
        ("get !health", False, [2]),
        ("/[45]00/", False, [2]),
        ("!/^GET/", False, [1, 3]),
        ('"a b"', False, [3]),
        ('"no route"', False, [1]),
        ("get slow", True, [0, 1, 3]),
    ],
)
def test_filters(modules: Path, terms: str, invert: bool, kept: list[int]) -> None:
    call = f"(l => l.flatMap((t, n) => parseFilter({json.dumps(terms)}, {str(invert).lower()})(t) ? [n] : []))"
    found = run(modules, "filter", "parseFilter", f"{call}({json.dumps(LINES)})")
    assert found == kept


def test_a_bad_expression_is_said_in_words(modules: Path) -> None:
    said = run(modules, "filter", "parseFilter", "parseFilter('/[/', false).message")
    assert said.startswith("/[/ is not a regular expression")


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("2026 ERROR no route", "error"),
        ("[WARN] slow", "warning"),
        ("INFO: ready", "info"),
        ("DBG x", "debug"),
        ("GET /errors 200", ""),
        ('{"level":"warn","msg":"an error word"}', "warning"),
        ('{"level":50,"msg":"x"}', "error"),
        ("\x1b[31mERROR\x1b[0m x", "error"),
    ],
)
def test_levels(modules: Path, line: str, level: str) -> None:
    assert run(modules, "read", "levelOf", f"levelOf({json.dumps(line)})") == level


def test_json_lines_give_message_and_fields(modules: Path) -> None:
    line = json.dumps({"level": "info", "ts": 1, "msg": "served", "path": "/a", "took": {"ms": 3}})
    found = run(modules, "read", "fields", f"fields({json.dumps(line)})")
    assert found == {"message": "served", "rest": [["path", "/a"], ["took", '{"ms":3}']], "level": "info"}


@pytest.mark.parametrize("line", ["{broken", '{"a": ', "[1]", "plain", "{}}"])
def test_what_is_no_json_object_stays_as_it_is(modules: Path, line: str) -> None:
    assert run(modules, "read", "fields", f"fields({json.dumps(line)})") is None


def test_colour_escapes_become_classes_and_others_vanish(modules: Path) -> None:
    line = "\x1b[1;32mready\x1b[0m in\x1b[2K 3 ms"
    assert run(modules, "read", "runs", f"runs({json.dumps(line)})") == [
        ["ansi-2 ansi-bold", "ready"],
        ["", " in"],
        ["", " 3 ms"],
    ]


def test_the_buffer_is_bounded_and_numbers_stay(modules: Path) -> None:
    code = (
        "(() => { const b = new Buffer(100); for (let n = 0; n < 1000; n++) b.push({});"
        " return [b.entries.length <= 125, b.end, b.get(b.first).n === b.first, b.get(999).n]; })()"
    )
    assert run(modules, "buffer", "Buffer", code) == [True, 1000, True, 999]
