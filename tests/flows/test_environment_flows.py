"""Environments: names, templates and what a deletion says."""

from __future__ import annotations

import pytest

from dashboard.flows import environments, hosts
from dashboard.models import EnvironmentTemplate, MemberRole, OperationState
from platform_manager.errors import UserError
from tests import factories

pytestmark = pytest.mark.django_db


def test_three_templates_ship() -> None:
    found = {t.slug: (t.managers, t.mtu) for t in EnvironmentTemplate.objects.all()}
    assert found == {"evaluation": (1, None), "standard": (3, None), "fiware-lab": (3, 1400)}


def test_a_name_is_tidied_and_its_maker_is_the_owner() -> None:
    user = factories.user()
    environment = environments.create_environment(user, name="  My   Lab ")
    assert environment.name == "My Lab"
    assert environment.role_of(user) == MemberRole.OWNER


@pytest.mark.parametrize(
    ("name", "words"),
    [("", "Give"), ("  ", "Give"), ("x" * 61, "61 characters"), ("a\x00b", "can't be shown"), ("my LAB", "already")],
)
def test_a_bad_name_is_refused_at_its_field(name: str, words: str) -> None:
    user = factories.user()
    environments.create_environment(user, name="My Lab")
    with pytest.raises(UserError, match=words) as refused:
        environments.create_environment(user, name=name)
    assert refused.value.field == "name"


def test_two_users_may_choose_the_same_name() -> None:
    environments.create_environment(factories.user(), name="Lab")
    environments.create_environment(factories.user(), name="Lab")


@pytest.mark.parametrize(("field", "value"), [("managers", 2), ("managers", 0), ("mtu", 100), ("mtu", 20_000)])
def test_a_number_out_of_range_is_refused_at_its_field(field: str, value: int) -> None:
    with pytest.raises(UserError) as refused:
        environments.create_environment(factories.user(), name="Lab", **{field: value})
    assert refused.value.field == field


def test_deleting_wants_the_name_and_cancels_what_waits() -> None:
    user = factories.user()
    environment = environments.create_environment(user, name="My Lab", managers=1)
    waiting = hosts.add_hosts(environment, user, driver="local", prefix="fw", quantity=2)
    with pytest.raises(UserError, match="Type the environment's name"):
        environments.delete_environment(environment, user, "my lab")
    assert [host.name for host in environments.deletion_plan(environment).destroyed] == ["fw-01", "fw-02"]
    environments.delete_environment(environment, user, "My Lab")
    waiting.refresh_from_db()
    assert waiting.state == OperationState.CANCELLED
    with pytest.raises(UserError, match="being deleted"):
        environments.delete_environment(environment, user, "My Lab")
