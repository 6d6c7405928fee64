"""The websocket of an environment's pages: who may listen, and that only rows that changed are sent."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

import pytest
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.urls import path

from dashboard.models import Environment, Host, HostState, Membership
from dashboard.models.hints import environment_group, hint
from dashboard.pages.environments import environments_page
from dashboard.pages.viewer import viewer_of
from dashboard.realtime import environments as realtime
from dashboard.realtime.environments import PAGES, EnvironmentConsumer, Watch
from platform_manager.swarm.snapshot import Task
from tests import factories
from tests.sockets import Socket

pytestmark = pytest.mark.django_db(transaction=True)
application = URLRouter([path("ws/environments/<uuid:environment_id>/", EnvironmentConsumer.as_asgi())])
lists = URLRouter([path("ws/environments/", realtime.EnvironmentListConsumer.as_asgi())])
LOOKS: list[int] = []


@pytest.fixture
def shop() -> Environment:
    made = factories.environment(factories.user("anna"), "shop")
    factories.filled(made, hosts=3, stacks=1, services=2, tasks=4)
    return made


@pytest.fixture(autouse=True)
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with each look that a consumer takes at its page."""
    LOOKS.clear()
    look = Watch.next

    def counted(watch: Watch) -> dict[str, Any] | None:
        found = look(watch)
        LOOKS.append(1)
        return found

    monkeypatch.setattr(Watch, "next", counted)
    return LOOKS


def seen(environment: Environment, user: User, params: dict[str, str]) -> str:
    viewer = viewer_of(user, environment.pk)
    assert viewer is not None
    return PAGES[params["page"]](viewer, params).digest()


def socket(environment: Environment, user: object, **params: str) -> Socket:
    return Socket(application, f"/ws/environments/{environment.pk}/?{urlencode(params)}", user)


async def opened(environment: Environment, **params: str) -> Socket:
    """The connection of a viewer who has just loaded the page."""
    user = await sync_to_async(lambda: environment.owner)()
    digest = await sync_to_async(seen)(environment, user, params)
    connection = socket(environment, user, **params, seen=digest)
    taken = len(LOOKS)
    assert await connection.connect() == 0
    # The first look finds the page as it was loaded; what a test changes comes after it.
    async with asyncio.timeout(5):
        while len(LOOKS) == taken:
            await asyncio.sleep(0.005)
    return connection


async def change(environment: Environment, **values: Any) -> None:
    """Changes the host fw-02, as a step of an operation does."""

    def work() -> None:
        with transaction.atomic():
            Host.objects.filter(environment=environment, name="fw-02").update(**values)
            hint(environment_group(environment.pk), what="rows")

    await sync_to_async(work)()


async def set_tasks(environment: Environment, *tasks: Task) -> None:
    def work() -> None:
        service = factories.service("web", "shop", desired=len(tasks), running=len(tasks))
        factories.snapshot(environment, nodes=[factories.node(1)], services=[service], tasks=tasks)
        hint(environment_group(environment.pk), what="snapshot")

    await sync_to_async(work)()


@pytest.mark.parametrize("who", ["outsider", "visitor"])
async def test_others_are_refused_as_if_there_was_nothing(shop: Environment, who: str) -> None:
    user = AnonymousUser() if who == "visitor" else await sync_to_async(factories.user)()
    assert await socket(shop, user, page="overview").connect() == 4404


async def test_a_page_that_does_not_exist_is_refused(shop: Environment) -> None:
    user = await sync_to_async(lambda: shop.owner)()
    assert await socket(shop, user, page="admin").connect() == 4404
    gone = socket(shop, user, page="stack", name="nothing")
    assert await gone.connect() == 0
    assert await gone.closed() == 4404


async def test_a_viewer_who_has_the_newest_page_is_sent_nothing(shop: Environment) -> None:
    connection = await opened(shop, page="overview")
    assert await connection.receive_nothing(0.3)
    await connection.disconnect()


async def test_a_changed_host_is_sent_as_its_row_alone(shop: Environment) -> None:
    connection = await opened(shop, page="hosts")
    await change(shop, state=HostState.DISCONNECTED)
    message = await connection.message()
    assert list(message) == ["replace", "last"]
    assert len(message["replace"]) == 1
    assert "Disconnected" in message["replace"][0]
    assert message["replace"][0].startswith("<tr id=")
    await connection.disconnect()


async def test_a_page_loaded_before_a_change_catches_up_on_connect(shop: Environment) -> None:
    user = await sync_to_async(lambda: shop.owner)()
    old = await sync_to_async(seen)(shop, user, {"page": "hosts"})
    await change(shop, state=HostState.DRAINING)
    connection = socket(shop, user, page="hosts", seen=old)
    assert await connection.connect() == 0
    message = await connection.message()
    assert "Draining" in message["contents"]["hosts"]
    await connection.disconnect()


