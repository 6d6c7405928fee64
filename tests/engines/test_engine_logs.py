"""Logs: whole lines in order, told apart by stream, whatever way the bytes are cut."""

import asyncio
from contextlib import aclosing
from time import process_time

import pytest
from fake_engine import HASTY, FakeEngine, chunked, cut_off, endless, frame, hanging

from platform_manager.engines.client import (
    EngineAnswerTooLarge,
    EngineClient,
    EngineError,
    EngineUnreachable,
)
from platform_manager.engines.logs import LogParser, Run, TerminalParser

STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n"


def merged(batches: list[list[Run]]) -> list[Run]:
    """Neighbouring runs of one stream as one: how reads were cut must not matter."""
    runs: list[Run] = []
    for stream, data in [run for batch in batches for run in batch]:
        assert data.endswith(b"\n")
        if runs and runs[-1][0] == stream:
            runs[-1] = (stream, runs[-1][1] + data)
        else:
            runs.append((stream, data))
    return runs


def test_lines_of_a_stream_are_joined_and_streams_told_apart() -> None:
    data = frame(1, b"t1 a\n") + frame(1, b"t2 b\n") + frame(2, b"t3 c\n") + frame(1, b"t4 d\n")
    assert LogParser(65536, 1).feed(data) == [(1, b"t1 a\nt2 b\n"), (2, b"t3 c\n"), (1, b"t4 d\n")]


def test_a_broken_line_is_mended_even_with_another_stream_between() -> None:
    data = frame(1, b"t1 long ") + frame(2, b"t2 err\n") + frame(1, b"t1 li") + frame(1, b"t1 ne\n")
    assert LogParser(65536, 1).feed(data) == [(2, b"t2 err\n"), (1, b"t1 long line\n")]


def test_details_of_a_continuation_are_dropped_too() -> None:
    data = frame(1, b"t1 node=a,task=b one ") + frame(1, b"t2 node=a,task=b two\n")
    assert LogParser(65536, 2).feed(data) == [(1, b"t1 node=a,task=b one two\n")]


def test_without_timestamps_a_continuation_is_kept_whole() -> None:
    assert LogParser(65536, 0).feed(frame(1, b"a b ") + frame(1, b"c d\n")) == [(1, b"a b c d\n")]


def test_the_last_line_may_lack_its_newline() -> None:
    parser = LogParser(65536, 1)
    assert parser.feed(frame(2, b"t1 died")) == []
    assert parser.finish() == [(2, b"t1 died\n")]
    assert parser.finish() == []


def test_cut_at_every_byte_it_is_the_same_log() -> None:
    data = (
        frame(1, b"t1 a\n")
        + frame(1, b"")
        + frame(2, b"t2 par")
        + frame(1, b"t3 b\n")
        + frame(2, b"t2 tial\n")
        + frame(1, b"\n")
    )
    whole = LogParser(65536, 1).feed(data)
    for cut in range(len(data) + 1):
        parser = LogParser(65536, 1)
        batches = [parser.feed(data[:cut]), parser.feed(data[cut:]), parser.finish()]
        assert merged(batches) == merged([whole])
    parser = LogParser(65536, 1)
    assert merged([parser.feed(data[at : at + 1]) for at in range(len(data))]) == merged([whole])


def test_a_line_without_end_is_cut() -> None:
    parser = LogParser(1000, 0)
    batches = [parser.feed(frame(1, b"x" * 400)) for _ in range(9)]
    assert [len(data) for batch in batches for _, data in batch] == [1201, 1201, 1201]


def test_a_terminal_has_lines_but_no_frames() -> None:
    data = b"t1 a\r\nt2 b\r\n$ "
    for cut in range(len(data) + 1):
        parser = TerminalParser(65536)
        batches = [parser.feed(data[:cut]), parser.feed(data[cut:]), parser.finish()]
        assert merged(batches) == [(1, b"t1 a\r\nt2 b\r\n$ \n")]


