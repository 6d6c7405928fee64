"""What is sent to bring a screen up to date, and the cache of snapshots."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from dashboard.pages import snapshot
from dashboard.pages.live import Container, Page, Screen
from dashboard.pages.services import split
from tests import factories


@dataclass(frozen=True)
class Line:
    id: str
    text: str = ""


@pytest.fixture(autouse=True)
def plain_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Container, "draw", lambda self, row: f"<{row.id} {row.text}>")


def page(*lines: Line) -> Page:
    return Page("test", "test.html", {"lines": Container("lines", "line.html", lines)})


def on_screen(*lines: Line) -> Screen:
    screen = Screen()
    screen.assume(page(*lines))
    return screen


A, B, C = Line("a"), Line("b"), Line("c")


def test_a_page_that_is_the_same_is_no_message() -> None:
    assert on_screen(A, B).changes(page(A, B)) == {}


def test_a_changed_row_is_replaced() -> None:
    assert on_screen(A, B).changes(page(A, replace(B, text="new"))) == {"replace": ["<b new>"]}


def test_rows_that_went_are_removed_and_those_at_the_end_appended() -> None:
    assert on_screen(A, B).changes(page(B, C)) == {"remove": ["a"], "append": {"lines": "<c >"}}


@pytest.mark.parametrize("lines", [(B, A), (A, C, B), ()])
def test_another_order_or_an_empty_table_is_drawn_anew(lines: tuple[Line, ...]) -> None:
    assert list(on_screen(A, B).changes(page(*lines))) == ["contents"]


def test_the_first_row_of_an_empty_table_takes_the_place_of_its_sentence() -> None:
    assert on_screen().changes(page(A)) == {"contents": {"lines": "<a >"}}


def test_the_digest_names_what_is_shown() -> None:
    assert page(A, B).digest() == page(A, B).digest()
    assert page(A, B).digest() != page(A, replace(B, text="new")).digest()


@pytest.mark.django_db
def test_a_snapshot_is_decoded_once_for_each_version() -> None:
    environment = factories.environment()
    factories.snapshot(environment, nodes=[factories.node(1)], services=[factories.service("web")])
    first = snapshot.read(environment)
    assert snapshot.read(environment).nodes is first.nodes
    factories.snapshot(environment, nodes=[factories.node(1)], services=[factories.service("api")])
    second = snapshot.read(environment)
    assert second.nodes is first.nodes, "what the next version did not change is taken over"
    assert [service.name for service in second.services] == ["api"]


@pytest.mark.django_db
def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "KEPT_ENVIRONMENTS", 2)
    environments = [factories.environment() for _ in range(3)]
    first, *_ = [snapshot.read(environment) for environment in environments]
    assert snapshot.read(environments[0]) is not first


def test_the_newest_task_of_a_slot_is_the_one_that_is() -> None:
    service = factories.service("web")
    new = factories.task(service, 1, id="new", state="starting")
    old = factories.task(service, 1, id="old", state="shutdown", desired_state="shutdown")
    failed = factories.task(service, 2, id="failed", state="failed", desired_state="shutdown")
    current, past = split([new, old, failed])
    assert [task.id for task in current] == ["new", "failed"]
    assert [task.id for task in past] == ["old"]


def test_both_tasks_are_shown_while_one_starts_before_the_other_stops() -> None:
    service = factories.service("web")
    new = factories.task(service, 1, id="new", state="preparing")
    old = factories.task(service, 1, id="old")
    assert len(split([new, old])[0]) == 2
