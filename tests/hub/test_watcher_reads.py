"""What the watcher shows of a swarm whose engines answer badly, late, or not yet."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from dashboard.hub import awaited, ended, events, watcher
from dashboard.models import Host, HostRole, StackState
from platform_manager.engines.client import EngineClient, EngineUnreachable
from tests import factories
from tests.engines.fake_engine import STREAM, Answer, FakeEngine, Request, endless, hanging, http
from tests.hub.fake_swarm import FakeSwarm, died, node, task

pytestmark = pytest.mark.django_db(transaction=True)
HUGE = endless(STREAM, b" " * 65536)


def late(answer: Answer, *, seconds: float) -> Answer:
    """The same, after so many seconds."""
    assert isinstance(answer, bytes)

    async def slow(writer: asyncio.StreamWriter, _: Request) -> None:
        await asyncio.sleep(seconds)
        writer.write(answer)
        await writer.drain()

    return slow


@pytest.fixture
def sockets(settings: Settings) -> Iterator[Path]:
    """Sockets need paths shorter than pytest's own."""
    with tempfile.TemporaryDirectory(prefix="pm-") as path:
        settings.PM_SOCKETS = Path(path)
        yield Path(path)


@pytest.fixture
def hosts() -> list[Host]:
    """Two managers."""
    environment = factories.environment()
    return [
        factories.host(environment, name, role=HostRole.MANAGER, addresses=[address])
        for name, address in (("fw-01", "172.17.0.2"), ("fw-02", "172.17.0.3"))
    ]


@pytest.fixture
async def swarm(hosts: list[Host], sockets: Path) -> AsyncIterator[FakeSwarm]:
    async with FakeSwarm(hosts[0].environment, sockets, hosts) as swarm:
        yield swarm


@pytest.fixture
async def watched(swarm: FakeSwarm) -> AsyncIterator[FakeSwarm]:
    """Read once, and its watcher runs."""
    watching = asyncio.ensure_future(swarm.watcher.run())
    await swarm.until("running")
    yield swarm
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (http({"tasks": []}), "list of tasks"),
        (http(["task1"]), "list of tasks"),
        (http(b"[{"), "not valid JSON"),
        (http(b"[" * 100 + b"]" * 100), "nested deeper"),
        (http({"message": "rpc error"}, status=500), "rpc error"),
        (HUGE, "larger than"),
    ],
    ids=["no list", "no objects", "no JSON", "too deep", "refused", "too large"],
)
async def test_answers_that_can_not_be_used_leave_what_was_known_and_say_whose_they_are(
    swarm: FakeSwarm, answer: Answer, words: str
) -> None:
    await swarm.watcher.read()
    for engine in swarm.engines.values():
        engine.answers["/tasks"] = answer
    await swarm.watcher.read()
    problem = (await swarm.snapshot()).problem
    assert problem.startswith("The engine of fw-02 gives no usable answer."), problem
    assert words in problem
    assert "What you see is as of" in problem
    assert (await swarm.shown_task())["state"] == "running"

    swarm.tell(tasks=[])
    await swarm.watcher.read()
    assert ((await swarm.snapshot()).problem, (await swarm.snapshot()).tasks) == ("", "[]")


async def test_another_manager_is_asked_where_one_answers_badly(swarm: FakeSwarm) -> None:
    swarm.engines["fw-01"].answers["/nodes"] = http("what?")
    await swarm.watcher.read()
    assert (await swarm.snapshot()).problem == ""
    assert (await swarm.shown_task())["state"] == "running"


async def test_another_manager_is_asked_where_one_stops_in_the_middle(
    swarm: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "ASK_SECONDS", 0.5)
    swarm.engines["fw-01"].answers["/nodes"] = hanging()
    async with asyncio.timeout(5):
        await swarm.watcher.read()
    assert (await swarm.snapshot()).problem == ""
    assert (await swarm.shown_task())["state"] == "running"


async def test_a_slow_swarm_is_given_more_time_with_each_try(swarm: FakeSwarm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "ASK_SECONDS", 0.05)
    for engine in swarm.engines.values():
        engine.answers["/nodes"] = late(engine.answers["/nodes"], seconds=0.3)
    async with asyncio.timeout(8):
        await swarm.watcher.read()
        assert (await swarm.snapshot()).problem == watcher.NO_MANAGER
        while (await swarm.snapshot()).problem:
            await swarm.watcher.read()
    assert (await swarm.shown_task())["state"] == "running"