def test_a_terminal_line_without_end_is_cut() -> None:
    parser = TerminalParser(1000)
    assert parser.feed(b"x" * 999) == []
    assert parser.feed(b"y") == [(1, b"x" * 999 + b"y\n")]


def test_an_engine_that_can_not_read_its_log_says_so() -> None:
    with pytest.raises(EngineError, match="disk on fire"):
        LogParser(65536, 1).feed(frame(3, b"disk on fire"))


def test_parsing_keeps_far_ahead_of_any_engine() -> None:
    lines = 200_000
    line = frame(1, b"2026-01-01T00:00:00.000000000Z " + b"x" * 150 + b"\n")
    data = line * lines
    parser = LogParser(65536, 1)
    started = process_time()
    runs = [parser.feed(data[at : at + 65536]) for at in range(0, len(data), 65536)]
    seconds = process_time() - started
    assert sum(text.count(b"\n") for batch in runs for _, text in batch) == lines
    assert lines / seconds > 300_000


async def test_logs_come_in_batches(engine: FakeEngine, client: EngineClient) -> None:
    engine.answers["/containers/c1/logs"] = chunked(frame(1, b"t a\n") + frame(2, b"t b\n"), frame(2, b"t c"))
    runs = [run async for batch in client.container_logs("c1", tty=False, follow=True, tail=5) for run in batch]
    assert runs == [(1, b"t a\n"), (2, b"t b\n"), (2, b"t c\n")]
    target = engine.requests[-1].target
    assert "follow=true" in target
    assert "tail=5" in target
    assert "timestamps=true" in target


async def test_logs_of_terminals(engine: FakeEngine, client: EngineClient) -> None:
    engine.answers["/containers/c1/logs"] = chunked(b"t a\r\n")
    batches = [batch async for batch in client.container_logs("c1", tty=True, since="1.5")]
    assert batches == [[(1, b"t a\r\n")]]
    assert "since=1.5" in engine.requests[-1].target


async def test_a_giant_frame_is_refused_unread(engine: FakeEngine, client: EngineClient) -> None:
    engine.answers["/containers/c1/logs"] = endless(STREAM + b"\1\0\0\0\xff\xff\xff\xff", b"x" * 65536)
    async with asyncio.timeout(10):
        with pytest.raises(EngineAnswerTooLarge, match="4294967295"):
            async for _ in client.container_logs("c1", tty=False):
                pass


async def test_a_log_cut_in_the_middle_does_not_look_like_its_end(engine: FakeEngine, client: EngineClient) -> None:
    cut = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n" + frame(1, b"t a\n") + b"\r\n"
    engine.answers["/containers/c1/logs"] = cut_off(cut)
    seen = []
    with pytest.raises(EngineUnreachable):
        async for batch in client.container_logs("c1", tty=False):
            seen += batch
    assert seen == [(1, b"t a\n")]


async def test_a_reader_that_stops_stops_the_engine(engine: FakeEngine, client: EngineClient) -> None:
    engine.answers["/containers/c1/logs"] = endless(STREAM, frame(1, b"x" * 999 + b"\n") * 64)
    async with aclosing(client.container_logs("c1", tty=False)) as batches:
        first = await anext(batches)
        assert first
        (writer,) = engine.writers
        waiting = [0]
        async with asyncio.timeout(10):
            while waiting[-2:] != [waiting[-1]] * 2 or not waiting[-1]:
                await asyncio.sleep(0.1)
                waiting.append(writer.transport.get_write_buffer_size())


async def test_a_silent_log_may_be_silent(engine: FakeEngine) -> None:
    engine.answers["/containers/c1/logs"] = hanging(STREAM)
    client = EngineClient(engine.path, limits=HASTY)
    async with client, aclosing(client.container_logs("c1", tty=False, follow=True)) as batches:
        waiting = asyncio.ensure_future(anext(batches))
        done, _ = await asyncio.wait([waiting], timeout=HASTY.answer_seconds + 0.3)
        assert not done
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
