"""Who may open a websocket: one table with a row for every address."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from django.contrib.auth.models import AnonymousUser

from dashboard.models import Operation
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


@pytest.fixture
def operation() -> Operation:
    return factories.operation(factories.environment(factories.user("anna"), "shop"))


def socket(address: str, operation: Operation, user: object, **options: Any) -> Socket:
    known = {"environment": operation.environment_id, "operation": operation.pk}
    return Socket(application, address.format(**known), user, **options)


def test_every_address_has_a_row() -> None:
    assert len(urlpatterns) == len([*OF_ENVIRONMENT, LIST])


@each_address
@pytest.mark.parametrize("who", ["outsider", "visitor"])
async def test_others_are_answered_as_if_there_was_nothing(operation: Operation, address: str, who: str) -> None:
    user = AnonymousUser() if who == "visitor" else await sync_to_async(factories.user)()
    assert await socket(address, operation, user, answers=True).connect() == 404
    assert await socket(address, operation, user).connect() == 4404


@each_address
async def test_a_member_is_let_in(operation: Operation, address: str) -> None:
    connection = socket(address, operation, operation.environment.owner, answers=True)
    assert await connection.connect() == 0
    await connection.disconnect()


async def test_a_visitor_has_no_list(operation: Operation) -> None:
    assert await socket(LIST, operation, AnonymousUser(), answers=True).connect() == 404


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
