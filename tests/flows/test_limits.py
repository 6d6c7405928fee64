"""Limits: who may create environments, how many, and with how many hosts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse

from dashboard.flows import hosts, limits, members, operators
from dashboard.flows.environments import create_environment
from dashboard.models import AuditEntry, Environment, Host, HostState, PlatformSettings, UserLimits
from platform_manager.errors import UserError
from tests import factories

pytestmark = pytest.mark.django_db


def decide(**values: object) -> None:
    PlatformSettings.objects.update_or_create(pk=1, defaults=values)


def refused(call: object, *args: object, **kwargs: object) -> UserError:
    with pytest.raises(UserError) as caught:
        call(*args, **kwargs)  # type: ignore[operator]
    return caught.value


def test_without_a_decision_everybody_creates_any_number() -> None:
    user = factories.user()
    for n in range(3):
        create_environment(user, name=f"Shop {n}")
    assert Environment.objects.filter(owner=user).count() == 3


def test_only_operators_create_where_they_decided_so() -> None:
    decide(creators=PlatformSettings.Creators.OPERATORS)
    error = refused(create_environment, factories.user(), name="Shop")
    assert "Only operators create environments" in str(error)
    assert error.field == "name"
    create_environment(factories.user(is_staff=True), name="Shop")


def test_only_members_of_the_group_create_where_operators_chose_one() -> None:
    group = Group.objects.create(name="Builders")
    decide(creators=PlatformSettings.Creators.GROUP, creators_group=group)
    user = factories.user()
    assert "group Builders" in str(refused(create_environment, user, name="Shop"))
    user.groups.add(group)
    create_environment(user, name="Shop")


def test_a_group_that_is_gone_lets_nobody_in_but_operators() -> None:
    decide(creators=PlatformSettings.Creators.GROUP, creators_group=None)
    assert "none yet" in limits.may_create(factories.user())
    assert limits.may_create(factories.user(is_staff=True)) == ""


def test_the_limit_of_environments_is_said_with_its_numbers() -> None:
    decide(environments_per_user=1)
    user = factories.user()
    create_environment(user, name="One")
    assert "You own 1 environment, and 1 is the most" in str(refused(create_environment, user, name="Two"))


def test_deleted_environments_do_not_count() -> None:
    decide(environments_per_user=1)
    user = factories.user()
    factories.environment(user, deleted_at="2026-01-01T00:00Z")
    create_environment(user, name="Two")


def test_a_users_own_limit_stands_before_everybodys() -> None:
    decide(environments_per_user=0, hosts_per_user=4)
    user = factories.user()
    UserLimits.objects.create(user=user, environments=1)
    create_environment(user, name="One")
    assert limits.limits_of(user) == limits.Limits(environments=1, hosts=4)


def test_hosts_are_counted_over_all_environments_of_the_owner() -> None:
    decide(hosts_per_user=3)
    owner = factories.user("olivia")
    first, second = factories.environment(owner), factories.environment(owner)
    factories.host(first), factories.host(first)
    member = factories.member(second)
    error = refused(hosts.add_hosts, second, member, driver="local", prefix="fw", quantity=2)
    assert "olivia, who owns this environment, has 2 hosts in all; with 2 more there would be 4, and 3 is" in str(error)
    assert error.field == "quantity"
    assert not second.hosts.exists()
    hosts.add_hosts(second, member, driver="local", prefix="fw", quantity=1)


def test_the_plan_says_it_before_the_button() -> None:
    decide(hosts_per_user=0)
    assert "0 is the most" in str(refused(hosts.plan_hosts, factories.environment(), "fw", 1))


def test_who_takes_an_environment_over_needs_room_for_it_and_its_hosts() -> None:
    decide(hosts_per_user=1)
    environment = factories.environment()
    factories.host(environment), factories.host(environment, state=HostState.FAILED)
    heir, operator = factories.user("heir"), factories.user(is_staff=True)
    error = refused(members.transfer_environment, environment, heir, by=operator)
    assert "heir has 0 hosts in all; with 2 more there would be 2, and 1 is the most" in str(error)
    Host.objects.last().delete()  # type: ignore[union-attr]
    members.transfer_environment(environment, heir, by=operator)
    environment.refresh_from_db()
    assert environment.owner == heir


def test_the_operators_word_on_registration_stands_before_the_installations(client: Client, settings: object) -> None:
    settings.PM_REGISTRATION = True  # type: ignore[attr-defined]
    decide(registration=False)
    assert "Registration is closed" in client.get(reverse("account_signup")).content.decode()
    settings.PM_REGISTRATION = False  # type: ignore[attr-defined]
    decide(registration=True)
    assert "Registration is closed" not in client.get(reverse("account_signup")).content.decode()
    decide(registration=None)
    assert "Registration is closed" in client.get(reverse("account_signup")).content.decode()


# Suspending


def test_a_suspended_user_is_out_at_once_and_stays_out() -> None:
    operator, user = factories.user(is_staff=True), factories.user()
    browsers = [Client(), Client()]
    for browser in browsers:
        browser.login(username=user.username, password=factories.PASSWORD)
    other = Client()
    other.force_login(operator)
    operators.suspend_user(user, operator)
    assert [browser.get("/environments/").status_code for browser in browsers] == [302, 302]
    assert other.get("/environments/").status_code == 200
    assert Session.objects.count() == 1
    assert not Client().login(username=user.username, password=factories.PASSWORD)
    entry = AuditEntry.objects.get(action="user.suspend")
    assert (entry.actor, entry.object_name, entry.detail["sessions"]) == (operator.username, user.username, 2)


def test_after_a_return_the_sessions_of_before_stay_ended() -> None:
    operator, user = factories.user(is_staff=True), factories.user()
    browser = Client()
    browser.force_login(user)
    operators.suspend_user(user, operator)
    operators.reactivate_user(user, operator)
    assert browser.get("/environments/").status_code == 302
    assert browser.login(username=user.username, password=factories.PASSWORD)


def test_open_pages_of_a_suspended_user_get_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(operators, "hint", lambda group, what: told.append((group, what)))
    user = factories.user()
    operators.suspend_user(user, factories.user(is_staff=True))
    assert told == [(f"user-{user.pk}", "access")]


def test_nobody_suspends_themselves_or_the_last_operator() -> None:
    operator = factories.user("olga", is_staff=True)
    assert "yourself" in str(refused(operators.suspend_user, operator, operator))
    suspended = factories.user("max", is_staff=True, is_active=False)
    assert "last operator" in str(refused(operators.suspend_user, operator, suspended))
    assert "last operator" in str(refused(operators.drop_operator, operator, suspended))
    assert User.objects.get(pk=operator.pk).is_active


def test_an_operator_is_made_and_unmade_by_another() -> None:
    olga, user = factories.user(is_staff=True), factories.user()
    operators.make_operator(user, olga)
    user.refresh_from_db()
    assert user.is_staff
    operators.drop_operator(olga, user)
    olga.refresh_from_db()
    assert not olga.is_staff
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        "user.make_operator",
        "user.drop_operator",
    ]


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_do_not_both_take_the_last_place() -> None:
    decide(environments_per_user=1)
    user = factories.user()
    together = Barrier(2)

    def create(name: str) -> str:
        together.wait(10)
        try:
            create_environment(user, name=name)
        except UserError as error:
            return str(error)
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor(2) as threads:
        answers = sorted(threads.map(create, ["One", "Two"]))
    assert answers[0] == ""
    assert "1 is the most" in answers[1]
    assert Environment.objects.filter(owner=user).count() == 1
