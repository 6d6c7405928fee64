"""docs/settings.md and the code know the same settings."""

from __future__ import annotations

import re

from tests.repository.checkout import PAGES, ROOT, text

READ = re.compile(r"environ\.[a-z_]+\(\s*\"(PM_[A-Z_]+)\"")
NAME = re.compile(r"\bPM_[A-Z][A-Z_]*")


def read_by_the_code() -> set[str]:
    files = [path for folder in ("platform_manager", "dashboard") for path in (ROOT / folder).rglob("*.py")]
    return {name for path in files for name in READ.findall(path.read_text())}


def documented() -> set[str]:
    return set(re.findall(r"^\| `(PM_[A-Z_]+)` \|", text("docs/settings.md"), re.MULTILINE))


def test_every_setting_has_a_row_and_every_row_a_setting() -> None:
    assert read_by_the_code()
    assert documented() == read_by_the_code()


def test_settings_are_read_in_one_file_only() -> None:
    assert read_by_the_code() == set(READ.findall(text("platform_manager/settings.py")))


def test_the_documentation_names_no_unknown_setting() -> None:
    of_scripts = {name for path in (ROOT / "scripts").glob("*.sh") for name in NAME.findall(path.read_text())}
    to_recipes = set(NAME.findall(text("dashboard/flows/provided.py")))
    known = read_by_the_code() | of_scripts | to_recipes
    named = {name for page in PAGES for name in NAME.findall(page.read_text())}
    assert named - known == set()
