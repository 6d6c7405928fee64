"""What is shown of tasks whose host is lost, before and after the swarm notices; and of services that keep failing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dashboard.models import Environment, HostRole, HostState, StackState
from dashboard.pages.places import lost_sentence
from platform_manager.swarm.snapshot import Task
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(client: Client) -> Environment:
    user: User = factories.user("anna")
    client.force_login(user)
    return factories.environment(user, "Shop")


def on_three_hosts(shop: Environment, *, lost: HostState, node_state: str = "ready") -> None:
    """A stack with a task on each of three hosts, all counted by the swarm while it calls the lost one ready."""
    nodes = [factories.node(1), factories.node(2), factories.node(3, state=node_state)]
    for node in nodes:
        state = lost if node is nodes[2] else HostState.ACTIVE
        factories.host(shop, node.hostname, node_id=node.id, state=state, role=HostRole.MANAGER)
    running = 3 if node_state == "ready" else 2
    service = factories.service("web", "demo", desired=3, running=running)
    tasks = [factories.task(service, n, node_id=node.id) for n, node in enumerate(nodes, start=1)]
    factories.stack(shop, "demo", sentence="3 of 3 tasks running.")
    factories.snapshot(shop, nodes=nodes, services=[service], tasks=tasks)


@pytest.mark.parametrize(("state", "counted"), [("unknown", 3), ("down", 2)])
def test_a_host_that_a_new_leader_has_not_heard_of_yet_is_not_lost(
    client: Client, shop: Environment, state: str, counted: int
) -> None:
    on_three_hosts(shop, lost=HostState.ACTIVE, node_state=state)
    shown = rows(client, shop, "hosts", "hosts")
    assert sum(row.tasks for row in shown) == counted


def rows(client: Client, shop: Environment, container: str, name: str, *args: str) -> Any:
    return client.get(reverse(name, args=[shop.pk, *args])).context[container].rows


def only(client: Client, shop: Environment, container: str, name: str, *args: str) -> Any:
    (row,) = rows(client, shop, container, name, *args)
    return row


@pytest.mark.parametrize("node_state", ["ready", "down"])
def test_tasks_of_a_lost_host_are_unknown_before_and_after_the_swarm_notices(
    client: Client, shop: Environment, node_state: str
) -> None:
    on_three_hosts(shop, lost=HostState.DISCONNECTED, node_state=node_state)
    totals = only(client, shop, "summary", "environment")
    assert (totals.tasks_running, totals.tasks_wanted, totals.tasks_unknown) == (2, 3, 1)
    assert totals.whole_services == 0
    assert totals.unwell_stacks == 1
    page = client.get(reverse("environment", args=[shop.pk])).content.decode()
    assert "2 of 3 tasks running" in page
    assert "1 unknown: its host does not answer" in page
    task = only(client, shop, "attention", "environment")
    assert (task.host, task.badge.word) == ("fw-03", "Unknown")


def test_all_pages_say_the_same_of_a_lost_host(client: Client, shop: Environment) -> None:
    on_three_hosts(shop, lost=HostState.DISCONNECTED)
    for row in (
        only(client, shop, "services", "services"),
        only(client, shop, "head", "service", "demo_web"),
        only(client, shop, "services", "stack", "demo"),
    ):
        assert (row.badge.word, row.service.running, row.unknown) == ("Degraded", 2, 1)
    for row in (only(client, shop, "stacks", "stacks"), only(client, shop, "head", "stack", "demo")):
        assert (row.badge.word, row.running, row.unknown) == ("Degraded", 2, 1)
        assert row.sentence == "1 task is on a host that does not answer. 2 of 3 tasks running."
    hosts = {row.name: row for row in rows(client, shop, "hosts", "hosts")}
    assert (hosts["fw-03"].tasks, hosts["fw-03"].unknown) == (0, 1)
    assert (hosts["fw-01"].tasks, hosts["fw-01"].unknown) == (1, 0)


@pytest.mark.parametrize("state", [HostState.DISCONNECTED, HostState.RECONNECTING])
def test_a_manager_that_is_away_does_not_call_for_more_hosts(
    client: Client, shop: Environment, state: HostState
) -> None:
    on_three_hosts(shop, lost=state)
    assert only(client, shop, "summary", "environment").manager_sentence == "1 does not answer"


def test_a_host_that_answers_is_counted(client: Client, shop: Environment) -> None:
    on_three_hosts(shop, lost=HostState.ACTIVE)
    totals = only(client, shop, "summary", "environment")
    assert (totals.tasks_running, totals.tasks_unknown, totals.unwell_stacks) == (3, 0, 0)
    assert "unknown" not in client.get(reverse("stack", args=[shop.pk, "demo"])).content.decode()


@pytest.mark.parametrize(
    ("unknown", "said"),
    [(0, ""), (1, "1 task is on a host that"), (2, "2 tasks are on a host that")],
)
def test_the_sentence_counts(unknown: int, said: str) -> None:
    assert lost_sentence(unknown).startswith(said)


UPDATED = 300
ERROR = "task: non-zero exit (3)"


def failing(shop: Environment, *tasks: Task, running: int = 0, state: StackState = StackState.FAILED) -> None:
    service = factories.service("api", "bad", running=running, updated_at=seconds_ago(UPDATED))
    factories.stack(shop, "bad", state=state)
    factories.snapshot(shop, nodes=[factories.node(1)], services=[service], tasks=tasks)


def seconds_ago(seconds: int) -> str:
    return (timezone.now() - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def tried(ago: int, task_id: str, **fields: object) -> Task:
    return factories.task(factories.service("api", "bad"), 1, id=task_id, at=seconds_ago(ago), **fields)


def word(client: Client, shop: Environment) -> str:
    words = {
        only(client, shop, "services", "services").badge.word,
        only(client, shop, "services", "stack", "bad").badge.word,
        only(client, shop, "head", "service", "bad_api").badge.word,
    }
    assert len(words) == 1
    return words.pop()


FAILED = {"state": "failed", "desired_state": "shutdown", "error": ERROR}


def test_a_service_that_is_started_again_after_an_error_is_failing(client: Client, shop: Environment) -> None:
    failing(shop, tried(5, "new", state="starting"), tried(65, "old", **FAILED))
    assert word(client, shop) == "Failing"
    assert (
        "The last try: non-zero exit (3)" in client.get(reverse("service", args=[shop.pk, "bad_api"])).content.decode()
    )


def test_errors_before_the_last_update_do_not_count(client: Client, shop: Environment) -> None:
    failing(shop, tried(5, "new", state="starting"), tried(UPDATED + 60, "old", **FAILED))
    assert word(client, shop) == "Starting"


def test_a_task_that_has_just_started_again_does_not_make_a_failed_stack_run(client: Client, shop: Environment) -> None:
    failing(shop, tried(5, "new"), tried(65, "old", **FAILED), running=1)
    assert word(client, shop) == "Failing"
    assert only(client, shop, "attention", "environment").earlier == ERROR


def test_a_task_that_runs_for_a_while_is_well_although_its_stack_is_not(client: Client, shop: Environment) -> None:
    failing(shop, tried(45, "new"), tried(65, "old", **FAILED), running=1)
    assert word(client, shop) == "Running"
    assert not rows(client, shop, "attention", "environment")


def test_once_the_stack_is_judged_to_run_so_does_its_service(client: Client, shop: Environment) -> None:
    failing(shop, tried(5, "new"), tried(65, "old", **FAILED), running=1, state=StackState.RUNNING)
    assert word(client, shop) == "Running"
