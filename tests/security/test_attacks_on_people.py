"""What somebody with an account could try on other people: names that mislead, offers that outlive a right, links."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from dashboard.flows import invitations, members, operators
from dashboard.models import Environment, Invitation, MemberRole
from dashboard.models.permissions import is_operator
from platform_manager.accounts import roles
from platform_manager.accounts.keyrock import Person, Role
from tests import factories

pytestmark = pytest.mark.django_db
PASS_PHRASE = "a good pass phrase"


@pytest.fixture(autouse=True)
def no_tries_counted() -> None:
    cache.clear()


@pytest.fixture
def shop() -> Environment:
    return factories.environment(factories.user("anna"), "shop")


def page(user: User, name: str, of: Environment, **query: str) -> str:
    client = Client()
    client.force_login(user)
    return client.get(reverse(name, args=[of.pk]), query).content.decode()


def test_nobody_registers_the_address_of_somebody_as_a_name(settings: Any, shop: Environment) -> None:
    """Else an invitation to the address would be one to whoever took the name."""
    settings.PM_REGISTRATION = True
    words = {"username": "carl@example.net", "password1": PASS_PHRASE, "password2": PASS_PHRASE}
    answer = Client().post(reverse("account_signup"), words)
    assert "can&#x27;t have an @" in answer.content.decode()
    sent = invitations.invite(shop, shop.owner, who="carl@example.net", role=MemberRole.OWNER)
    assert sent.invitation.user is None


def test_an_address_that_nobody_confirmed_gets_no_environment(shop: Environment) -> None:
    eve, olga = factories.user("eve"), factories.user("olga", is_staff=True)
    User.objects.filter(pk=eve.pk).update(email="carl@example.net")
    client = Client()
    client.force_login(olga)
    address = reverse("admin:dashboard_environment_deed", args=[shop.pk, "hand-over"])
    assert client.post(address, {"to": "carl@example.net"}).status_code == 422
    EmailAddress.objects.create(user=factories.user("carl"), email="Carl@example.net", verified=True)
    assert client.post(address, {"to": "carl@example.net"}).status_code == 302
    shop.refresh_from_db()
    assert shop.owner.username == "carl"


@pytest.mark.parametrize("end", ["lowered", "removed", "suspended", "no operator"])
def test_an_offer_counts_no_longer_than_the_right_to_make_it(shop: Environment, end: str) -> None:
    """Else who is thrown out comes back as an owner by an invitation of their own to another account."""
    eve = factories.user("eve", is_staff=end == "no operator")
    if end != "no operator":
        factories.member(shop, eve, MemberRole.OWNER)
    sent = invitations.invite(shop, eve, who="eve2@example.org", role=MemberRole.OWNER)
    assert Invitation.objects.open().count() == 1
    if end == "lowered":
        members.change_role(shop, eve, MemberRole.MEMBER, by=shop.owner)
    elif end == "removed":
        members.remove_member(shop, eve, by=shop.owner)
    elif end == "suspended":
        operators.suspend_user(eve, factories.user("olga", is_staff=True))
    else:
        operators.drop_operator(eve, factories.user("olga", is_staff=True))
    client = Client()
    client.force_login(factories.user("eve2"))
    path = "/" + sent.link.split("/", 3)[3]
    assert client.post(path, {"answer": "accept"}).status_code == 404
    assert not shop.memberships.filter(user__username="eve2").exists()


def test_an_open_invitation_ends_with_the_membership(shop: Environment) -> None:
    """Else who has two of them comes back with the second."""
    bob = factories.user("bob")
    invitations.invite(shop, shop.owner, who="bob", role=MemberRole.OWNER)
    by_link = invitations.invite(shop, shop.owner, who="bob@example.net", role=MemberRole.READ_ONLY)
    invitations.accept(by_link.invitation, bob)
    members.remove_member(shop, bob, by=shop.owner)
    assert not invitations.invitations_for(bob)


def test_the_activity_shows_addresses_to_those_who_may_see_them(shop: Environment) -> None:
    invitations.invite(shop, shop.owner, who="carl@example.net", role=MemberRole.MEMBER)
    ben = factories.member(shop, role=MemberRole.READ_ONLY)
    assert "carl@example.net" in page(shop.owner, "activity", shop)
    assert "c…@example.net" in page(ben, "activity", shop)
    assert "carl@example.net" not in page(ben, "activity", shop)
    assert "Nothing matches" in page(ben, "activity", shop, q="carl@")


@pytest.mark.parametrize("host", ["localhost", "testserver:8443"])
def test_mails_lead_to_the_platform_whatever_host_was_asked(settings: Any, mailoutbox: list[Any], host: str) -> None:
    settings.PM_URL = "https://platform.example.org"
    settings.PM_REGISTRATION = True
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    known = factories.user("known")
    visitor = Client(headers={"host": host})
    words = {"username": "new", "email": "new@example.net", "password1": PASS_PHRASE, "password2": PASS_PHRASE}
    visitor.post(reverse("account_signup"), words)
    Client(headers={"host": host}).post(reverse("account_reset_password"), {"email": known.email})
    again = Client(headers={"host": host})
    again.post(reverse("account_signup"), {**words, "username": "other", "email": known.email})
    again.post(reverse("account_reset_password"), {"email": "nobody@example.net"})
    assert len(mailoutbox) == 4
    for mail in mailoutbox:
        links = [word for word in mail.body.split() if "://" in word]
        assert host not in mail.body
        assert links
        assert all(link.startswith("https://platform.example.org/") for link in links), links


def test_registering_does_not_tell_whose_addresses_have_accounts(settings: Any) -> None:
    settings.PM_REGISTRATION = True
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    taken = factories.user("known").email
    answers = []
    for name, email in (("new", "new@example.net"), ("other", taken)):
        words = {"username": name, "email": email, "password1": PASS_PHRASE, "password2": PASS_PHRASE}
        answers.append(Client().post(reverse("account_signup"), words))
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert not User.objects.filter(username="other").exists()


def test_the_group_that_marks_operators_by_role_stays(settings: Any) -> None:
    """Without it nobody would know whose rights go with the role."""
    settings.PM_FIWARE_OPERATOR_ROLE = "boss"
    eve = factories.user("eve")
    roles.follow(eve, Person("1", "eve", roles=(Role("r", "boss"),)))
    client = Client()
    client.force_login(factories.user("olga", is_staff=True))
    group = Group.objects.get(name=roles.OPERATORS)
    client.post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"})
    client.post(reverse("admin:auth_group_change", args=[group.pk]), {"name": "renamed"})
    roles.follow(eve, Person("1", "eve"))
    eve.refresh_from_db()
    assert not is_operator(eve)


def test_an_operators_password_is_tried_at_one_door_only() -> None:
    """The admin site's own form counts no tries, asks for no second factor and records nothing."""
    client = Client()
    client.force_login(factories.user("olga", is_staff=True))
    door = reverse("account_change_password")
    words = {"old_password": factories.PASSWORD, "new_password1": PASS_PHRASE, "new_password2": PASS_PHRASE}
    for answer in (client.get(reverse("admin:password_change")), client.post(reverse("admin:password_change"), words)):
        assert answer.status_code == 302
        assert answer.headers["Location"] == door
    assert User.objects.get(username="olga").check_password(factories.PASSWORD)


