"""Who may call what: one table with a row for every address of an environment."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from dashboard.models import Environment, HostRole, MemberRole, OperationState
from dashboard.urls import one_environment, urlpatterns
from tests import factories

pytestmark = pytest.mark.django_db


class Row(NamedTuple):
    """``answer`` is the status of who may; ``changing`` refuses read-only members, ``owner`` all but the owner."""

    name: str
    args: tuple[str, ...] = ()
    method: str = "get"
    changing: bool = False
    owner: bool = False
    answer: int = 200
    query: str = ""


TABLE = [
    Row("environment"),
    Row("hosts"),
    Row("hosts_add", changing=True),
    Row("hosts_add", method="post", changing=True, answer=422),
    Row("hosts_plan", changing=True),
    Row("host", ("host",)),
    Row("host_remove", ("host",), changing=True),
    Row("host_remove", ("host",), method="post", changing=True, answer=302),
    Row("host_promote", ("host",), method="post", changing=True, answer=302),
    Row("stacks"),
    Row("stack_deploy", changing=True),
    Row("stack_deploy", method="post", changing=True, answer=422),
    Row("stack_preview", method="post", changing=True),
    Row("stack", ("stack",)),
    Row("stack_update", ("stack",), changing=True),
    Row("stack_update", ("stack",), method="post", changing=True, answer=422),
    Row("stack_remove", ("stack",), changing=True),
    Row("stack_remove", ("stack",), method="post", changing=True, answer=302),
    Row("services"),
    Row("service", ("service",)),
    Row("task", ("task",)),
    Row("networks"),
    Row("logs", query="?stack=shop"),
    Row("operations"),
    Row("operation", ("operation",)),
    Row("operation_cancel", ("operation",), method="post", changing=True, answer=302),
    Row("operation_retry", ("operation",), method="post", changing=True, answer=302),
    Row("environment_settings"),
    Row("environment_settings", method="post", changing=True, answer=422),
    Row("environment_delete", changing=True, owner=True),
    Row("environment_delete", method="post", changing=True, owner=True, answer=422),
]
# Not of one environment; tested where they are.
ELSEWHERE = {"root", "environments", "environment_new", "join", "healthz", "profile"}
each_row = pytest.mark.parametrize("row", TABLE, ids=[f"{row.method}-{row.name}" for row in TABLE])


class World:
    """An environment with one of everything, and its people."""

    def __init__(self) -> None:
        self.environment = factories.environment(name="Secret garden")
        node, service = factories.node(1), factories.service("web", "shop")
        host = factories.host(self.environment, "fw-01", role=HostRole.WORKER, node_id=node.id)
        stack = factories.stack(self.environment, "shop")
        task = factories.task(service)
        factories.snapshot(self.environment, nodes=[node], services=[service], tasks=[task])
        operation = factories.operation(
            self.environment, "Remove stack shop", OperationState.FAILED, kind="remove_stack", args={"stack": "shop"}
        )
        self.ids = {
            "host": str(host.pk),
            "stack": stack.name,
            "service": service.id,
            "task": task.id,
            "operation": str(operation.pk),
        }

    def call(self, row: Row, user: User | None) -> HttpResponse:
        client = Client()
        if user is not None:
            client.force_login(user)
        address = reverse(row.name, args=[self.environment.pk, *(self.ids[key] for key in row.args)])
        answer: HttpResponse = getattr(client, row.method)(address + row.query)
        return answer


@pytest.fixture
def world() -> World:
    return World()


def test_every_address_has_a_row() -> None:
    of_environment = {str(pattern.name) for pattern in one_environment}
    others = {str(name) for pattern in urlpatterns if (name := getattr(pattern, "name", None))}
    assert {row.name for row in TABLE} == of_environment
    assert others == ELSEWHERE


@each_row
def test_a_visitor_is_sent_to_the_sign_in_page(world: World, row: Row) -> None:
    answer = world.call(row, None)
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


@each_row
def test_an_outsider_finds_nothing(world: World, row: Row) -> None:
    answer = world.call(row, factories.user())
    assert answer.status_code == 404
    assert "Secret garden" not in answer.content.decode()


@each_row
def test_a_read_only_member_looks_but_changes_nothing(world: World, row: Row) -> None:
    reader = factories.member(world.environment, role=MemberRole.READ_ONLY)
    before = Environment.objects.values().get(pk=world.environment.pk), world.environment.operations.count()
    answer = world.call(row, reader)
    assert answer.status_code == (403 if row.changing else row.answer)
    if row.changing:
        assert "not change it" in answer.content.decode()
    after = Environment.objects.values().get(pk=world.environment.pk), world.environment.operations.count()
    assert after == before


@each_row
def test_a_member_is_let_in(world: World, row: Row) -> None:
    answer = world.call(row, factories.member(world.environment))
    assert answer.status_code == (403 if row.owner else row.answer)
    if row.owner:
        assert f"Ask {world.environment.owner} to do it" in answer.content.decode()


@each_row
def test_the_owner_is_let_in(world: World, row: Row) -> None:
    assert world.call(row, world.environment.owner).status_code == row.answer


@each_row
def test_of_a_deleted_environment_members_see_only_its_operations(world: World, row: Row) -> None:
    Environment.objects.filter(pk=world.environment.pk).update(deleted_at="2026-01-01T00:00Z")
    assert world.call(row, world.environment.owner).status_code == (200 if row.name == "operation" else 404)
    assert world.call(row, factories.user()).status_code == 404


def test_the_operation_of_a_deleted_environment_leads_nowhere_that_is_gone(world: World) -> None:
    Environment.objects.filter(pk=world.environment.pk).update(deleted_at="2026-01-01T00:00Z")
    page = world.call(Row("operation", ("operation",)), world.environment.owner).content.decode()
    assert "Secret garden (deleted)" in page
    assert "Retry" not in page
    assert reverse("environment", args=[world.environment.pk]) + '"' not in page


def test_a_background_request_without_a_session_reloads_the_page(world: World) -> None:
    answer = Client().get(reverse("hosts_plan", args=[world.environment.pk]), headers={"HX-Request": "true"})
    assert answer["HX-Refresh"] == "true"
