"""Where a log begins: the browser and the lines speak of moments in one way, engines in another."""

from __future__ import annotations

import pytest

from dashboard.realtime.logs import Wish, unix_time


@pytest.mark.parametrize(
    ("stamp", "unix"),
    [
        ("2026-11-22T21:50:44.901309101Z", "1795384244.901309101"),
        ("2026-11-22T21:50:44.9Z", "1795384244.900000000"),
        ("2026-11-22T21:50:44Z", "1795384244.000000000"),
        ("1970-01-01T00:00:00Z", "0.000000000"),
        ("", None),
        ("soon", None),
        ("2026-11-22T21:50:44.x1Z", None),
        ("2026-11-22T21:50:44.²Z", None),
        ("2026-11-22T21:50:44+02:00Z", None),
    ],
)
def test_engines_take_seconds_and_nanoseconds(stamp: str, unix: str | None) -> None:
    assert unix_time(stamp) == unix


def test_a_moment_that_is_none_is_not_passed_on() -> None:
    assert Wish.of(b"stack=demo&since=yesterday").since == ""


def test_lines_to_begin_with_count_from_a_moment_too() -> None:
    wish = Wish.of(b"stack=demo&since=2026-11-22T21:50:44Z&tail=100")
    assert (wish.since, wish.tail) == ("2026-11-22T21:50:44Z", "100")


@pytest.mark.parametrize("tail", ["²", "9" * 5_000, "-1", "many"])
def test_a_number_of_lines_that_is_none_is_the_usual_one(tail: str) -> None:
    assert Wish.of(f"stack=demo&tail={tail}".encode()).tail == "200"