async def test_a_reconnect_goes_on_from_the_last_message(shop: Environment) -> None:
    first = await opened(shop, page="hosts")
    await change(shop, state=HostState.DRAINING)
    last = (await first.message())["last"]
    await first.disconnect()
    user = await sync_to_async(lambda: shop.owner)()
    second = socket(shop, user, page="hosts", seen="old", after=last)
    assert await second.connect() == 0
    assert await second.receive_nothing(0.3)
    await change(shop, state=HostState.ACTIVE)
    assert "Active" in (await second.message())["replace"][0]
    await second.disconnect()


async def test_a_search_is_kept_to(shop: Environment) -> None:
    connection = await opened(shop, page="hosts", q="fw-01")
    await change(shop, state=HostState.DISCONNECTED)
    assert await connection.receive_nothing(0.4)
    await connection.disconnect()


async def test_tasks_come_go_and_follow_each_other_in_their_slot(shop: Environment) -> None:
    service = factories.service("web", "shop")
    one, two = factories.task(service, 1), factories.task(service, 2)
    await set_tasks(shop, one, two)
    connection = await opened(shop, page="stack", name="shop")
    failed = factories.task(service, 2, state="failed", desired_state="shutdown", error="exit (1): boom")
    again = factories.task(service, 2, id="again", state="starting", at="2026-11-22T19:00:00Z")
    await set_tasks(shop, one, again, failed)
    message = await connection.message()
    (row,) = [html for html in message["replace"] if 'id="slot-' in html]
    assert "Starting" in row
    assert "exit (1): boom" in row
    await set_tasks(shop, one, again, failed, factories.task(service, 3))
    assert "shop_web.3" in (await connection.message())["append"]["tasks"]
    await set_tasks(shop, one, again, failed)
    message = await connection.message()
    assert [name for name in message["remove"] if name.endswith("-3")]
    await connection.disconnect()


async def test_many_hints_become_few_messages(shop: Environment, looks: list[int]) -> None:
    connection = await opened(shop, page="hosts")
    looks.clear()
    clock = asyncio.get_running_loop().time
    begun = clock()
    for n in range(60):
        await change(shop, state_detail=f"line {n}")
    while "line 59" not in str(await connection.message()):
        pass
    # One at once, then at most one in each interval, and one more for what came last.
    assert len(looks) <= (clock() - begun) / realtime.EVERY + 3
    await connection.disconnect()


async def test_who_is_no_member_any_more_is_sent_away(shop: Environment) -> None:
    connection = await opened(shop, page="overview")
    await sync_to_async(Membership.objects.all().delete)()
    await change(shop, state=HostState.DRAINING)
    assert await connection.closed() == 4404


async def test_what_hosts_and_engines_say_is_text(shop: Environment) -> None:
    connection = await opened(shop, page="hosts")
    await change(shop, state_detail="<script>alert(1)</script>", addresses=["<b>"])
    row = (await connection.message())["replace"][0]
    assert "<script>" not in row
    assert "<b>" not in row
    await connection.disconnect()


async def list_opened(user: User) -> Socket:
    digest = await sync_to_async(lambda: environments_page(user).digest())()
    taken = len(LOOKS)
    connection = Socket(lists, f"/ws/environments/?seen={digest}", user)
    assert await connection.connect() == 0
    async with asyncio.timeout(5):
        while len(LOOKS) == taken:
            await asyncio.sleep(0.005)
    return connection


async def test_the_list_shows_the_card_of_an_environment_that_changed(
    shop: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(realtime.EnvironmentListConsumer, "every", 0.01)
    user = await sync_to_async(lambda: shop.owner)()
    other = await sync_to_async(factories.environment)(name="given away")
    connection = await list_opened(user)
    await change(shop, state=HostState.DISCONNECTED)
    message = await connection.message()
    assert f'id="environment-{shop.pk}"' in message["replace"][0]
    assert "Needs a look" in message["replace"][0]
    await sync_to_async(Environment.objects.filter(pk=other.pk).update)(owner=user)
    await sync_to_async(factories.member)(other, user)
    await change(shop, state=HostState.ACTIVE)
    message = await connection.message()
    assert "given away" in str(message)
    await sync_to_async(Environment.objects.filter(pk=shop.pk).update)(deleted_at="2026-01-01T00:00Z")
    await change(shop, state=HostState.REMOVING)
    assert (await connection.message())["remove"] == [f"environment-{shop.pk}"]
    await connection.disconnect()
