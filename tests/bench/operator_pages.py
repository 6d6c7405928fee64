"""operator_page_ms and operator_page_queries: every page of the admin site on a large platform; the worst counts.

It fills the run's own database, so it comes last and starts from what the others left.
"""

from __future__ import annotations

import time
from statistics import median

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.admin.crowd import crowd, pages

from .figures import Figure, say

BARS = {"operator_page_ms": 300, "operator_page_queries": 20}
USERS, ENVIRONMENTS, ENTRIES = 10_000, 5_000, 100_000
ROUNDS = 5
TOLD = 5


def measure() -> list[Figure]:
    operator = crowd(users=USERS, environments=ENVIRONMENTS, entries=ENTRIES)
    say(f"{USERS} users, {ENVIRONMENTS} environments, {ENTRIES} audit rows")
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(operator)
    times, queries = {}, {}
    for name, path in pages().items():
        with CaptureQueriesContext(connection) as captured:
            _get(client, path)
        queries[name] = len(captured)
        times[name] = median(_get(client, path) for _ in range(ROUNDS))
    slowest = sorted(times, key=lambda name: times[name], reverse=True)
    greedy = max(queries, key=lambda name: queries[name])
    for name in slowest[:TOLD]:
        say(f"{name}: {times[name]:.0f} ms, {queries[name]} queries")
    say(f"{len(times)} pages, the median of them {median(times.values()):.0f} ms; most queries: {greedy}")
    return [
        Figure("operator_page_ms", times[slowest[0]], BARS["operator_page_ms"], why=slowest[0]),
        Figure("operator_page_queries", queries[greedy], BARS["operator_page_queries"], why=greedy),
    ]


def _get(client: Client, path: str) -> float:
    begun = time.perf_counter()
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return 1000 * (time.perf_counter() - begun)
