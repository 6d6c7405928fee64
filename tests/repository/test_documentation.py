"""The documentation holds what it promises: commands, links, pictures, kinds and states."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dashboard.models.states import HostState, MachineState, MemberRole, OperationState, StackState, StepState
from dashboard.operations import catalogue, kinds
from tests.repository.checkout import PAGES, ROOT, text

LINK = re.compile(r"\]\(([^)\s]+)\)")
MAKE = re.compile(r"(?:`|^)make ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)*)", re.MULTILINE)
each_page = pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])


def links(page: Path) -> list[str]:
    return [link for link in LINK.findall(page.read_text()) if "://" not in link]


def anchors(page: Path) -> set[str]:
    """Headings as they appear in links."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def rows(page: str) -> set[str]:
    """The first cells of all tables."""
    return set(re.findall(r"^\| ([^|]+?) \|", text(page), re.MULTILINE))


@each_page
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", text("Makefile"), re.MULTILINE))
    named = {found.split()[0] for found in MAKE.findall(page.read_text())}
    assert named <= targets


def test_the_readme_names_the_two_commands() -> None:
    assert {"make demo", "make test"} <= {f"make {found.split()[0]}" for found in MAKE.findall(text("README.md"))}


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_is_linked_from_the_readme() -> None:
    linked = {(ROOT / link.partition("#")[0]).resolve() for link in links(ROOT / "README.md")}
    assert [page.name for page in PAGES if page.name != "README.md" and page not in linked] == []


def test_every_picture_is_shown_somewhere() -> None:
    shown = {(page.parent / link).resolve() for page in PAGES for link in links(page)}
    assert [path.name for path in (ROOT / "docs" / "images").iterdir() if path not in shown] == []


def test_every_script_that_is_named_exists() -> None:
    named = {name for page in PAGES for name in re.findall(r"\bscripts/[\w-]+\.sh", page.read_text())}
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_every_kind_of_operation_is_described() -> None:
    catalogue.load()
    assert {f"`{kind.name}`" for kind in kinds.all_kinds()} <= rows("docs/operations.md")


@pytest.mark.parametrize("states", [HostState, MachineState, StackState, OperationState])
def test_every_state_word_is_explained(states: type[HostState | MachineState | StackState | OperationState]) -> None:
    assert set(states.labels) <= rows("docs/users.md")


def test_every_role_and_step_word_is_named() -> None:
    words = text("docs/users.md").lower()
    assert [label for label in (*MemberRole.labels, *StepState.labels) if label.lower() not in words] == []
