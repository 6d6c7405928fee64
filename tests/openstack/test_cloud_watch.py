"""Projects are looked at when it is time, by one worker, and a slow cloud holds up no other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.utils import timezone
from fake_openstack import FakeOpenStack

from dashboard.models import CloudAccount, Environment, Host
from dashboard.operations.clouds import cloud_look, cloud_watch
from dashboard.operations.clouds.cloud_look import LEFTOVERS_SECONDS, look_at
from dashboard.operations.clouds.cloud_watch import CloudWatch, claim, due
from tests import factories
from tests.openstack.watched_world import World
from tests.support.lab import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(fake: FakeOpenStack, environment: Environment, account: CloudAccount) -> Iterator[World]:
    yield World(fake, environment, account)


def looked(account: CloudAccount, seconds: float, **more: Any) -> bool:
    """Whether an account that was looked at so long ago is due."""
    CloudAccount.objects.filter(pk=account.pk).update(
        watched_at=timezone.now() - timedelta(seconds=seconds), problem="", leftovers=[], **more
    )
    return account in due()


def test_accounts_with_hosts_are_looked_at_often_and_others_seldom(world: World, ann: User) -> None:
    assert world.account in due()
    assert not looked(world.account, settings.PM_CLOUD_WATCH_SECONDS - 5)
    assert looked(world.account, settings.PM_CLOUD_WATCH_SECONDS + 1)
    Host.objects.all().delete()
    assert not looked(world.account, settings.PM_CLOUD_WATCH_SECONDS + 1)
    assert looked(world.account, LEFTOVERS_SECONDS + 1)
    assert not looked(world.account, LEFTOVERS_SECONDS + 1, region="")


def test_an_account_that_does_not_work_is_asked_seldom(world: World) -> None:
    rows = CloudAccount.objects.filter(pk=world.account.pk)
    for seconds, expected in ((settings.PM_CLOUD_WATCH_SECONDS + 1, False), (LEFTOVERS_SECONDS + 1, True)):
        rows.update(problem="Wrong password.", watched_at=timezone.now() - timedelta(seconds=seconds))
        assert (world.account in due()) == expected
    Host.objects.all().delete()
    assert world.account not in due()


def test_of_two_workers_one_looks(world: World) -> None:
    first, second = due()[0], due()[0]
    assert [claim(first), claim(second)] == [True, False]
    rows = CloudAccount.objects.filter(pk=world.account.pk)
    rows.update(watched_at=timezone.now() - timedelta(hours=1))
    first, second = due()[0], due()[0]
    assert [claim(first), claim(second)] == [True, False]


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudWatch]:
    monkeypatch.setattr(cloud_watch, "PAUSE_SECONDS", 0.05)
    watch = CloudWatch()
    yield watch
    watch.stop()


def test_a_worker_looks_by_itself_and_a_slow_cloud_holds_up_no_other(
    world: World, watch: CloudWatch, ann: User
) -> None:
    with FakeOpenStack() as slow:
        other = factories.cloud_account(ann, auth_url=slow.url, secret=slow.account().as_dict())
        server = slow.resources.add_server("fw-09", addresses=world.server["addresses"])
        waiting = factories.host(
            world.environment, "fw-09", driver="openstack", account=other, provider_id=server["id"], node_id=""
        )
        slow.trouble("GET /compute/v2.1/servers", seconds=6)
        CloudAccount.objects.filter(pk=world.account.pk).update(watched_at=timezone.now() - timedelta(hours=1))
        assert list(due()) == [other, world.account]
        watch.start()
        until(lambda: slow.count("GET /compute/v2.1/servers"), what="the slow cloud is asked", seconds=20)
        until(lambda: Host.objects.get(pk=world.host.pk).machine, what="the host is seen", seconds=20)
        assert Host.objects.get(pk=waiting.pk).machine == ""
        until(lambda: Host.objects.get(pk=waiting.pk).machine, what="the slow cloud's host is seen", seconds=30)
        watch.stop()


def test_a_cloud_that_only_lets_wait_is_asked_seldom_and_often_again_once_it_answers(
    world: World, watch: CloudWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud_look, "LOOK_SECONDS", 0.3)
    monkeypatch.setattr(cloud_look, "SLOW_SECONDS", 0.2)
    world.fake.trouble("GET /compute/v2.1/servers", seconds=2, times=1)
    memory = watch._memories[world.account.pk]
    pauses = []
    for _ in range(6):
        memory.failed(1)
        pauses.append(round((memory.quiet_until - time.monotonic()) / settings.PM_CLOUD_WATCH_SECONDS))
    assert pauses == [2, 4, 8, 15, 15, 15]
    memory.answered()

    look_at(world.account, memory)
    watch.begin()
    assert world.account in due()

    monkeypatch.setattr(cloud_look, "LOOK_SECONDS", 20)
    look_at(world.account, memory)
    watch.begin()
    assert world.account not in due()


def test_a_database_that_is_away_while_accounts_are_claimed_does_not_end_the_watch(
    world: World, watch: CloudWatch
) -> None:
    failures = iter(range(2 * cloud_watch.AT_ONCE))

    def away(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("UPDATE") and "watched_at" in sql and next(failures, None) is not None:
            raise OperationalError("database is locked")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(away):
        for _ in range(2 * cloud_watch.AT_ONCE):
            with pytest.raises(OperationalError):
                watch.begin()
    watch.start()
    until(lambda: Host.objects.get(pk=world.host.pk).machine, what="the host is seen", seconds=20)


def test_no_worker_looks_where_watching_is_off(world: World, watch: CloudWatch, settings: Any) -> None:
    settings.PM_CLOUD_WATCH_SECONDS = 0
    watch.start()
    assert not watch._thread.is_alive()
