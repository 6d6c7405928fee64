"""The embedded channel layer: one process, many threads."""

from __future__ import annotations

import asyncio
import threading

from dashboard.realtime.layer import CAPACITY, EmbeddedLayer


async def test_a_group_is_told_from_another_thread() -> None:
    layer = EmbeddedLayer()
    channel = await layer.new_channel()
    await layer.group_add("g", channel)
    thread = threading.Thread(target=layer.group_send_at_once, args=("g", {"type": "changed"}))
    thread.start()
    async with asyncio.timeout(5):
        assert await layer.receive(channel) == {"type": "changed"}
    thread.join()


async def test_a_full_channel_drops_and_never_grows() -> None:
    layer = EmbeddedLayer()
    channel = await layer.new_channel()
    await layer.group_add("g", channel)
    for n in range(CAPACITY * 3):
        layer.group_send_at_once("g", {"n": n})
    got = [await layer.receive(channel) for _ in range(CAPACITY)]
    assert [message["n"] for message in got] == list(range(CAPACITY))
    await layer.group_send("g", {"n": "last"})
    assert await layer.receive(channel) == {"n": "last"}


async def test_who_left_is_not_told_and_leaves_nothing_behind() -> None:
    layer = EmbeddedLayer()
    staying, leaving = await layer.new_channel(), await layer.new_channel()
    for channel in (staying, leaving):
        await layer.group_add("g", channel)
    await layer.group_discard("g", leaving)
    await layer.group_send("g", {"n": 1})
    assert await layer.receive(staying) == {"n": 1}
    waiting = asyncio.create_task(layer.receive(leaving))
    await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await layer.group_discard("g", staying)
    assert layer._groups == {}


async def test_a_reader_that_was_cancelled_is_forgotten() -> None:
    layer = EmbeddedLayer()
    channel = await layer.new_channel()
    await layer.group_add("g", channel)
    reader = asyncio.create_task(layer.receive(channel))
    await asyncio.sleep(0)
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    assert layer._channels == {}
    assert layer._groups == {}
