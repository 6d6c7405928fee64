"""What the log socket does to lines: where it goes on after a loss, and how it waits for a slow viewer."""

from __future__ import annotations

import asyncio

import pytest

from dashboard.realtime.logs import BATCH_BYTES, Batch, Wish, after, stamp_of_last

LINES = b"2026-01-01T00:00:01.1Z one\n2026-01-01T00:00:02.2Z two\n2026-01-01T00:00:03.3Z three\n"


def test_it_goes_on_with_the_line_after_the_last_one_seen() -> None:
    assert after(LINES, b"2026-01-01T00:00:02.2Z") == b"2026-01-01T00:00:03.3Z three\n"
    assert after(LINES, b"2026-01-01T00:00:03.3Z") == b""
    assert after(LINES, b"2025") == LINES


def test_the_stamp_of_the_last_line_is_remembered() -> None:
    assert stamp_of_last(LINES) == b"2026-01-01T00:00:03.3Z"
    assert stamp_of_last(b"2026-01-01T00:00:01.1Z one\n") == b"2026-01-01T00:00:01.1Z"


@pytest.mark.parametrize(
    ("query", "tail", "since"),
    [
        (b"stack=demo", "200", ""),
        (b"stack=demo&tail=50", "50", ""),
        (b"stack=demo&tail=all", "all", ""),
        (b"stack=demo&tail=999999", "200", ""),
        (b"stack=demo&tail=-1", "200", ""),
        (b"stack=demo&since=2026-01-01T00:00:00Z", "all", "2026-01-01T00:00:00Z"),
        (b"\xff\xfe=%ff", "200", ""),
    ],
)
def test_a_wish_is_read_within_bounds(query: bytes, tail: str, since: str) -> None:
    wish = Wish.of(query)
    assert (wish.tail, wish.since) == (tail, since)


async def test_a_full_batch_makes_the_reader_wait_until_it_was_sent() -> None:
    batch = Batch()
    await batch.put(0, 1, b"x" * BATCH_BYTES)
    waiting = asyncio.create_task(batch.put(0, 2, b"late\n"))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert batch.take() == [[0, 1, "x" * BATCH_BYTES]]
    async with asyncio.timeout(5):
        await waiting
    assert batch.take() == [[0, 2, "late\n"]]


async def test_bytes_that_are_no_text_are_shown_and_break_nothing() -> None:
    batch = Batch()
    await batch.put(3, 1, b"\xff ok\n")
    assert batch.take() == [[3, 1, "\ufffd ok\n"]]
