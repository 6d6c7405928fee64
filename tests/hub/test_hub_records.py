"""The hub writes down links while operations write the same hosts' states, and remove them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from dashboard.hub import records, service
from dashboard.hub.watcher import NO_MANAGER, _verdict
from dashboard.models import Environment, Host, HostRole, HostState, Snapshot, StackState
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


class Meanwhile:
    """A call on a thread of its own, that has come to where it must wait for our transaction."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self._waits = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.error: BaseException | None = None
        self.result: Any = None
        self._thread.start()
        assert self._waits.wait(20)

    def _run(self) -> None:
        try:
            with connection.execute_wrapper(self._notice):
                self.result = self._call()
        except BaseException as error:
            self.error = error
        finally:
            self._waits.set()
            connection.close()

    def _notice(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith(("BEGIN", "UPDATE")) or "FOR UPDATE" in sql:
            self._waits.set()
        return execute(sql, *rest)

    def join(self) -> Meanwhile:
        self._thread.join(30)
        assert not self._thread.is_alive()
        if self.error:
            raise self.error
        return self


def test_a_host_that_joins_while_its_engine_answers_does_not_fall_back_to_joining() -> None:
    host = factories.host(factories.environment(), state=HostState.JOINING, engine_up=False)
    with transaction.atomic():
        Host.objects.filter(pk=host.pk).update(state=HostState.ACTIVE)
        call = Meanwhile(lambda: records.engine_changed(str(host.pk), True, "20.10.24"))
    call.join()
    host.refresh_from_db()
    assert (host.state, host.engine_up) == (HostState.ACTIVE, True)


def test_a_link_that_is_cut_while_its_host_is_removed_is_nothing_to_write_down() -> None:
    host = factories.host(factories.environment())
    with transaction.atomic():
        Host.objects.filter(pk=host.pk).delete()
        call = Meanwhile(lambda: records.link_changed(str(host.pk), False, "cut"))
    assert call.join().result is None


def test_a_swarm_says_no_more_of_a_role_than_there_is_a_word_for() -> None:
    host = factories.host(factories.environment(), role=HostRole.MANAGER)
    assert told(host, role="emperor").role == HostRole.MANAGER


def test_a_host_has_the_role_that_the_swarm_gives_it() -> None:
    host = factories.host(factories.environment(), role=HostRole.MANAGER)
    assert told(host, role="worker").role == HostRole.WORKER


@pytest.mark.parametrize("changed", [{"role": HostRole.WORKER}, {"role": HostRole.WORKER, "node_id": "anew"}])
def test_an_answer_from_before_a_change_of_roles_does_not_undo_it(changed: dict[str, str]) -> None:
    host = factories.host(factories.environment(), role=HostRole.MANAGER)
    before = records.members(str(host.environment_id))
    Host.objects.filter(pk=host.pk).update(**changed)
    host.refresh_from_db()
    assert told(host, before, role="manager").role == HostRole.WORKER


@pytest.mark.parametrize(
    ("before", "node", "after"),
    [
        (HostState.ACTIVE, "unknown", HostState.ACTIVE),
        (HostState.ACTIVE, "down", HostState.RECONNECTING),
        (HostState.RECONNECTING, "unknown", HostState.RECONNECTING),
        (HostState.RECONNECTING, "ready", HostState.ACTIVE),
    ],
)
def test_a_host_that_was_well_stays_so_until_the_swarm_s_new_leader_knows_better(
    before: HostState, node: str, after: HostState
) -> None:
    host = factories.host(factories.environment(), state=before)
    assert told(host, state=node).state == after


def told(host: Host, before: list[records.Member] | None = None, **fields: str) -> Host:
    """The host after its swarm has told so of its node."""
    before = records.members(str(host.environment_id)) if before is None else before
    node = factories.node(1, id=host.node_id, **fields)
    records.node_states(str(host.environment_id), before, {node.id: node})
    host.refresh_from_db()
    return host


def test_the_newest_deployment_says_which_updates_it_found() -> None:
    stack = factories.stack(factories.environment(), settled_at=timezone.now())
    factories.revision(stack, 2, updates_before={"web": "2026-11-22T10:00:00Z"})
    found = records.settled_stacks(str(stack.environment_id))
    assert [one["updates_before"] for one in found] == [{"web": "2026-11-22T10:00:00Z"}]


def test_a_deployment_that_never_looked_does_not_bring_old_updates_back() -> None:
    stack = factories.stack(factories.environment(), settled_at=timezone.now())
    factories.revision(stack, 2, updates_before={"web": "2026-11-22T10:00:00Z"})
    factories.revision(stack, 3, state=StackState.FAILED)
    found = records.settled_stacks(str(stack.environment_id))
    assert [one["updates_before"] for one in found] == [{"web": "2026-11-22T10:00:00Z"}]


@pytest.mark.parametrize(
    ("digests", "words"),
    [({}, "port 80 is in use"), ({"web": "demo/web:1"}, "The swarm has no service of this stack.")],
)
def test_why_the_swarm_took_no_service_stays_said(digests: dict[str, str], words: str) -> None:
    stack = factories.stack(
        factories.environment(), state=StackState.FAILED, sentence="port 80 is in use", settled_at=timezone.now()
    )
    stack.revisions.update(digests=digests)
    (found,) = records.settled_stacks(str(stack.environment_id))
    assert _verdict(found, [], [], []).sentence == words


def test_a_service_that_was_removed_past_the_platform_is_missed() -> None:
    stack = factories.stack(factories.environment(), "shop", settled_at=timezone.now())
    stack.revisions.update(digests={"web": "demo/web:1", "db": "demo/db:1"})
    web, db = (
        {"ID": name, "Spec": {"Name": f"shop_{name}", "Mode": {"Replicated": {"Replicas": 0}}}}
        for name in ("web", "db")
    )
    (found,) = records.settled_stacks(str(stack.environment_id))

    assert _verdict(found, [web, db], [], []).state == StackState.RUNNING
    status = _verdict(found, [web], [], [])

    assert status.state == StackState.DEGRADED
    assert status.sentence.startswith("shop_db was removed outside the platform: deploy the stack again.")


@pytest.fixture
def lonely() -> Environment:
    """An environment whose hosts never dial in again."""
    environment = factories.environment()
    factories.host(environment, role=HostRole.MANAGER)
    return environment


async def test_an_environment_without_links_is_watched_after_a_start_and_not_after_its_deletion(
    lonely: Environment, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings.PM_SOCKETS, settings.PM_HUB_KEY = tmp_path / "links", tmp_path / "key"
    settings.PM_HUB_LISTEN = ["127.0.0.1:0"]
    for name, seconds in {"GRACE_SECONDS": 0, "TIDY_SECONDS": 0.1}.items():
        monkeypatch.setattr(service, name, seconds)
    monkeypatch.setattr("dashboard.hub.watcher.IDLE_SECONDS", 0.1)
    hub = service.HubService()
    await hub.start()
    try:
        async with asyncio.timeout(20):
            while (await Snapshot.objects.aget(environment=lonely)).problem != NO_MANAGER:
                await asyncio.sleep(0.02)
            assert watchers() == 1
            await sync_to_async(Environment.objects.filter(pk=lonely.pk).update)(deleted_at=timezone.now())
            while watchers():
                await asyncio.sleep(0.02)
    finally:
        await hub.stop()


def watchers() -> int:
    return sum("EnvironmentWatcher.run" in repr(task.get_coro()) for task in asyncio.all_tasks())
