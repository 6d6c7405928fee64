"""Addresses that another program listens at: the process ends with a sentence that says which, and what to do."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import lab


@pytest.fixture
def taken() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("command", "setting", "for_the_demo"),
    [
        ("platform", "PM_LISTEN", "PORT"),
        ("platform", "PM_HUB_LISTEN", "HUB_PORT"),
        ("hub", "PM_HUB_LISTEN", "HUB_PORT"),
    ],
)
def test_a_taken_address_is_told_in_a_sentence(
    taken: str, command: str, setting: str, for_the_demo: str, tmp_path: Path
) -> None:
    free = {"PM_LISTEN": "127.0.0.1:0", "PM_HUB_LISTEN": "127.0.0.1:0"}
    own = {"PM_VAR": str(tmp_path), "PM_SOCKETS": str(tmp_path / "s"), "PM_DATABASE_URL": lab.test_database_url()}
    run = subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=lab.ROOT,
        env={**os.environ, **own, **free, setting: taken},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 1
    assert run.stderr == (
        f"CommandError: Can't listen at {taken}: Address already in use. "
        f"Stop what uses it, or choose another with {setting} (make demo: {for_the_demo}).\n"
    )
