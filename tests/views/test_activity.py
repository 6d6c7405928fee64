"""Members see who did what in their environment; only owners and operators see from where."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from dashboard.models import AuditEntry, Environment, MemberRole
from dashboard.models.auditing import Origin, acting, record
from dashboard.pages.activity import ACTIONS
from dashboard.pages.lists import PAGE_SIZE
from tests import factories
from tests.repository.checkout import ROOT

pytestmark = pytest.mark.django_db


@pytest.fixture
def garden() -> Environment:
    made = factories.environment(factories.user("ada"), "Garden")
    stack = factories.stack(made, "shop")
    with acting(Origin(AuditEntry.Via.UI, "192.0.2.7", made.owner)):
        record("stack.deploy", stack, outcome=AuditEntry.Outcome.REQUESTED)
    record("hosts.add", environment=made, name="fw-01", by=factories.member(made, factories.user("bob")))
    record("environment.create", factories.environment(name="Elsewhere"))
    return made


def page(user: User, of: Environment, **query: str) -> str:
    client = Client()
    client.force_login(user)
    return client.get(reverse("activity", args=[of.pk]), query).content.decode()


def test_a_member_sees_what_happened_here_only(garden: Environment) -> None:
    told = page(factories.member(garden, role=MemberRole.READ_ONLY), garden)
    assert "Asked to deploy a stack" in told
    assert "bob" in told
    assert "Elsewhere" not in told


def test_addresses_are_for_owners_and_operators(garden: Environment) -> None:
    assert "192.0.2.7" not in page(factories.member(garden), garden)
    assert "192.0.2.7" in page(garden.owner, garden)
    assert "192.0.2.7" in page(factories.user(is_staff=True), garden)


def rows(told: str) -> int:
    return told.count('<tr id="entry-')


def test_by_person_and_by_action(garden: Environment) -> None:
    assert rows(page(garden.owner, garden)) == 2
    assert "fw-01" in page(garden.owner, garden, q="bob")
    assert rows(page(garden.owner, garden, q="bob")) == 1
    assert rows(page(garden.owner, garden, action="stack.deploy")) == 1
    assert "Nothing matches" in page(garden.owner, garden, q="nobody")


def test_many_entries_are_paged(garden: Environment) -> None:
    for n in range(PAGE_SIZE):
        record("stack.update", environment=garden, name=f"stack-{n}")
    assert rows(page(garden.owner, garden)) == PAGE_SIZE
    assert rows(page(garden.owner, garden, p="2")) == 2


def test_names_are_shown_as_text(garden: Environment) -> None:
    record("stack.update", environment=garden, name="<script>alert(1)</script>")
    assert "<script>alert" not in page(garden.owner, garden)


def test_every_kind_of_operation_has_words() -> None:
    from dashboard.operations import catalogue
    from dashboard.operations.kinds import all_kinds

    catalogue.load()
    builtin = [kind.name for kind in all_kinds() if not kind.name.startswith("test")]
    assert builtin
    assert [name for name in builtin if f"{name}.finished" not in ACTIONS] == []


def test_everything_people_do_in_an_environment_has_words() -> None:
    deed = re.compile(r'"((?:stack|catalog|registry|hosts?|port|member|group)\.[a-z_]+)"')
    written = {name for path in (ROOT / "dashboard" / "flows").rglob("*.py") for name in deed.findall(path.read_text())}
    assert "stack.rollback" in written
    assert written - set(ACTIONS) == set()
