"""The deploy form's way to make an external network the stack's own, which changes nothing else of the file."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "static" / "js" / "own_network.js"
BEFORE = """version: "3.8"
services:
  web:
    networks:
      front:
        aliases: [web]
"""


def changed(tmp_path: Path, compose: str, name: str) -> str:
    (tmp_path / "own_network.mjs").write_text(SCRIPT.read_text())
    words = ", ".join(json.dumps(word) for word in (compose, name))
    code = f"import {{ withOwnNetwork }} from './own_network.mjs'; process.stdout.write(withOwnNetwork({words}))"
    done = subprocess.run(
        ["node", "--input-type=module", "-e", code], cwd=tmp_path, capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("  front:\n    external: true\n", "  front:\n    attachable: true\n"),
        ("  front:\n    external:\n      name: f-1\n    # why\n", "  front:\n    attachable: true\n    # why\n"),
        ("  'front':\n    external: true\n", "  'front':\n    attachable: true\n"),
        ("  front: {external: true}\n", "  front: {attachable: true}\n"),
        ("  front: {external: {name: f-1}, internal: true}\n", "  front: {attachable: true, internal: true}\n"),
        ("  back:\n    external: true\n", "  back:\n    external: true\n"),
        ("# all\n  front:\n\n    external: true\n", "# all\n  front:\n\n    attachable: true\n"),
        (
            "  front:\n    name: f-1\n    external: true\n  back:\n    external: true\n",
            "  front:\n    name: f-1\n    attachable: true\n  back:\n    external: true\n",
        ),
    ],
)
def test_only_the_network_is_changed(tmp_path: Path, given: str, wanted: str) -> None:
    after = "volumes:\n  front:\n    external: true\n"
    made = changed(tmp_path, f"{BEFORE}networks:\n{given}{after}", "front")
    assert made == f"{BEFORE}networks:\n{wanted}{after}"
