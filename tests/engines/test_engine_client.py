"""The engine client: what it asks, what it understands, and what no engine can do to it."""

import asyncio
import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fake_engine import HASTY, LIMITS, PING, STREAM, FakeEngine, chunked, cut_off, endless, frame, hanging, http

from platform_manager.engines.client import (
    EngineAnswerTooLarge,
    EngineClient,
    EngineError,
    EngineUnreachable,
)

Until = Callable[[Callable[[], object]], Awaitable[None]]


async def test_the_version_is_negotiated_once(engine: FakeEngine, client: EngineClient) -> None:
    engine.answers["/info"] = http({})
    await asyncio.gather(*(client.get("/info") for _ in range(5)))
    assert [request.target.split("?")[0] for request in engine.requests].count("/_ping") == 1
    assert engine.requests[-1].target.startswith("/v1.41/info")


async def test_a_newer_engine_is_spoken_to_in_a_version_we_know(engine: FakeEngine, client: EngineClient) -> None:
    engine.answers["/_ping"] = PING.replace(b"1.41", b"1.99")
    assert await client.version() == "1.47"


async def test_an_upgraded_engine_is_negotiated_with_again(engine: FakeEngine, client: EngineClient) -> None:
    engine.answers["/info"] = http({"message": "client version 1.41 is too old"}, status=400)
    with pytest.raises(EngineError):
        await client.get("/info")
    engine.answers["/_ping"] = PING.replace(b"1.41", b"1.44")
    assert await client.version() == "1.44"


async def test_something_else_than_an_engine_is_refused(engine: FakeEngine, client: EngineClient) -> None:
    engine.answers["/_ping"] = http({})
    with pytest.raises(EngineError, match="not a Docker engine"):
        await client.get("/info")


async def test_parameters_go_out_as_docker_wants_them(engine: FakeEngine, client: EngineClient) -> None:
    engine.answers["/containers/json"] = http([])
    await client.get("/containers/json", all=True, limit=3, filters={"label": ["a=b c"]}, size=None)
    sent = parse_qs(urlsplit(engine.requests[-1].target).query)
    assert sent == {"all": ["true"], "limit": ["3"], "filters": ['{"label": ["a=b c"]}']}


async def test_a_body_goes_out_as_json_and_an_empty_answer_is_none(engine: FakeEngine, client: EngineClient) -> None:
    engine.answers["/services/create"] = http(b"", headers="X-Nothing: 1\r\n")
    assert await client.post("/services/create", {"Name": "web"}, headers={"X-Registry-Auth": "abc"}) is None
    assert engine.requests[-1].body == b'{"Name": "web"}'
    assert engine.requests[-1].headers["x-registry-auth"] == "abc"


async def test_a_refusal_carries_the_engines_own_words(engine: FakeEngine, client: EngineClient) -> None:
    engine.answers["/nodes/x"] = http({"message": "node x\nnot found " + "!" * 900}, status=404)
    with pytest.raises(EngineError) as caught:
        await client.get("/nodes/x")
    assert caught.value.status == 404
    assert not caught.value.retryable
    assert caught.value.detail.startswith("node x not found")
    assert len(caught.value.detail) == 500


async def test_a_failing_engine_is_worth_another_try(engine: FakeEngine, client: EngineClient) -> None:
    engine.answers["/info"] = http({"message": "rpc error"}, status=503)
    with pytest.raises(EngineError) as caught:
        await client.get("/info")
    assert caught.value.retryable


async def test_events_come_as_they_happen(engine: FakeEngine, client: EngineClient) -> None:
    engine.answers["/events"] = chunked(b'{"Action":"st', b'art"}\n{"Action":"die"}\r\n', b"\n")
    events = [event["Action"] async for event in client.json_lines("/events")]
    assert events == ["start", "die"]


async def test_an_upload_is_streamed_and_its_failure_told(engine: FakeEngine, client: EngineClient) -> None:
    async def archive() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 1000

    engine.answers["/images/load"] = chunked(b'{"stream":"Loaded image: a:1\\n"}\n')
    assert await client.upload("/images/load", archive(), quiet=True) == {"stream": "Loaded image: a:1\n"}
    assert engine.requests[-1].body == b"x" * 3000
    engine.answers["/images/load"] = chunked(b'{"error":"no space left on device"}\n')
    with pytest.raises(EngineError, match="no space left"):
        await client.upload("/images/load", archive())


async def test_a_download_has_no_cap(engine: FakeEngine, client: EngineClient) -> None:
    engine.answers["/images/get"] = chunked(*[b"y" * 65536] * 40)
    async with aclosing(client.download("/images/get", names=["a:1", "b:2"])) as pieces:
        assert sum([len(piece) async for piece in pieces]) == 40 * 65536 > LIMITS.answer_bytes
    assert engine.requests[-1].target.endswith("names=a%3A1&names=b%3A2")


async def test_a_command_runs_and_its_output_is_cut(engine: FakeEngine, client: EngineClient) -> None:
    engine.answers["/containers/c1/exec"] = http({"Id": "e1"})
    engine.answers["/exec/e1/start"] = STREAM + frame(1, b"hello ") + frame(2, b"world") + frame(1, b"!" * 99)
    engine.answers["/exec/e1/json"] = http({"ExitCode": 3})
    assert await client.run("c1", ["ls", "-l"], timeout=1, limit_bytes=12) == (3, b"hello world!")


