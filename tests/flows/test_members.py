"""Members and groups: who goes, who takes over, that an environment keeps an owner; and who sees which list."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from dashboard.flows import invitations, members
from dashboard.models import AuditEntry, Environment, MemberRole, PlatformSettings
from platform_manager.errors import UserError
from tests import factories

pytestmark = pytest.mark.django_db


def token_of(sent: invitations.Sent) -> str:
    return sent.link.rstrip("/").rpartition("/")[2]


def refused(sentence: str) -> Any:
    return pytest.raises(UserError, match=sentence)


def test_the_last_owner_stays_one(shop: Environment, anna: User) -> None:
    factories.member(shop, factories.user("asleep", is_active=False), MemberRole.OWNER)
    factories.member(shop)
    with refused("You are the last owner of shop"):
        members.change_role(shop, anna, MemberRole.MEMBER, by=anna)
    with refused("You are the last owner of shop"):
        members.leave_environment(shop, anna)
    with refused("anna is the last owner"):
        members.remove_member(shop, anna, by=factories.user(is_staff=True))
    assert shop.role_of(anna) == MemberRole.OWNER


@pytest.mark.parametrize("how", ["lowered", "removed", "left"])
def test_with_another_owner_the_environment_passes_on(shop: Environment, anna: User, how: str) -> None:
    bob = factories.member(shop, factories.user("bob"), MemberRole.OWNER)
    if how == "lowered":
        members.change_role(shop, anna, MemberRole.READ_ONLY, by=bob)
    elif how == "removed":
        members.remove_member(shop, anna, by=bob)
    else:
        members.leave_environment(shop, anna)
    shop.refresh_from_db()
    assert shop.owner == bob
    assert shop.role_of(anna) == (MemberRole.READ_ONLY if how == "lowered" else None)


def test_it_passes_on_to_an_owner_who_has_no_environment_of_that_name(shop: Environment, anna: User) -> None:
    bob = factories.member(shop, factories.user("bob"), MemberRole.OWNER)
    factories.environment(bob, "SHOP")
    with refused("bob has an environment called shop already"):
        members.leave_environment(shop, anna)
    carl = factories.member(shop, factories.user("carl"), MemberRole.OWNER)
    members.leave_environment(shop, anna)
    shop.refresh_from_db()
    assert shop.owner == carl


def test_handing_over_makes_the_owner_of_before_a_member(shop: Environment, anna: User) -> None:
    bob = factories.member(shop, factories.user("bob"), MemberRole.READ_ONLY)
    members.transfer_environment(shop, bob, by=anna)
    shop.refresh_from_db()
    assert (shop.owner, shop.role_of(bob), shop.role_of(anna)) == (bob, MemberRole.OWNER, MemberRole.MEMBER)
    assert AuditEntry.objects.get(action="environment.transfer").detail == {"before": "anna", "after": "bob"}


def test_only_a_member_without_an_environment_of_that_name_can_take_it(shop: Environment, anna: User) -> None:
    bob = factories.user("bob")
    with refused("bob is no member of this environment"):
        members.transfer_environment(shop, bob, by=anna)
    factories.member(shop, bob)
    factories.environment(bob, "Shop")
    with refused("bob has an environment called shop already"):
        members.transfer_environment(shop, bob, by=anna)
    shop.refresh_from_db()
    assert shop.owner == anna


def test_handing_over_takes_the_typed_name(client: Client, shop: Environment, anna: User) -> None:
    bob = factories.member(shop, factories.user("bob"))
    client.force_login(anna)
    address = reverse("environment_transfer", args=[shop.pk])
    wrong = client.post(address, {"to": bob.pk, "typed_name": "chop"})
    assert wrong.status_code == 422
    assert "Type the environment&#x27;s name, shop, to hand it over" in wrong.content.decode()
    assert client.post(address, {"to": bob.pk, "typed_name": "shop"}).status_code == 302
    shop.refresh_from_db()
    assert shop.owner == bob


def test_the_last_owner_who_wants_to_leave_is_offered_to_hand_over(
    client: Client, shop: Environment, anna: User
) -> None:
    client.force_login(anna)
    answer = client.post(reverse("environment_leave", args=[shop.pk]))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "You are the last owner of shop" in page
    assert reverse("environment_transfer", args=[shop.pk]) in page
    assert shop.role_of(anna) == MemberRole.OWNER


def test_who_leaves_sees_nothing_any_more(client: Client, shop: Environment) -> None:
    bob = factories.member(shop)
    client.force_login(bob)
    assert client.post(reverse("environment_leave", args=[shop.pk])).headers["Location"] == reverse("environments")
    assert client.get(reverse("environment", args=[shop.pk])).status_code == 404


# Groups


@pytest.fixture
def acme(anna: User) -> Group:
    group = Group.objects.create(name="fiware:org:acme")
    anna.groups.add(group)
    return group


def test_a_group_shares_the_environment_until_its_role_is_taken_away(
    shop: Environment, anna: User, acme: Group
) -> None:
    bob = factories.user("bob")
    acme.user_set.add(bob)
    members.grant_group(shop, acme, MemberRole.RESTRICTED, by=anna)
    assert shop.role_of(bob) == MemberRole.RESTRICTED
    members.change_group(shop, acme, MemberRole.MEMBER, by=anna)
    assert shop.role_of(bob) == MemberRole.MEMBER
    members.revoke_group(shop, acme, by=anna)
    assert shop.role_of(bob) is None


def test_an_owner_chooses_among_the_own_groups_and_operators_among_all(
    shop: Environment, anna: User, acme: Group
) -> None:
    other = Group.objects.create(name="others")
    assert list(members.groups_for(anna)) == [acme]
    with refused("Choose a group that you belong to"):
        members.grant_group(shop, other, MemberRole.MEMBER, by=anna)
    operator = factories.user(is_staff=True)
    assert set(members.groups_for(operator)) >= {acme, other}
    members.grant_group(shop, other, MemberRole.MEMBER, by=operator)


def test_a_group_owns_nothing_and_has_one_role(shop: Environment, anna: User, acme: Group) -> None:
    with refused("A group can't own an environment"):
        members.grant_group(shop, acme, MemberRole.OWNER, by=anna)
    members.grant_group(shop, acme, MemberRole.MEMBER, by=anna)
    with refused("has a role here already"):
        members.grant_group(shop, acme, MemberRole.READ_ONLY, by=anna)
    with refused("A group can't own an environment"):
        members.change_group(shop, acme, MemberRole.OWNER, by=anna)


def test_who_is_here_through_a_group_is_told_who_can_let_them_go(shop: Environment, anna: User, acme: Group) -> None:
    bob = factories.user("bob")
    acme.user_set.add(bob)
    members.grant_group(shop, acme, MemberRole.MEMBER, by=anna)
    with refused("You are here through the group fiware:org:acme"):
        members.leave_environment(shop, bob)


def test_all_of_it_is_in_the_audit_log_without_the_links(shop: Environment, anna: User, acme: Group) -> None:
    bob = factories.user("bob")
    sent = invitations.invite(shop, anna, who="bob", role=MemberRole.MEMBER)
    sent = invitations.invite_again(sent.invitation, anna)
    invitations.accept(sent.invitation, bob)
    gone = invitations.invite(shop, anna, who="x@example.org", role=MemberRole.MEMBER)
    invitations.withdraw(gone.invitation, anna)
    members.change_role(shop, bob, MemberRole.READ_ONLY, by=anna)
    members.grant_group(shop, acme, MemberRole.MEMBER, by=anna)
    members.change_group(shop, acme, MemberRole.READ_ONLY, by=anna)
    members.revoke_group(shop, acme, by=anna)
    members.leave_environment(shop, bob)
    entries = list(AuditEntry.objects.order_by("id").values_list("action", "actor", "object_name", "environment"))
    assert entries == [
        ("member.invite", "anna", "bob", "shop"),
        ("member.invite_again", "anna", "bob", "shop"),
        ("member.join", "bob", "bob", "shop"),
        ("member.invite", "anna", "x@example.org", "shop"),
        ("member.withdraw", "anna", "x@example.org", "shop"),
        ("member.role", "anna", "bob", "shop"),
        ("group.grant", "anna", "fiware:org:acme", "shop"),
        ("group.role", "anna", "fiware:org:acme", "shop"),
        ("group.revoke", "anna", "fiware:org:acme", "shop"),
        ("member.leave", "bob", "bob", "shop"),
    ]
    written = str(list(AuditEntry.objects.values()))
    assert token_of(sent) not in written
    assert token_of(gone) not in written


@pytest.mark.parametrize("address", ["member_role", "group_role"])
@pytest.mark.parametrize("number", [0, 10**30])
def test_a_number_that_nobody_has_is_not_found(
    client: Client, shop: Environment, anna: User, address: str, number: int
) -> None:
    client.force_login(anna)
    assert client.get(reverse(address, args=[shop.pk, number])).status_code == 404


def test_who_may_not_create_environments_is_told_why(client: Client, anna: User) -> None:
    PlatformSettings(creators=PlatformSettings.Creators.OPERATORS).save()
    client.force_login(anna)
    for answer in (client.get(reverse("environment_new")), client.post(reverse("environment_new"))):
        assert answer.status_code == 403
        assert "Only operators create environments on this platform" in answer.content.decode()


def test_the_new_owner_s_limit_holds(shop: Environment, anna: User) -> None:
    bob = factories.member(shop, factories.user("bob"))
    PlatformSettings(environments_per_user=0).save()
    with refused("bob owns 0 environments, and 0 is the most"):
        members.transfer_environment(shop, bob, by=anna)


def test_operators_find_any_environment_by_name_or_owner(client: Client, anna: User) -> None:
    factories.environment(anna, "orders")
    factories.environment(factories.user("zoe"), "lab")
    client.force_login(factories.user(is_staff=True))

    def found(query: str) -> list[str]:
        rows = client.get(f"/environments/?show=all&q={query}").context["environments"].rows
        return [row.name for row in rows]

    assert found("") == ["lab", "orders"]
    assert found("ORD") == ["orders"]
    assert found("zoe") == ["lab"]
    assert found("nothing") == []


def test_only_operators_have_a_list_of_all(client: Client, shop: Environment) -> None:
    client.force_login(factories.user())
    page = client.get("/environments/?show=all")
    assert page.context["tab"] == "mine"
    assert page.context["environments"].rows == []


def test_an_operator_without_a_role_is_told_so_and_finds_the_environment_in_the_switcher(
    client: Client, shop: Environment
) -> None:
    operator = factories.user(is_staff=True)
    client.force_login(operator)
    address = reverse("environment", args=[shop.pk])
    page = client.get(address).content.decode()
    assert "You look at this as an operator." in page
    assert f'class="dropdown-item active" href="{address}"' in page
    assert f'href="{address}"' not in client.get("/environments/?show=mine").content.decode()
    factories.member(shop, operator)
    assert "You look at this as an operator." not in client.get(address).content.decode()