async def test_a_task_of_which_the_manager_says_nothing_holds_nothing_up(
    watched: FakeSwarm, hosts: list[Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(awaited, "ASK_SECONDS", 0.2)
    for engine in watched.engines.values():
        engine.answers["/tasks/task1"] = hanging()
        engine.answers["/tasks"] = http([task(hosts[0], "failed", "shutdown")])
    watched.watcher.poke("stranger", died())
    await watched.until("failed")


async def test_a_swarm_without_a_leader_says_so(swarm: FakeSwarm) -> None:
    for engine in swarm.engines.values():
        engine.answers["/swarm"] = http({"message": "The swarm does not have a leader."}, status=503)
    await swarm.watcher.read()
    assert "The swarm does not have a leader." in (await swarm.snapshot()).problem


async def test_a_swarm_that_has_a_leader_again_is_read_without_an_event(
    watched: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "AFTER_EVENT", (0.0,))
    for engine in watched.engines.values():
        engine.answers["/swarm"] = http({"message": "The swarm does not have a leader."}, status=503)
    watched.watcher.poke()
    await watched.until_problem("does not have a leader")

    for engine in watched.engines.values():
        engine.answers["/swarm"] = http({})
    await watched.until_problem("")


async def test_one_slow_answer_does_not_put_off_the_next_look(
    watched: FakeSwarm, hosts: list[Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "AFTER_EVENT", (0.0,))
    watched.tell(nodes=[node(host, State="unknown") for host in hosts])
    for engine in watched.engines.values():
        engine.answers["/nodes"] = late(engine.answers["/nodes"], seconds=1)
    watched.watcher.poke()
    await until_nodes(watched, "unknown")

    watched.tell(nodes=[node(host) for host in hosts])
    await until_nodes(watched, "ready")


async def until_nodes(swarm: FakeSwarm, state: str) -> None:
    async with asyncio.timeout(4):
        while {one["state"] for one in json.loads((await swarm.snapshot()).nodes)} != {state}:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("state", "running"), [("unknown", 1), ("down", 0)])
async def test_a_task_counts_until_the_swarm_gives_its_host_up(
    swarm: FakeSwarm, hosts: list[Host], state: str, running: int
) -> None:
    swarm.tell(nodes=[node(host, State=state) for host in hosts])
    await swarm.watcher.read()
    assert await swarm.running() == running


async def test_a_stack_does_not_run_on_a_host_of_which_neither_the_new_leader_nor_the_platform_hears(
    swarm: FakeSwarm, hosts: list[Host]
) -> None:
    stack = await sync_to_async(factories.stack)(swarm.environment, "shop", settled_at=timezone.now())
    swarm.tell(nodes=[node(hosts[0]), node(hosts[1], State="unknown")], tasks=[task(hosts[1])])
    await swarm.watcher.read()
    await stack.arefresh_from_db()
    assert stack.state == StackState.RUNNING

    await Host.objects.filter(pk=hosts[1].pk).aupdate(link_up=False, engine_up=False)
    swarm.tell(tasks=[task(hosts[1], Message="still")])
    await swarm.watcher.read()
    await stack.arefresh_from_db()
    assert stack.sentence == "0 of 1 tasks running. shop_web: the host fw-02 does not answer."


async def test_an_engine_that_does_not_tell_its_volumes_holds_nothing_up(swarm: FakeSwarm) -> None:
    for engine in swarm.engines.values():
        engine.answers["/volumes"] = hanging()
    async with asyncio.timeout(5):
        await swarm.watcher.read()
    assert (await swarm.shown_task())["state"] == "running"


async def test_volumes_of_all_hosts_and_names_of_secrets_are_known(swarm: FakeSwarm, hosts: list[Host]) -> None:
    for name, engine in swarm.engines.items():
        engine.answers["/volumes"] = http({"Volumes": [{"Name": f"of-{name}", "Driver": "local"}]})
        labels = {"com.docker.stack.namespace": "shop"}
        engine.answers["/secrets"] = http([{"Spec": {"Name": "key"}}, {"Spec": {"Name": "cert", "Labels": labels}}])
    await swarm.watcher.read()
    async with asyncio.timeout(8):
        while (found := await swarm.snapshot()).secrets == "[]":
            await asyncio.sleep(0.01)
    assert json.loads(found.secrets) == {"cert": "shop", "key": ""}
    assert {(one["name"], one["node_id"]) for one in json.loads(found.volumes)} == {
        (f"of-{host.name}", host.node_id) for host in hosts
    }


async def test_what_no_address_can_hold_has_no_page_and_breaks_none(
    swarm: FakeSwarm, hosts: list[Host], client: Client
) -> None:
    labels = {"com.docker.stack.namespace": "a/b"}
    swarm.tell(
        services=[{"ID": "s/1", "Spec": {"Name": "odd/web", "Labels": labels}}],
        tasks=[{**task(hosts[0]), "ID": "t/1", "ServiceID": "s/1"}],
        networks=[{"Name": "odd", "Scope": "swarm", "Labels": labels}],
    )
    await swarm.watcher.read()
    (service,) = json.loads((await swarm.snapshot()).services)
    assert (service["id"], service["stack"]) == ("s_1", "")
    await sync_to_async(client.force_login)(await sync_to_async(lambda: swarm.environment.owner)())
    for name in ("environment", "stacks", "services", "networks", "hosts"):
        page = await sync_to_async(client.get)(reverse(name, args=[swarm.environment.pk]))
        assert page.status_code == 200


async def test_networks_of_the_swarm_and_the_manager_s_own_are_told_apart(swarm: FakeSwarm) -> None:
    told = {"backend": "swarm", "mine": "local", "bridge": "local", "docker_gwbridge": "local", "odd": "global"}
    for engine in swarm.engines.values():
        engine.answers["/networks"] = http([{"Name": name, "Scope": scope} for name, scope in told.items()])
    await swarm.watcher.read()
    found = json.loads((await swarm.snapshot()).networks)
    assert {one["name"]: one["scope"] for one in found} == {"backend": "swarm", "mine": "local"}


@pytest.mark.parametrize(("code", "state"), [("137", "failed"), ("0", "complete")])
async def test_a_container_that_ended_is_shown_before_the_swarm_takes_note(
    watched: FakeSwarm, hosts: list[Host], code: str, state: str
) -> None:
    assert await watched.running() == 1
    watched.watcher.poke(str(hosts[0].pk), died(code=code))
    shown = await watched.until(state)
    assert shown["exit_code"] == int(code)
    assert await watched.running() == 0

    watched.tell(tasks=[task(hosts[0], "failed", "shutdown", Err="task: non-zero exit (137)")])
    watched.watcher.poke()
    async with asyncio.timeout(8):
        while (await watched.shown_task())["error"] != "task: non-zero exit (137)":
            await asyncio.sleep(0.01)


def to_stop(swarm: FakeSwarm, hosts: list[Host]) -> None:
    swarm.tell(tasks=[task(hosts[0], desired="shutdown")])


def as_it_was(swarm: FakeSwarm, hosts: list[Host]) -> None:
    pass


@pytest.mark.parametrize(
    ("teller", "event", "meanwhile"),
    [
        (1, died(), as_it_was),
        (0, died(container="container2"), as_it_was),
        (0, died(task="task2"), as_it_was),
        (0, died(code="?"), as_it_was),
        (0, {**died(), "Action": "start"}, as_it_was),
        (0, died(), to_stop),
    ],
    ids=["another host's", "another container", "another task", "no exit code", "no end", "meant to end"],
)
async def test_no_other_word_of_a_host_changes_a_task(
    swarm: FakeSwarm,
    hosts: list[Host],
    teller: int,
    event: dict[str, Any],
    meanwhile: Callable[[FakeSwarm, list[Host]], None],
) -> None:
    await swarm.watcher.read()
    meanwhile(swarm, hosts)
    swarm.watcher.poke(str(hosts[teller].pk), event)
    await swarm.watcher.tell_ends()
    assert (await swarm.shown_task())["state"] == "running"


async def test_an_end_of_which_the_swarm_takes_no_note_is_not_shown_for_ever(
    swarm: FakeSwarm, hosts: list[Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    await swarm.watcher.read()
    swarm.watcher.poke(str(hosts[0].pk), died())
    await swarm.watcher.tell_ends()
    assert (await swarm.shown_task())["state"] == "failed"
    await swarm.watcher.read()
    assert (await swarm.shown_task())["state"] == "failed"
    monkeypatch.setattr(ended, "KEPT_SECONDS", 0)
    await swarm.watcher.read()
    assert (await swarm.shown_task())["state"] == "running"


async def test_a_mistake_of_ours_is_told_on_the_page(swarm: FakeSwarm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "BROKEN_SECONDS", 0.01)
    await swarm.watcher.read()
    monkeypatch.setattr(swarm.watcher, "_pool", None)
    watching = asyncio.ensure_future(swarm.watcher.run())
    async with asyncio.timeout(8):
        while "The platform failed to read this swarm" not in (await swarm.snapshot()).problem:
            await asyncio.sleep(0.01)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_an_engine_that_hangs_is_unreachable_however_open_its_stream(
    sockets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "PING_EVERY", 0.05)
    monkeypatch.setattr(events, "PING_SECONDS", 0.1)
    engine = FakeEngine(sockets / "hung.sock")
    await engine.start()
    heard: list[Any] = []
    async with EngineClient(engine.path) as client:
        await client.version()
        engine.answers["/events"] = hanging(STREAM + json.dumps(died()).encode() + b"\n")
        engine.answers["/_ping"] = hanging()
        with pytest.raises(EngineUnreachable):
            await asyncio.wait_for(events.follow(client, heard.append), 8)
    await engine.stop()
    assert heard == [died()]


async def test_hosts_take_the_states_of_their_nodes(swarm: FakeSwarm, hosts: list[Host]) -> None:
    down = {"ID": hosts[1].node_id, "Spec": {"Role": "worker"}, "Status": {"State": "down"}}
    swarm.tell(nodes=[down])
    await swarm.watcher.read()
    await sync_to_async(hosts[1].refresh_from_db)()
    assert (hosts[1].state, hosts[1].role) == ("reconnecting", "worker")