async def test_a_missing_socket_is_unreachable(tmp_path: Path) -> None:
    async with EngineClient(tmp_path / "none.sock") as client:
        with pytest.raises(EngineUnreachable, match="link is down") as caught:
            await client.get("/info")
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (endless(STREAM, b'[{"Name":"x"},' * 1000), EngineAnswerTooLarge),
        (http(b"[" * 500_000), EngineAnswerTooLarge),
        (http(b"[" * 100 + b"]" * 100), EngineAnswerTooLarge),
        (http(b"[1" + b",1" * 400_000), EngineError),
        (http(b"{nonsense"), EngineError),
        (http(b'"\xff\xfe"'), EngineError),
        (http(b"9" * 10_000), EngineError),
        (http(b"", status=302, headers="Location: http://127.0.0.1/\r\n"), EngineError),
        (hanging(), EngineUnreachable),
        (hanging(STREAM + b'{"half":'), EngineUnreachable),
        (cut_off(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}"), EngineUnreachable),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", EngineUnreachable),
        (b"SSH-2.0-OpenSSH\r\n\r\n", EngineUnreachable),
        (endless(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 10_000), EngineUnreachable),
        (endless(b"HTTP/1.1 200 OK\r\n", b"X-Y: z\r\n" * 1000), EngineUnreachable),
        (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), EngineUnreachable),
    ],
    ids=[
        "endless JSON",
        "bottomless JSON",
        "deep JSON",
        "cut JSON",
        "no JSON",
        "no text",
        "huge number",
        "redirect",
        "silence",
        "silence in the middle",
        "cut in the middle",
        "bad chunk",
        "another protocol",
        "endless header",
        "endless headers",
        "endless continue",
    ],
)
async def test_a_hostile_answer_is_refused_in_time_and_memory(
    engine: FakeEngine, client: EngineClient, answer: Any, error: type[EngineError]
) -> None:
    engine.answers["/services"] = answer
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    limits = HASTY if error is EngineUnreachable else LIMITS
    async with asyncio.timeout(10), EngineClient(engine.path, limits=limits) as wary:
        await wary.version()
        with pytest.raises(error):
            await wary.get("/services")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000  # kB
    engine.answers["/services"] = http([])
    assert await client.get("/services") == []


async def test_many_tiny_values_are_refused_before_they_become_objects(engine: FakeEngine) -> None:
    engine.answers["/tasks"] = http(b"[" + b"[]," * 3_000_000 + b"[]]")
    async with EngineClient(engine.path) as client:
        with pytest.raises(EngineAnswerTooLarge, match="values"):
            await client.get("/tasks")


async def test_a_compressed_answer_is_not_unpacked(engine: FakeEngine, client: EngineClient) -> None:
    engine.answers["/info"] = http(b"\x1f\x8b bomb", headers="Content-Encoding: gzip\r\n")
    with pytest.raises(EngineError, match="not valid JSON"):
        await client.get("/info")
    assert engine.requests[-1].headers["accept-encoding"] == "identity"


async def test_text_that_no_database_takes_is_mended(engine: FakeEngine, client: EngineClient) -> None:
    engine.answers["/info"] = http(rb'{"Name": "a\ud800b\u0000c", "Smile": "\ud83d\ude00"}')
    assert await client.get("/info") == {"Name": "a\ufffdb\ufffdc", "Smile": "\U0001f600"}


async def test_an_endless_event_line_is_refused(engine: FakeEngine, client: EngineClient) -> None:
    engine.answers["/events"] = endless(STREAM, b"x" * 4096)
    async with asyncio.timeout(10):
        with pytest.raises(EngineAnswerTooLarge, match="line"):
            async for _ in client.json_lines("/events"):
                pass


async def test_a_cut_event_stream_does_not_look_like_its_end(engine: FakeEngine, client: EngineClient) -> None:
    cut = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n{"n":"one"}\n'
    engine.answers["/events"] = hanging(cut)
    with pytest.raises(EngineUnreachable):
        async for _ in client.json_lines("/events", idle=0.2):
            pass
    engine.answers["/events"] = cut_off(cut)
    with pytest.raises(EngineUnreachable):
        async for _ in client.json_lines("/events"):
            pass


async def test_an_engine_that_never_begins_its_events_is_unreachable(engine: FakeEngine) -> None:
    engine.answers["/events"] = hanging()
    async with asyncio.timeout(10), EngineClient(engine.path, limits=HASTY) as client:
        with pytest.raises(EngineUnreachable):
            async for _ in client.json_lines("/events"):
                pass


async def test_a_claimed_id_can_not_lead_elsewhere(client: EngineClient) -> None:
    for claimed in ("../secrets", "a/b", "a?b", "", "a" * 300):
        with pytest.raises(EngineError, match="can't be a name"):
            await client.run(claimed, ["true"], timeout=1, limit_bytes=1)
    for path in ("info", "/a/../b", "/a?b=c", "/a#b", "/a b"):
        with pytest.raises(ValueError, match="not a path"):
            await client.get(path)


async def test_a_cancelled_call_leaves_nothing_behind(engine: FakeEngine, client: EngineClient, until: Until) -> None:
    engine.answers["/info"] = hanging()
    await client.version()
    call = asyncio.create_task(client.get("/info"))
    await until(lambda: engine.requests[-1].path == "/info")
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    engine.answers["/info"] = http({"ok": 1})
    assert await client.get("/info") == {"ok": 1}
