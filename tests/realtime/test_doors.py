"""Open websockets are closed when their viewer may no longer look, and a user has only so many."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dashboard.models import Environment, Membership
from dashboard.models.hints import environment_group, hint, user_group
from dashboard.realtime import doors
from dashboard.realtime.doors import Pass, door
from dashboard.realtime.routing import urlpatterns
from tests import factories
from tests.sockets import Socket

pytestmark = pytest.mark.django_db(transaction=True)
application = URLRouter(urlpatterns)
NEVER = 3600.0


@pytest.fixture
def shop() -> Environment:
    return factories.environment(factories.user("anna"), "shop")


@pytest.fixture
def ben(shop: Environment) -> User:
    return factories.member(shop, factories.user("ben"))


@pytest.fixture
def only_hints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks but after a hint."""
    monkeypatch.setattr(doors, "LOOK_EVERY", NEVER)


@pytest.fixture
def no_hints(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hints are lost; looks come often."""
    monkeypatch.setattr(doors, "LOOK_EVERY", 0.05)
    monkeypatch.setattr("dashboard.models.hints._send", lambda group, message: None)
    yield


def pages(shop: Environment) -> list[str]:
    operation = factories.operation(shop)
    return [
        f"/ws/environments/{shop.pk}/?page=overview",
        f"/ws/environments/{shop.pk}/logs/?stack=none",
        f"/ws/operations/{operation.pk}/",
    ]


async def opened(user: User, *addresses: str, session: Any = None) -> list[Socket]:
    sockets = [Socket(application, address, user) for address in addresses]
    for socket in sockets:
        if session is not None:
            socket.scope["session"] = session
        assert await socket.connect() == 0
    return sockets


async def closed(socket: Socket) -> int:
    """The code with which it is closed, after whatever is still sent."""
    while True:
        answer = await socket.receive_output(5)
        if answer["type"] == "websocket.close":
            return int(answer["code"])


async def finish(sockets: list[Socket]) -> None:
    for socket in sockets:
        await socket.disconnect()


def leave(shop: Environment, ben: User) -> None:
    Membership.objects.filter(environment=shop, user=ben).delete()
    hint(environment_group(shop.pk), what="members")


def leave_alone(shop: Environment, ben: User) -> None:
    Membership.objects.filter(environment=shop, user=ben).delete()
    hint(user_group(ben.pk), what="access")


def suspend(shop: Environment, ben: User) -> None:
    User.objects.filter(pk=ben.pk).update(is_active=False)
    hint(user_group(ben.pk), what="access")


Change = Callable[[Environment, User], None]


@pytest.mark.parametrize("change", [leave, leave_alone, suspend])
async def test_a_hint_closes_at_once_and_only_theirs(
    only_hints: None, shop: Environment, ben: User, change: Change
) -> None:
    addresses = await sync_to_async(pages)(shop)
    mine, theirs = await opened(await owner(shop), *addresses), await opened(ben, *addresses)
    await sync_to_async(change)(shop, ben)
    assert [await closed(socket) for socket in theirs] == [4404] * 3
    for socket in mine:
        while not await socket.receive_nothing(0.1):
            assert (await socket.receive_output())["type"] == "websocket.send"
    await finish(mine + theirs)


@pytest.mark.parametrize("change", [leave, suspend])
async def test_a_lost_hint_delays_only(no_hints: None, shop: Environment, ben: User, change: Change) -> None:
    theirs = await opened(ben, *await sync_to_async(pages)(shop))
    await sync_to_async(change)(shop, ben)
    assert [await closed(socket) for socket in theirs] == [4404] * 3
    await finish(theirs)


def test_a_look_comes_often_enough_to_close_within_five_seconds() -> None:
    assert doors.LOOK_EVERY + doors.GATHER <= 4


async def test_the_list_of_environments_of_a_suspended_user_is_closed(only_hints: None, ben: User) -> None:
    sockets = await opened(ben, "/ws/environments/")
    await sync_to_async(suspend)(Environment(), ben)
    assert await closed(sockets[0]) == 4404
    await finish(sockets)


def drop_operator(olga: User) -> None:
    User.objects.filter(pk=olga.pk).update(is_staff=False)
    hint(user_group(olga.pk), what="access")


async def test_pages_that_an_operator_opened_close_with_their_rights(only_hints: None, shop: Environment) -> None:
    """The list of all environments, and pages of those where they are a member too: these show more to operators."""
    olga = await sync_to_async(lambda: factories.member(shop, factories.user("olga", is_staff=True)))()
    addresses = ["/ws/environments/?show=all", *await sync_to_async(pages)(shop)]
    sockets = await opened(olga, *addresses)
    await sync_to_async(drop_operator)(olga)
    assert [await closed(socket) for socket in sockets] == [4404] * 4
    await finish(sockets)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def sign_out(client: Client, user: User) -> None:
    client.logout()


def change_password(client: Client, user: User) -> None:
    user.set_password("another horse battery")
    user.save()


@pytest.mark.parametrize("end", [sign_out, change_password])
async def test_the_sockets_of_an_ended_session_are_closed_and_no_others(
    no_hints: None, shop: Environment, ben: User, end: Callable[[Client, User], None]
) -> None:
    here, there = await sync_to_async(signed_in)(ben), await sync_to_async(signed_in)(ben)
    address = f"/ws/environments/{shop.pk}/?page=overview"
    ended = await opened(ben, address, session=SessionStore(here.session.session_key))
    other = await opened(ben, address, session=SessionStore(there.session.session_key))
    await sync_to_async(end)(here, ben)
    assert await closed(ended[0]) == 4404
    if end is change_password:
        assert await closed(other[0]) == 4404
    else:
        assert door()._count[ben.pk] == 1
    await finish(ended + other)


async def test_a_browser_that_signs_out_is_turned_out_of_the_whole_application(
    no_hints: None, shop: Environment, ben: User
) -> None:
    from platform_manager.asgi import application as whole

    browser = await sync_to_async(signed_in)(ben)
    socket = Socket(whole, f"/ws/environments/{shop.pk}/?page=overview", None)
    del socket.scope["user"]
    cookie = f"sessionid={browser.cookies['sessionid'].value}"
    socket.scope["headers"] = [(b"origin", b"http://testserver"), (b"cookie", cookie.encode())]
    assert await socket.connect() == 0
    await sync_to_async(browser.logout)()
    assert await closed(socket) == 4404
    await socket.disconnect()


async def test_one_socket_too_many_is_told_so_and_another_user_is_not(
    shop: Environment, ben: User, settings: Any
) -> None:
    settings.PM_SOCKETS_PER_USER = 2
    address = f"/ws/environments/{shop.pk}/?page=overview"
    sockets = await opened(ben, address, address, address)
    answer = await sockets[2].receive_output(5)
    assert (answer["type"], answer["code"]) == ("websocket.close", 4429)
    assert answer["reason"].startswith("You have 2 live pages open")
    assert len(answer["reason"].encode()) <= 123  # a frame has no room for more
    sockets += await opened(await owner(shop), address)
    await finish([sockets.pop(0)])
    sockets += await opened(ben, address)
    assert door()._count == {ben.pk: 2, shop.owner_id: 1}
    await finish(sockets)
    assert not door()._count


async def test_nothing_is_left_of_a_socket_that_went(shop: Environment, ben: User) -> None:
    sockets = await opened(ben, *await sync_to_async(pages)(shop))
    await finish(sockets)
    layer: Any = get_channel_layer()
    assert not layer._groups
    assert not door()._guests


def test_many_sockets_are_looked_at_with_few_queries(shop: Environment) -> None:
    keys = [signed_in(shop.owner).session.session_key for _ in range(20)]
    passes = {Pass(shop.owner_id, key, shop.pk) for key in keys} | {Pass(shop.owner_id, None, UUID(int=1))}
    with CaptureQueriesContext(connection) as queries:
        good = doors.valid(passes)
    assert {found.session_key for found in good} == set(keys)
    assert len(queries) <= 3


async def owner(of: Environment) -> User:
    found: User = await sync_to_async(lambda: of.owner)()
    return found


async def test_closing_twice_is_closing_once(no_hints: None, shop: Environment, ben: User) -> None:
    sockets = await opened(ben, f"/ws/environments/{shop.pk}/?page=overview")
    guest = next(iter(door()._guests))
    await asyncio.gather(guest.turn_out(), guest.turn_out())
    assert await closed(sockets[0]) == 4404
    assert await sockets[0].receive_nothing(0.1)
    await finish(sockets)
