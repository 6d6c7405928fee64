"""Timestamps of engines in any zone, and which updates were there before a deployment."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from platform_manager.swarm.updates import moment, since, told

ROLLED_BACK = {"ID": "web", "UpdateStatus": {"State": "rollback_completed", "StartedAt": "2026-11-22T10:00:01.5Z"}}


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-11-22T10:00:00.123456789Z",
        "2026-11-22T12:00:00.123456789+02:00",
        "2026-11-22T04:30:00.123456-05:30",
    ],
)
def test_a_moment_is_the_same_in_every_time_zone(stamp: str) -> None:
    assert moment(stamp) == datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC)


def test_a_moment_needs_no_fraction() -> None:
    assert moment("2026-11-22T12:00:00+02:00") == datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.mark.parametrize("stamp", ["", "yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_moment_is_none(stamp: str) -> None:
    assert moment(stamp) is None


def test_the_rollback_that_was_told_of_before_the_deployment_is_no_news() -> None:
    assert since([ROLLED_BACK], told([ROLLED_BACK])) == [{"ID": "web"}]


@pytest.mark.parametrize("began", ["2026-11-22T09:00:00Z", "2026-11-22T11:00:00Z"])
def test_another_rollback_counts_whatever_the_clock_of_the_manager_that_tells_it(began: str) -> None:
    before = told([{**ROLLED_BACK, "UpdateStatus": {"State": "completed", "StartedAt": began}}])
    assert since([ROLLED_BACK], before) == [ROLLED_BACK]


@pytest.mark.parametrize("before", [None, {}, {"other": "2026-11-22T10:00:01.5Z"}])
def test_a_rollback_that_nobody_told_of_before_counts(before: dict[str, str] | None) -> None:
    assert since([ROLLED_BACK], before) == [ROLLED_BACK]


def test_a_service_without_updates_stays_as_it_is() -> None:
    assert since([{"ID": "web"}], told([{"ID": "web"}])) == [{"ID": "web"}]
