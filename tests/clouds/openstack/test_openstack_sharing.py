"""One call for all who ask the same at the same time."""

from __future__ import annotations

import asyncio

from fake_openstack import until

from platform_manager.clouds.openstack.sharing import Shared
from platform_manager.errors import ProviderError


class Slow:
    """Calls that end when told to, and answer with their number."""

    def __init__(self) -> None:
        self.calls = 0
        self.end = asyncio.Event()

    async def __call__(self) -> int:
        self.calls += 1
        number = self.calls
        await self.end.wait()
        return number


async def test_who_asks_at_once_shares_a_fresh_answer() -> None:
    shared, call = Shared[int](), Slow()
    call.end.set()

    assert await asyncio.gather(*(shared.fresh("list", call) for _ in range(5))) == [1] * 5


async def test_who_asks_while_a_call_is_under_way_gets_a_newer_answer() -> None:
    shared, call = Shared[int](), Slow()
    first = asyncio.create_task(shared.fresh("list", call))
    await until(lambda: call.calls == 1)
    second = asyncio.create_task(shared.fresh("list", call))
    await until(lambda: call.calls == 2)
    call.end.set()

    assert (await first, await second) == (1, 2)


async def test_who_wants_the_same_joins_the_call_under_way() -> None:
    shared, call = Shared[int](), Slow()
    first = asyncio.create_task(shared.same("group", call))
    await until(lambda: call.calls == 1)
    second = asyncio.create_task(shared.same("group", call))
    other = asyncio.create_task(shared.same("another", call))
    await until(lambda: call.calls == 2)
    call.end.set()

    assert (await first, await second, await other) == (1, 1, 2)
    assert await shared.same("group", call) == 3


async def test_who_gives_up_does_not_end_the_call_of_others() -> None:
    shared, call = Shared[int](), Slow()
    first = asyncio.create_task(shared.same("group", call))
    await until(lambda: call.calls == 1)
    second = asyncio.create_task(shared.same("group", call))
    await asyncio.sleep(0)
    first.cancel()
    call.end.set()

    assert await second == 1


async def test_a_failure_is_everybodys_and_not_kept() -> None:
    shared, calls = Shared[int](), []

    async def fails_first() -> int:
        calls.append(1)
        if len(calls) == 1:
            raise ProviderError("no")
        return len(calls)

    answers = await asyncio.gather(*(shared.same("group", fails_first) for _ in range(2)), return_exceptions=True)

    assert [str(answer) for answer in answers] == ["no", "no"]
    assert await shared.same("group", fails_first) == 2
