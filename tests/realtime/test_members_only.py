"""Who may open a websocket: one table with a row for every address."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from django.contrib.auth.models import AnonymousUser, Group, User
from django.urls import reverse

from dashboard.flows import invitations, members
from dashboard.models import Environment, GroupAccess, MemberRole, Operation
from dashboard.realtime.environments import EnvironmentConsumer
from dashboard.realtime.routing import urlpatterns
from tests import factories
from tests.sockets import Socket

pytestmark = pytest.mark.django_db(transaction=True)
application = URLRouter(urlpatterns)
OF_ENVIRONMENT = {
    "page": "/ws/environments/{environment}/?page=overview",
    "logs": "/ws/environments/{environment}/logs/?stack=shop",
    "operation": "/ws/operations/{operation}/",
}
LIST = "/ws/environments/"
each_address = pytest.mark.parametrize("address", OF_ENVIRONMENT.values(), ids=OF_ENVIRONMENT)


PEOPLE = {
    "visitor": 404,
    "outsider": 404,
    "suspended member": 404,
    "read-only": 0,
    "restricted": 0,
    "member": 0,
    "member of a group": 0,
    "owner": 0,
    "operator": 0,
}


@pytest.fixture
def operation() -> Operation:
    return factories.operation(factories.environment(factories.user("anna"), "shop"))


def person(who: str, environment: Environment) -> User | AnonymousUser:
    if who == "visitor":
        return AnonymousUser()
    user = factories.user(is_staff=who == "operator", is_active=who != "suspended member")
    roles = {"read-only": MemberRole.READ_ONLY, "restricted": MemberRole.RESTRICTED, "owner": MemberRole.OWNER}
    if who in roles or who in ("member", "suspended member"):
        return factories.member(environment, user, roles.get(who, MemberRole.MEMBER))
    if who == "member of a group":
        group = Group.objects.create(name="fiware:org:acme")
        group.user_set.add(user)
        GroupAccess.objects.create(environment=environment, group=group, role=MemberRole.READ_ONLY)
    return user


def socket(address: str, operation: Operation, user: object, **options: Any) -> Socket:
    known = {"environment": operation.environment_id, "operation": operation.pk}
    return Socket(application, address.format(**known), user, **options)


def test_every_address_has_a_row() -> None:
    assert len(urlpatterns) == len([*OF_ENVIRONMENT, LIST])


@each_address
@pytest.mark.parametrize("who", PEOPLE)
async def test_who_may_look_is_let_in_and_nobody_else(operation: Operation, address: str, who: str) -> None:
    """Others are answered as if there was nothing."""
    user = await sync_to_async(person)(who, operation.environment)
    connection = socket(address, operation, user, answers=True)
    assert await connection.connect() == PEOPLE[who]
    if PEOPLE[who]:
        assert await socket(address, operation, user).connect() == 4000 + PEOPLE[who]
    else:
        await connection.disconnect()


@pytest.mark.parametrize("address", [OF_ENVIRONMENT["page"], OF_ENVIRONMENT["logs"], OF_ENVIRONMENT["operation"]])
@pytest.mark.parametrize("who", ["outsider", "member", "operator"])
async def test_of_a_deleted_environment_only_its_operations_are_followed(
    operation: Operation, address: str, who: str
) -> None:
    user = await sync_to_async(person)(who, operation.environment)
    await sync_to_async(Environment.objects.update)(deleted_at="2026-01-01T00:00Z")
    connection = socket(address, operation, user, answers=True)
    seen = address == OF_ENVIRONMENT["operation"] and who != "outsider"
    assert await connection.connect() == (0 if seen else 404)
    if seen:
        await connection.disconnect()


@each_address
@pytest.mark.parametrize("how", ["removed", "left", "group"])
async def test_the_pages_of_who_is_let_in_no_longer_close(operation: Operation, address: str, how: str) -> None:
    environment = operation.environment
    user = await sync_to_async(person)("member of a group" if how == "group" else "member", environment)
    assert isinstance(user, User)
    connection = socket(address, operation, user)
    assert await connection.connect() == 0

    def end() -> None:
        if how == "removed":
            members.remove_member(environment, user, by=environment.owner)
        elif how == "left":
            members.leave_environment(environment, user)
        else:
            members.revoke_group(environment, user.groups.get(), by=environment.owner)

    await sync_to_async(end)()
    assert await until_closed(connection) == 4404


async def until_closed(connection: Socket) -> int:
    """The code with which it closes, within the 5 s that a revoked role may last; what comes before is passed over."""
    async with asyncio.timeout(5):
        while (answer := await connection.receive_output(5))["type"] != "websocket.close":
            pass
    return int(answer["code"])


async def test_a_lowered_role_takes_the_buttons_from_an_open_page(operation: Operation) -> None:
    environment = operation.environment
    user = await sync_to_async(person)("owner", environment)
    assert isinstance(user, User)
    connection = socket("/ws/environments/{environment}/?page=members", operation, user)
    assert await connection.connect() == 0
    invite = reverse("members_invite", args=[environment.pk])
    assert invite in str(await connection.message())
    await sync_to_async(members.change_role)(environment, user, MemberRole.READ_ONLY, by=environment.owner)
    after = await connection.message()
    (buttons,) = [html for html in after["replace"] if 'id="members-buttons"' in html]
    assert invite not in buttons
    assert not any("Change" in html for html in after["replace"])
    await connection.disconnect()


async def test_a_visitor_has_no_list(operation: Operation) -> None:
    assert await socket(LIST, operation, AnonymousUser(), answers=True).connect() == 404


async def test_an_invitation_appears_in_the_list_of_who_is_invited(operation: Operation) -> None:
    environment = operation.environment
    user = await sync_to_async(person)("outsider", environment)
    connection = socket(LIST, operation, user)
    assert await connection.connect() == 0
    assert "invites you" not in str(await connection.message())
    await sync_to_async(invitations.invite)(environment, environment.owner, who=str(user), role=MemberRole.MEMBER)
    assert "invites you" in str(await connection.message())
    await connection.disconnect()


async def test_a_page_that_can_not_be_made_any_more_is_opened_again(
    operation: Operation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(consumer: EnvironmentConsumer) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(EnvironmentConsumer, "page", broken)
    connection = socket(OF_ENVIRONMENT["page"], operation, operation.environment.owner)
    assert await connection.connect() == 0
    async with asyncio.timeout(5):
        assert await connection.closed() == 1011
    assert "a bug" in caplog.text
