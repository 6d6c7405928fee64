"""Filters and elements of the templates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.template import Context, Template
from django.utils import timezone

from dashboard.models import Host, HostState
from dashboard.pages import looks
from dashboard.templatetags import platform
from tests import factories


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (4_136_000_000, "3.9 GiB"),
        (5 * 1024**4, "5.0 TiB"),
        (None, ""),
    ],
)
def test_sizes_have_units(size: float | None, shown: str) -> None:
    assert platform.as_bytes(size) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "<1 s"), (0.9, "<1 s"), (1, "1 s"), (59, "59 s"), (65, "1 min 5 s"), (3_600, "1 h"), (90_061, "1 d 1 h")],
)
def test_durations_use_two_units(seconds: float, shown: str) -> None:
    assert platform.duration(timedelta(seconds=seconds)) == shown


def test_a_time_is_relative_with_the_absolute_on_hover() -> None:
    html = platform.when(timezone.now() - timedelta(minutes=7))
    assert ">7 min ago</time>" in html
    assert "data-relative" in html
    assert "UTC" in html


def test_an_engines_time_and_its_never_are_understood() -> None:
    assert looks.moment("2026-11-22T18:00:05.123456789Z") == datetime(2026, 11, 22, 18, 0, 5, 123456, UTC)
    assert looks.moment("0001-01-01T00:00:00Z") is None
    assert looks.moment("soon") is None
    assert "never" in platform.when("0001-01-01T00:00:00Z")


def test_a_state_has_a_word_a_dot_and_a_colour() -> None:
    html = Template("{% load platform %}{% state host announce='fw-01' %}").render(
        Context({"host": Host(name="fw-01", state=HostState.JOINING)})
    )
    assert "Joining" in html
    assert "status-azure" in html
    assert "status-dot-animated" in html
    assert 'data-announce="fw-01"' in html


@pytest.mark.parametrize(
    ("state", "colour"),
    [
        ("preparing", "azure"),
        ("pending", "yellow"),
        ("running", "green"),
        ("rejected", "red"),
        ("shutdown", "secondary"),
    ],
)
def test_tasks_have_four_colours_and_grey(state: str, colour: str) -> None:
    task = factories.task(factories.service("web"), state=state)
    assert looks.task_badge(task, away=False).colour == colour


def test_a_running_clock_says_since_when() -> None:
    started = timezone.now() - timedelta(seconds=65)
    running = SimpleNamespace(started_at=started, finished_at=None, elapsed=timedelta(seconds=65))
    assert "data-elapsed-since" in platform.elapsed(running)
    over = SimpleNamespace(started_at=started, finished_at=started, elapsed=timedelta(seconds=65))
    assert "data-elapsed-since" not in platform.elapsed(over)
