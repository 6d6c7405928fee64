"""The websocket of an operation's page: who may listen, what is sent, and that nothing is missed."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from channels.routing import URLRouter
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.urls import path

from dashboard.models import (
    Host,
    HostState,
    Membership,
    Operation,
    OperationLog,
    OperationState,
    OperationStep,
    StepState,
)
from dashboard.models.hints import environment_group, hint, operation_group
from dashboard.pages import operations as pages
from dashboard.realtime.operations import OperationConsumer, cursor
from tests import factories
from tests.sockets import Socket

pytestmark = pytest.mark.django_db(transaction=True)
application = URLRouter([path("ws/operations/<uuid:operation_id>/", OperationConsumer.as_asgi())])
STEPS = [("Make 3 machines", StepState.DONE), ("Wait for their links", StepState.RUNNING)]


@pytest.fixture
def operation() -> Operation:
    made = factories.environment(factories.user("anna"), "shop")
    return factories.operation(made, steps=STEPS, logs=[(1, "made <fw-01>"), (2, "waiting")])


def socket(operation: Operation, user: object, after: object = 0) -> Socket:
    return Socket(application, f"/ws/operations/{operation.pk}/?after={after}", user)


async def write(operation: Operation, *texts: str, step: int = 2) -> None:
    def work() -> None:
        with transaction.atomic():
            OperationLog.objects.bulk_create(OperationLog(operation=operation, step=step, text=text) for text in texts)
            hint(operation_group(operation.pk))

    await sync_to_async(work)()


async def finish(operation: Operation, state: OperationState = OperationState.SUCCEEDED) -> None:
    def work() -> None:
        Operation.objects.filter(pk=operation.pk).update(state=state, result="3 hosts are active.")
        OperationStep.objects.filter(operation=operation).update(state=StepState.DONE)
        hint(operation_group(operation.pk))

    await database_sync_to_async(work)()


@pytest.mark.parametrize("who", ["outsider", "visitor"])
async def test_others_are_refused_as_if_there_was_nothing(operation: Operation, who: str) -> None:
    user = AnonymousUser() if who == "visitor" else await sync_to_async(factories.user)()
    assert await socket(operation, user).connect() == 4404


async def test_a_member_gets_the_state_and_all_lines_as_text(operation: Operation) -> None:
    communicator = socket(operation, operation.environment.owner)
    assert await communicator.connect() == 0
    message = await communicator.message()
    assert "Running" in message["contents"]["operation-badge"]
    assert "Cancel" in message["contents"]["operation-actions"]
    assert 'id="step-2"' in message["append"]["steps"]
    assert "made &lt;fw-01&gt;" in message["append"]["step-1-log"]
    assert "done" not in message
    await communicator.disconnect()


async def test_a_read_only_member_gets_no_buttons(operation: Operation) -> None:
    reader = await sync_to_async(factories.member)(operation.environment, role="read_only")
    communicator = socket(operation, reader)
    await communicator.connect()
    assert (await communicator.message())["contents"]["operation-actions"].strip() == ""
    await communicator.disconnect()


async def test_new_lines_come_once_and_alone(operation: Operation) -> None:
    communicator = socket(operation, operation.environment.owner)
    await communicator.connect()
    await communicator.message()
    await write(operation, "fw-01 called in", "fw-02 called in")
    message = await communicator.message()
    assert list(message["append"]) == ["step-2-log"]
    assert message["append"]["step-2-log"].count("called in") == 2
    assert "contents" not in message
    await communicator.disconnect()


async def test_a_reconnect_with_the_cursor_replays_only_what_was_missed(operation: Operation) -> None:
    first = socket(operation, operation.environment.owner)
    await first.connect()
    last = (await first.message())["last"]
    await first.disconnect()
    await write(operation, "said while away")
    second = socket(operation, operation.environment.owner, after=last)
    await second.connect()
    message = await second.message()
    assert "said while away" in message["append"]["step-2-log"]
    assert "step-1-log" not in message["append"]
    await second.disconnect()


async def test_a_long_log_comes_in_bounded_messages_in_order(operation: Operation) -> None:
    await write(operation, *(f"line {n}" for n in range(1_200)))
    communicator = socket(operation, operation.environment.owner)
    await communicator.connect()
    texts = [(await communicator.message())["append"].get("step-2-log", "") for _ in range(3)]
    assert max(text.count("<div") for text in texts) <= pages.LINES_PER_MESSAGE
    whole = "".join(texts)
    assert whole.count("line-text") == 1_201
    assert whole.index(">line 0<") < whole.index(">line 600<") < whole.index(">line 1199<")
    await communicator.disconnect()


async def test_the_end_is_sent_and_says_not_to_come_back(operation: Operation) -> None:
    communicator = socket(operation, operation.environment.owner)
    await communicator.connect()
    await communicator.message()
    await finish(operation)
    message = await communicator.message()
    assert message["done"] is True
    assert "3 hosts are active." in message["contents"]["operation-result"]
    assert message["contents"]["operation-actions"].strip() == ""
    assert len(message["replace"]) == 1  # the other step has not changed
    await communicator.disconnect()


@pytest.fixture
def hosts(operation: Operation, monkeypatch: pytest.MonkeyPatch) -> list[Host]:
    """Only hints tell of them."""
    monkeypatch.setattr("dashboard.realtime.operations.LOOK_EVERY", 600)
    early = {"state": HostState.REQUESTED, "node_id": "", "facts": {}, "link_up": False}
    made = [factories.host(operation.environment, f"fw-0{n}", **early) for n in (1, 2)]
    operation.args = {"hosts": [str(host.pk) for host in made]}
    operation.save()
    return made


async def change(host: Host, **fields: object) -> None:
    def work() -> None:
        Host.objects.filter(pk=host.pk).update(**fields)
        hint(environment_group(host.environment_id), what="rows")

    await database_sync_to_async(work)()


async def test_a_host_that_comes_further_is_sent_alone(operation: Operation, hosts: list[Host]) -> None:
    communicator = socket(operation, operation.environment.owner)
    await communicator.connect()
    shown = (await communicator.message())["contents"]["operation-hosts"]
    assert shown.count("Requested") == 2
    await change(hosts[1], state=HostState.BUILDING)
    message = await communicator.message()
    assert [f'id="track-{hosts[1].pk}"' in row and "Building" in row for row in message["replace"]] == [True]
    assert "contents" not in message
    await communicator.disconnect()


async def test_a_host_that_is_removed_leaves_the_page(operation: Operation, hosts: list[Host]) -> None:
    communicator = socket(operation, operation.environment.owner)
    await communicator.connect()
    await communicator.message()
    await database_sync_to_async(Host.objects.filter(pk=hosts[0].pk).delete)()
    await change(hosts[1])
    assert (await communicator.message())["remove"] == [f"track-{hosts[0].pk}"]
    await communicator.disconnect()


async def test_the_end_leaves_the_hosts_that_failed(operation: Operation, hosts: list[Host]) -> None:
    await change(hosts[0], state=HostState.ACTIVE, node_id="node-1")
    await change(hosts[1], state=HostState.FAILED)
    communicator = socket(operation, operation.environment.owner)
    await communicator.connect()
    await communicator.message()
    await finish(operation, OperationState.FAILED)
    message = await communicator.message()
    assert message["done"] is True
    assert message["remove"] == [f"track-{hosts[0].pk}"]
    await communicator.disconnect()


async def test_a_lost_hint_is_made_up_for(operation: Operation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.realtime.operations.LOOK_EVERY", 0.05)
    communicator = socket(operation, operation.environment.owner)
    await communicator.connect()
    await communicator.message()
    await database_sync_to_async(OperationLog.objects.create)(operation=operation, step=2, text="no hint")
    assert "no hint" in (await communicator.message())["append"]["step-2-log"]
    await communicator.disconnect()


async def test_somebody_put_out_is_cut_off(operation: Operation) -> None:
    member = await sync_to_async(factories.member)(operation.environment)
    communicator = socket(operation, member)
    await communicator.connect()
    await communicator.message()
    await database_sync_to_async(Membership.objects.filter(user=member).delete)()
    await write(operation, "secret from now on")
    assert await communicator.closed() == 4404


async def test_many_hints_make_few_loads(operation: Operation, monkeypatch: pytest.MonkeyPatch) -> None:
    loads = []
    load = pages.Progress.next
    monkeypatch.setattr(pages.Progress, "next", lambda self: loads.append(1) or load(self))
    communicator = socket(operation, operation.environment.owner)
    await communicator.connect()
    await communicator.message()
    for n in range(50):
        await write(operation, f"burst {n}")
    text = ""
    while "burst 49" not in text:
        text += (await communicator.message())["append"]["step-2-log"]
    assert text.count("burst") == 50
    assert len(loads) < 30
    await communicator.disconnect()


@pytest.mark.parametrize(
    ("query", "after"),
    [
        (b"after=17", 17),
        (b"", 0),
        (b"after=-1", 0),
        (b"after=x", 0),
        (b"after=" + b"9" * 40, 0),
        (b"after=\xff", 0),
    ],
)
def test_the_cursor_is_a_number_or_nothing(query: bytes, after: int) -> None:
    assert cursor(query) == after
