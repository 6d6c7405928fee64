"""Every package and module is under an import contract, and every model has its migration."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tests.repository.checkout import ROOT, text

# Where Django starts, and generated code.
OUTSIDE = {
    "platform_manager.asgi",
    "platform_manager.settings",
    "platform_manager.urls",
    "dashboard.apps",
    "dashboard.migrations",
}
# What knows Django, besides.
JOINTS = {"platform_manager.accounts", "platform_manager.wiring"}


def contracts(kind: str) -> list[dict[str, Any]]:
    found = tomllib.loads(text("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    return [contract for contract in found if contract["type"] == kind]


def members(root: str) -> set[str]:
    """The packages and modules right below a package."""
    folder = ROOT / root.replace(".", "/")
    folders = {path.parent.name for path in folder.glob("*/*.py")}
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    return {f"{root}.{name}" for name in folders | modules}


def layered() -> set[str]:
    layers = (layer for contract in contracts("layers") for layer in contract["layers"])
    return {name for layer in layers for name in re.split(r"\s*[|:]\s*", layer)}


@pytest.mark.parametrize("root", ["platform_manager", "dashboard", "dashboard.operations"])
def test_every_package_and_module_has_its_layer(root: str) -> None:
    assert members(root) - OUTSIDE == {name for name in layered() if name.rpartition(".")[0] == root}


def test_all_of_the_core_is_kept_from_django() -> None:
    (contract,) = contracts("forbidden")
    assert {"django", "dashboard"} <= set(contract["forbidden_modules"])
    assert members("platform_manager") - OUTSIDE - JOINTS == set(contract["source_modules"])


@pytest.mark.parametrize("folder", ["platform_manager", "dashboard"])
def test_every_folder_with_code_is_a_package(folder: str) -> None:
    folders: set[Path] = {path.parent for path in (ROOT / folder).rglob("*.py")}
    assert [str(path.relative_to(ROOT)) for path in folders if not (path / "__init__.py").exists()] == []


@pytest.mark.django_db
def test_no_model_lacks_a_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
