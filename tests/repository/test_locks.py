"""Pins: complete, consistent, and without addresses."""

from __future__ import annotations

import json
import re
import tomllib

import pytest

from tests.repository.checkout import text

PIN = re.compile(r"[a-z0-9][a-z0-9.-]*==[0-9][\w.+!]*")
BASE, DEV = "requirements/base.txt", "requirements/dev.txt"


def pins(name: str) -> dict[str, str]:
    return dict(line.split("==") for line in text(name).splitlines() if line)


@pytest.mark.parametrize("name", [BASE, DEV])
def test_a_pin_is_a_name_and_a_version(name: str) -> None:
    assert [line for line in text(name).splitlines() if not PIN.fullmatch(line)] == []


def test_developing_uses_the_versions_that_run() -> None:
    assert pins(BASE).items() <= pins(DEV).items()


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads(text("pyproject.toml"))["project"]

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[\[~=<>!; ]", word)[0].lower().replace("_", "-") for word in requirements}

    assert names(project["dependencies"]) <= pins(BASE).keys()
    assert names(project["optional-dependencies"]["dev"]) <= pins(DEV).keys()


def test_the_browsers_files_are_pinned_without_addresses() -> None:
    lock = json.loads(text("package-lock.json"))
    wanted = json.loads(text("package.json"))["dependencies"]
    assert lock["packages"][""]["dependencies"] == wanted
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    assert "resolved" not in text("package-lock.json")
