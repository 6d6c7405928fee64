"""Who may call what: every address is visited as everybody; a new one without a row in the table fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.test.client import ClientHandler
from django.urls import reverse

from dashboard.flows import invitations, members
from dashboard.models import Environment, HostRole, MemberRole, OperationState
from tests import factories
from tests.views.access_table import (
    ADMIN,
    ADMIN_ROUTES,
    LASTING,
    OF_ENVIRONMENT,
    PEOPLE,
    SIGN_IN,
    TABLE,
    Answer,
    Row,
    addresses,
)

pytestmark = pytest.mark.django_db
each_row = pytest.mark.parametrize("row", TABLE, ids=str)
OF_ENVIRONMENT_NAMES = {row.where for row in OF_ENVIRONMENT}
# Who holds the link of an invitation reads to what.
INVITING = {"invitation_link"}
NOWHERE = "http://127.0.0.1:1/v3"
HANDLER = ClientHandler(enforce_csrf_checks=False)
DOORS = ("/accounts/login/", "/admin/login/")


class World:
    """An environment with one of everything, and its people."""

    def __init__(self) -> None:
        self._cookies: dict[str, dict[str, str]] = {}
        self.environment = factories.environment(factories.user("anna"), "Secret garden")
        owner = self.environment.owner
        self.people: dict[str, User | None] = {
            "visitor": None,
            "outsider": factories.user(),
            "read-only": factories.member(self.environment, role=MemberRole.READ_ONLY),
            "restricted": factories.member(self.environment, role=MemberRole.RESTRICTED),
            "member": factories.member(self.environment),
            "owner": owner,
            "operator": factories.user(is_staff=True),
        }
        node, service = factories.node(1), factories.service("web", "shop")
        outside = factories.service("web", "elsewhere")
        host = factories.host(self.environment, "fw-01", role=HostRole.WORKER, node_id=node.id)
        stack = factories.stack(self.environment, "shop")
        task = factories.task(service)
        factories.snapshot(self.environment, nodes=[node], services=[service, outside], tasks=[task])
        group = Group.objects.create(name="fiware:org:acme")
        members.grant_group(self.environment, group, MemberRole.READ_ONLY, by=factories.user(is_staff=True))
        factories.template()
        catalog = factories.catalog(self.environment, "Secret garden's")
        png = b"\x89PNG\r\n\x1a\n"
        self.ids = {
            "catalog": catalog.pk,
            "recipe": factories.recipe(catalog, logo=png, logo_type="image/png").pk,
            "host": host.pk,
            "stack": stack.name,
            "service": service.id,
            "task": task.id,
            "operation": self._failed("Remove stack shop", "remove_stack", {"stack": "shop"}),
            "host_operation": self._failed("Remove fw-01", "remove_host", {"host": str(host.pk)}),
            "user": factories.member(self.environment).pk,
            "group": group.pk,
            "opening": self.environment.open_ports.create(port=8080).pk,
            "registry": self.environment.registries.create(server="127.0.0.1:1", username="ann").pk,
            # Nothing listens there.
            "account": factories.cloud_account(owner, auth_url=NOWHERE, secret={"auth_url": NOWHERE}).pk,
            **self._invitations(owner),
        }
        for who in self.people:
            self.client(who)

    def _failed(self, title: str, kind: str, args: dict[str, Any]) -> object:
        return factories.operation(self.environment, title, OperationState.FAILED, kind=kind, args=args).pk

    def _invitations(self, owner: User) -> dict[str, object]:
        """One by name, for none of the people, and one whose link works for whoever holds it."""
        factories.user("invited")
        named = invitations.invite(self.environment, owner, who="invited", role=MemberRole.MEMBER)
        mailed = invitations.invite(self.environment, owner, who="new@example.com", role=MemberRole.READ_ONLY)
        return {"invitation": named.invitation.pk, "token": mailed.link.rstrip("/").rpartition("/")[2]}

    def address(self, row: Row) -> str:
        if row.where.startswith("/"):
            return row.where
        args = [self.ids.get(key, key) for key in row.args]
        if row.where in OF_ENVIRONMENT_NAMES:
            args.insert(0, self.environment.pk)
        return reverse(row.where, args=args) + row.query

    def call(self, row: Row, who: str) -> HttpResponse:
        client = self.client(who)
        answer: HttpResponse = getattr(client, row.method)(self.address(row), row.data)
        return answer

    def client(self, who: str) -> Client:
        """A browser of theirs. All share one handler: setting it up costs more than most pages."""
        client = Client()
        client.handler = HANDLER
        user = self.people[who]
        if who not in self._cookies:
            if user is not None:
                client.force_login(user)
            self._cookies[who] = {name: cookie.value for name, cookie in client.cookies.items()}
        client.cookies = SimpleCookie(self._cookies[who])
        return client

    def state(self) -> object:
        """What nobody who is refused may have changed."""
        environment = Environment.objects.get(pk=self.environment.pk)
        rows = (environment.memberships, environment.group_accesses, environment.invitations, environment.operations)
        rows = (*rows, environment.open_ports, environment.registries, environment.catalogs)
        return Environment.objects.values().get(pk=environment.pk), [list(of.order_by("pk").values()) for of in rows]


@pytest.fixture
def world() -> World:
    return World()


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside is taken back, for the next person to find the same world."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def told(answer: HttpResponse) -> Answer:
    there = answer.headers.get("Location", "")
    return SIGN_IN if answer.status_code == 302 and there.startswith(DOORS) else answer.status_code


def test_every_address_has_a_row() -> None:
    rows = {row.where for row in TABLE}
    found = {(name or route) for route, name in addresses() if not route.startswith(ADMIN)}
    assert found - rows == set(), "These addresses have no row in access_table.py."
    assert rows - found == set(), "These rows of access_table.py have no address."


@each_row
def test_each_address_answers_everybody_as_the_table_says(world: World, row: Row) -> None:
    before, found = world.state(), {}
    for who in PEOPLE:
        with undone():
            answer = world.call(row, who)
            found[who] = told(answer)
            if found[who] in (SIGN_IN, 403, 404):
                assert world.state() == before, f"{who} was refused, and something changed"
            if who in ("visitor", "outsider"):
                told_name = "Secret garden" in answer.content.decode()
                assert not told_name or (who == "outsider" and row.where in INVITING)
            if found[who] == 403:
                assert "Ask anna" in answer.content.decode()
    assert found == row.answers


def test_of_a_deleted_environment_only_its_operations_are_seen(world: World) -> None:
    Environment.objects.filter(pk=world.environment.pk).update(deleted_at="2026-01-01T00:00Z")
    for row in OF_ENVIRONMENT:
        for who in ("outsider", "read-only", "owner", "operator"):
            with undone():
                seen = row.where in LASTING and who != "outsider"
                assert told(world.call(row, who)) == (200 if seen else 404), f"{row} as {who}"


def test_the_operation_of_a_deleted_environment_leads_nowhere_that_is_gone(world: World) -> None:
    Environment.objects.filter(pk=world.environment.pk).update(deleted_at="2026-01-01T00:00Z")
    row = next(row for row in OF_ENVIRONMENT if row.where == "operation")
    page = world.call(row, "owner").content.decode()
    assert "Secret garden (deleted)" in page
    assert "Retry" not in page
    assert reverse("environment", args=[world.environment.pk]) + '"' not in page


def test_a_background_request_without_a_session_reloads_the_page(world: World) -> None:
    answer = Client().get(reverse("hosts_plan", args=[world.environment.pk]), headers={"HX-Request": "true"})
    assert answer["HX-Refresh"] == "true"


# The admin site

OPEN_TO_ALL = {"/admin/login/", "/admin/logout/", "/admin/password_change/"}
ADMIN_MODEL = re.compile(r"^/admin/(?P<app>\w+)/(?P<model>\w+)/")


def admin_address(route: str) -> str:
    """The route with the first row of its model, where there is one."""
    found = ADMIN_MODEL.match(route)
    row = None
    if found and found["app"] in ("dashboard", "auth"):
        row = apps.get_model(found["app"], found["model"]).objects.first()
    filled = route.replace("^(?P<app_label>dashboard|auth)/$", "dashboard/").replace("(?P<url>.*)$", "nothing/")
    filled = re.sub(r"<(path:object_id|id)>", str(row.pk if row else 1), filled)
    filled = re.sub(r"<[^>]+>", "nothing", filled)
    assert "(" not in filled, f"{route}: say here what its parameters are"
    return filled


def test_the_admin_site_is_for_operators_only(world: World) -> None:
    wrong = []
    for route in ADMIN_ROUTES:
        address = admin_address(route)
        for who in PEOPLE if route not in OPEN_TO_ALL else ():
            with undone():
                answer = world.client(who).get(address)
                allowed = (200, 302, 400, 403, 404, 405) if who == "operator" else (SIGN_IN, 403, 404, 405)
                if told(answer) not in allowed or (who != "operator" and "Secret garden" in answer.content.decode()):
                    wrong.append((address, who, told(answer)))
    assert wrong == []


def test_nobody_but_operators_changes_anything_in_the_admin_site(world: World) -> None:
    before = world.state()
    for route in ADMIN_ROUTES:
        if route not in OPEN_TO_ALL:
            for who in ("visitor", "owner"):
                assert told(world.client(who).post(admin_address(route))) in (SIGN_IN, 403, 404, 405), (route, who)
    assert world.state() == before


def test_each_list_of_the_admin_site_opens_for_operators(world: World) -> None:
    lists = [route for route, name in addresses() if name.startswith("admin:") and name.endswith("_changelist")]
    assert lists
    for address in lists:
        assert told(world.client("operator").get(address, follow=True)) == 200, address


def test_the_doors_of_the_admin_site_lead_everybody_somewhere(world: World) -> None:
    for address in OPEN_TO_ALL:
        for who in PEOPLE:
            with undone():
                assert world.client(who).get(address).status_code in (200, 302, 403, 405)
