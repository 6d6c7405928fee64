"""Timestamps of engines: a swarm's are in UTC, an engine's own clock is in the zone of its machine."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from platform_manager.swarm.updates import moment, since

ROLLED_BACK = {"UpdateStatus": {"State": "rollback_completed", "StartedAt": "2026-11-22T10:00:01.5Z"}}


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


@pytest.mark.parametrize(
    "clock", ["2026-11-22T10:00:00.1Z", "2026-11-22T12:00:00.1+02:00", "2026-11-22T02:00:00.1-08:00"]
)
def test_a_rollback_after_the_deployment_counts_whatever_the_zone_of_the_manager(clock: str) -> None:
    assert since([ROLLED_BACK], clock) == [ROLLED_BACK]


def test_a_rollback_before_the_deployment_is_no_news_whatever_the_zone_of_the_manager() -> None:
    assert since([ROLLED_BACK], "2026-11-22T02:00:02.1-08:00") == [{}]