def test_an_account_of_fiware_gets_no_password_from_operators_either() -> None:
    eve = factories.user("eve")
    eve.set_unusable_password()
    eve.save()
    SocialAccount.objects.create(user=eve, provider="fiware", uid="1")
    client = Client()
    client.force_login(factories.user("olga", is_staff=True))
    address = reverse("admin:auth_user_password_change", args=[eve.pk])
    words = {"password1": PASS_PHRASE, "password2": PASS_PHRASE, "usable_password": "true"}
    assert client.post(address, words).status_code == 403
    assert not User.objects.get(pk=eve.pk).has_usable_password()
    bob = factories.user("bob")
    assert client.post(reverse("admin:auth_user_password_change", args=[bob.pk]), words).status_code == 302
    assert User.objects.get(pk=bob.pk).check_password(PASS_PHRASE)


def test_a_filter_in_the_address_asks_for_nothing_that_is_not_shown(shop: Environment) -> None:
    """Else true and false would spell out what pages leave out."""
    host = factories.host(shop, "fw-01", options={"password": "hidden"})
    client = Client()
    client.force_login(factories.user("olga", is_staff=True))
    address = reverse("admin:dashboard_host_changelist")
    assert host.name in client.get(address, {"state__exact": "active"}).content.decode()
    found = client.get(address, {"options__password__startswith": "h"}, follow=True)
    assert found.status_code == 400 or host.name not in found.content.decode()
