"""env_page_ms and env_page_queries: the environment's page with a small and with a large swarm."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from statistics import median

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dashboard.models import Environment, Snapshot
from tests import factories

from .bed import Bed
from .figures import Figure, say

# The bar of the queries is their number with the small swarm.
BARS = {"env_page_ms": 150, "env_page_queries": 0}
ROUNDS = 9


@dataclass
class Found:
    """Medians in ms; ``cold`` with every list of the snapshot changed since the last look."""

    warm: float
    cold: float
    queries: int


def measure(bed: Bed) -> list[Figure]:
    user = bed.environment.owner
    small, large = factories.environment(user), factories.environment(user)
    factories.filled(small, hosts=1, stacks=1, services=1, tasks=5)
    factories.filled(large, hosts=100, stacks=100, services=500, tasks=5000)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    few, many = _page(client, small), _page(client, large)
    for name, found in (("1 host, 5 tasks", few), ("100 hosts, 5,000 tasks", many)):
        say(f"page with {name}: warm {found.warm:.0f} ms, after a change {found.cold:.0f} ms, {found.queries} queries")
    why = f"warm {many.warm:.0f} ms, with a newly decoded snapshot {many.cold:.0f} ms"
    return [
        Figure("env_page_ms", max(many.warm, many.cold), BARS["env_page_ms"], why=why),
        Figure("env_page_queries", many.queries, few.queries, why="the number of queries grows with the swarm"),
    ]


def _page(client: Client, environment: Environment) -> Found:
    path = f"/environments/{environment.pk}/"
    _get(client, path)
    warm = median(_get(client, path) for _ in range(ROUNDS))
    cold = median(_changed(client, environment, path) for _ in range(ROUNDS))
    with CaptureQueriesContext(connection) as queries:
        _get(client, path)
    return Found(warm, cold, len(queries))


def _changed(client: Client, environment: Environment, path: str) -> float:
    """The page after every list of the snapshot changed a little."""
    row = Snapshot.objects.get(environment=environment)
    row.version += 1
    for column, field in (("nodes", "version"), ("services", "running"), ("tasks", "slot")):
        records = json.loads(getattr(row, column))
        records[-1][field] += 1
        setattr(row, column, json.dumps(records))
    row.save()
    return _get(client, path)


def _get(client: Client, path: str) -> float:
    begun = time.perf_counter()
    answer = client.get(path)
    assert answer.status_code == 200, answer.status_code
    return 1000 * (time.perf_counter() - begun)
