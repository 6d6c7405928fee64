"""The database threads of websockets: several at once, few in all, and no connection outlives its thread."""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections

from dashboard.realtime.threads import DatabaseThreads
from tests.support.lab import until

pytestmark = pytest.mark.django_db(transaction=True)


def test_as_many_run_at_once_as_there_may_be_threads_and_no_more() -> None:
    threads = DatabaseThreads(most=3)
    together = threading.Barrier(3)
    names = [threads.submit(lambda: (together.wait(5) and None) or threading.get_ident()) for _ in range(3)]
    more = [threads.submit(threading.get_ident) for _ in range(50)]
    idents = {future.result(5) for future in [*names, *more]}
    assert len(idents) == 3
    threads.close()


def test_a_failure_is_the_callers_and_the_thread_goes_on() -> None:
    threads = DatabaseThreads(most=1)

    def fail() -> None:
        raise KeyError("gone")

    failed: Future[None] = threads.submit(fail)
    with pytest.raises(KeyError, match="gone"):
        failed.result(5)
    assert threads.submit(User.objects.count).result(5) == 0
    threads.close()


@pytest.mark.parametrize("end", ["idle", "close"])
def test_a_thread_that_ends_has_closed_its_connection(end: str) -> None:
    threads = DatabaseThreads(most=2, idle=0.05 if end == "idle" else 3600)
    used = []

    def ask() -> None:
        User.objects.count()
        used.append((threading.current_thread(), connections["default"]))

    wait([threads.submit(ask) for _ in range(4)], 5)
    if end == "close":
        threads.close()
    until(lambda: not any(thread.is_alive() for thread, _ in used), what="the threads end", seconds=5)
    assert used
    assert all(made is not connection and made.connection is None for _, made in used)
    assert threads.submit(lambda: "again").result(5) == "again"
    threads.close()
