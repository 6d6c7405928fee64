"""Invitations: who can be invited, what the link does, and when it ends."""

from __future__ import annotations

from datetime import timedelta
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dashboard.flows import invitations
from dashboard.models import Environment, Invitation, MemberRole
from platform_manager.errors import UserError
from tests import factories

pytestmark = pytest.mark.django_db


def proven(user: User, email: str) -> None:
    EmailAddress.objects.create(user=user, email=email, verified=True)


def token_of(sent: invitations.Sent) -> str:
    return sent.link.rstrip("/").rpartition("/")[2]


def refused(sentence: str) -> Any:
    return pytest.raises(UserError, match=sentence)


def test_a_user_who_is_invited_by_name_joins_with_the_role(shop: Environment, anna: User) -> None:
    bob = factories.user("bob")
    invitations.invite(shop, anna, who=" Bob ", role=MemberRole.RESTRICTED)
    assert shop.role_of(bob) is None
    (open_one,) = invitations.invitations_for(bob)
    invitations.accept(open_one, bob)
    assert shop.role_of(bob) == MemberRole.RESTRICTED
    assert not invitations.invitations_for(bob)
    assert not mail.outbox


def test_an_address_gets_a_mail_with_the_link_that_the_inviter_sees_too(shop: Environment, anna: User) -> None:
    sent = invitations.invite(shop, anna, who="New@Example.org", role=MemberRole.MEMBER)
    (letter,) = mail.outbox
    assert letter.to == ["new@example.org"]
    assert sent.link in letter.body
    assert "anna invites you to the environment shop as member" in letter.body
    assert token_of(sent) not in str(Invitation.objects.values())
    found = invitations.invitation_of(token_of(sent))
    assert found is not None
    late = factories.user("late")
    invitations.accept(found, late)
    assert shop.role_of(late) == MemberRole.MEMBER


def test_a_mail_server_that_is_away_leaves_the_link(shop: Environment, anna: User, monkeypatch: Any) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise SMTPServerDisconnected("away")

    monkeypatch.setattr(mail.backends.locmem.EmailBackend, "send_messages", broken)
    sent = invitations.invite(shop, anna, who="new@example.org", role=MemberRole.MEMBER)
    assert sent.mailed is False
    assert invitations.invitation_of(token_of(sent))


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ("nobody", "Nobody here has the user name nobody"),
        ("gone", "Nobody here has the user name gone"),
        ("bob@", "not a whole e-mail address"),
        ("", "Write a user name or an e-mail address"),
        ("anna", "That is you"),
        ("ANNA@example.org", "That is you"),
        ("carl", "carl is a member already"),
        ("Carl@work.example", "carl@work.example is a member already"),
        ("dora", "dora is invited already"),
        ("eve@example.org", "eve@example.org is invited already"),
    ],
)
def test_who_can_not_be_invited_is_said_at_the_field(shop: Environment, anna: User, who: str, sentence: str) -> None:
    factories.user("gone", is_active=False)
    proven(factories.member(shop, factories.user("carl")), "carl@work.example")
    factories.user("dora")
    for name in ("dora", "eve@example.org"):
        invitations.invite(shop, anna, who=name, role=MemberRole.MEMBER)
    with refused(sentence) as found:
        invitations.invite(shop, anna, who=who, role=MemberRole.MEMBER)
    assert found.value.field == "who"


def test_only_a_proven_address_shows_an_invitation(shop: Environment, anna: User) -> None:
    bob = factories.user("bob")
    EmailAddress.objects.create(user=bob, email="b@work.example", verified=False)
    invitations.invite(shop, anna, who="B@work.example", role=MemberRole.MEMBER)
    assert not invitations.invitations_for(bob)
    EmailAddress.objects.update(verified=True)
    assert invitations.invitations_for(bob).count() == 1


def test_one_may_send_so_many_invitations_an_hour_withdrawn_ones_too(
    shop: Environment, anna: User, settings: Any
) -> None:
    settings.PM_INVITATIONS_PER_HOUR = 2
    for n in range(2):
        sent = invitations.invite(shop, anna, who=f"n{n}@example.org", role=MemberRole.MEMBER)
        invitations.withdraw(sent.invitation, anna)
    with refused("You have sent 2 invitations within an hour"):
        invitations.invite(shop, anna, who="n3@example.org", role=MemberRole.MEMBER)
    assert len(mail.outbox) == 2


def test_sending_again_ends_the_old_link(shop: Environment, anna: User) -> None:
    first = invitations.invite(shop, anna, who="new@example.org", role=MemberRole.MEMBER)
    second = invitations.invite_again(first.invitation, anna)
    assert invitations.invitation_of(token_of(first)) is None
    assert invitations.invitation_of(token_of(second)) == first.invitation
    assert len(mail.outbox) == 2


def test_an_invitation_works_once(shop: Environment, anna: User) -> None:
    sent = invitations.invite(shop, anna, who="new@example.org", role=MemberRole.MEMBER)
    invitations.accept(sent.invitation, factories.user("first"))
    with refused("was answered, withdrawn, or is too old"):
        invitations.accept(sent.invitation, factories.user("second"))
    assert shop.memberships.count() == 2


def test_an_invitation_ends_after_two_weeks(shop: Environment, anna: User) -> None:
    sent = invitations.invite(shop, anna, who="new@example.org", role=MemberRole.MEMBER)
    left = sent.invitation.expires_at - timezone.now()
    assert timedelta(days=13, hours=23) < left <= timedelta(days=14)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert invitations.invitation_of(token_of(sent)) is None
    with refused("too old"):
        invitations.accept(sent.invitation, factories.user("late"))


def test_an_invitation_by_name_is_for_nobody_else(shop: Environment, anna: User) -> None:
    factories.user("bob")
    sent = invitations.invite(shop, anna, who="bob", role=MemberRole.OWNER)
    with refused("This invitation is for bob"):
        invitations.accept(sent.invitation, factories.user("eve"))
    with refused("This invitation is for bob"):
        invitations.decline(sent.invitation, factories.user("mallory"))


def test_an_invitation_never_takes_rights_away(shop: Environment, anna: User) -> None:
    bob = factories.user("bob")
    sent = invitations.invite(shop, anna, who="b@example.com", role=MemberRole.READ_ONLY)
    factories.member(shop, bob, MemberRole.MEMBER)
    invitations.accept(sent.invitation, bob)
    assert shop.role_of(bob) == MemberRole.MEMBER


def test_of_an_environment_that_is_being_deleted_nothing_can_be_accepted(shop: Environment, anna: User) -> None:
    sent = invitations.invite(shop, anna, who="new@example.org", role=MemberRole.MEMBER)
    Environment.objects.update(removing_since=timezone.now())
    with refused("being deleted"):
        invitations.accept(sent.invitation, factories.user("late"))


# The link


def link(sent: invitations.Sent) -> str:
    return reverse("invitation_link", args=[token_of(sent)])


def test_the_link_asks_after_the_sign_in(client: Client, shop: Environment, anna: User) -> None:
    sent = invitations.invite(shop, anna, who="new@example.org", role=MemberRole.MEMBER)
    bob = factories.user("bob")
    asked = client.get(link(sent))
    assert asked.status_code == 302
    came = client.post(asked.headers["Location"], {"login": "bob", "password": factories.PASSWORD, "next": link(sent)})
    assert came.headers["Location"] == link(sent)
    page = client.get(link(sent)).content.decode()
    assert "anna</strong> invites you" in page
    assert shop.role_of(bob) is None
    assert client.post(link(sent), {"answer": "accept"}).headers["Location"] == reverse("environment", args=[shop.pk])
    assert shop.role_of(bob) == MemberRole.MEMBER


def test_declining_ends_the_link_and_lets_nobody_in(client: Client, shop: Environment, anna: User) -> None:
    sent = invitations.invite(shop, anna, who="new@example.org", role=MemberRole.MEMBER)
    bob = factories.user("bob")
    client.force_login(bob)
    assert client.post(link(sent), {"answer": "decline"}).headers["Location"] == reverse("environments")
    assert client.get(link(sent)).status_code == 404
    assert shop.role_of(bob) is None


@pytest.mark.parametrize("end", ["wrong", "expired", "used", "withdrawn"])
def test_a_link_that_is_no_good_says_so(client: Client, shop: Environment, anna: User, end: str) -> None:
    sent = invitations.invite(shop, anna, who="new@example.org", role=MemberRole.MEMBER)
    address = link(sent)
    if end == "wrong":
        address = reverse("invitation_link", args=["nonsense"])
    elif end == "expired":
        Invitation.objects.update(expires_at=timezone.now())
    elif end == "used":
        invitations.accept(sent.invitation, factories.user("first"))
    else:
        invitations.withdraw(sent.invitation, anna)
    client.force_login(factories.user("bob"))
    for answer in (client.get(address), client.post(address, {"answer": "accept"})):
        assert answer.status_code == 404
        page = answer.content.decode()
        assert "be used" in page
        assert "shop" not in page


def test_the_link_of_an_invitation_by_name_offers_another_user_to_sign_out(
    client: Client, shop: Environment, anna: User
) -> None:
    factories.user("bob")
    sent = invitations.invite(shop, anna, who="bob", role=MemberRole.MEMBER)
    eve = factories.user("eve")
    client.force_login(eve)
    page = client.get(link(sent)).content.decode()
    assert "This invitation is for <strong>bob</strong>" in page
    assert "Accept" not in page
    assert client.post(link(sent), {"answer": "accept"}).status_code == 422
    assert shop.role_of(eve) is None


def test_the_list_shows_an_invitation_and_takes_the_answer(client: Client, shop: Environment, anna: User) -> None:
    bob = factories.user("bob")
    sent = invitations.invite(shop, anna, who="bob", role=MemberRole.MEMBER)
    client.force_login(bob)
    answer = reverse("invitation_answer", args=[sent.invitation.pk])
    assert answer in client.get("/environments/").content.decode()
    went = client.post(answer, {"answer": "accept"}, headers={"HX-Request": "true"})
    assert went.headers["HX-Redirect"] == reverse("environment", args=[shop.pk])
    assert shop.role_of(bob) == MemberRole.MEMBER
    client.force_login(factories.user("eve"))
    assert client.post(answer, {"answer": "accept"}).status_code == 404


def test_only_who_decides_about_members_sees_whole_addresses(client: Client, shop: Environment, anna: User) -> None:
    invitations.invite(shop, anna, who="new@example.org", role=MemberRole.MEMBER)
    client.force_login(anna)
    assert "new@example.org" in client.get(reverse("members", args=[shop.pk])).content.decode()
    client.force_login(factories.member(shop))
    page = client.get(reverse("members", args=[shop.pk])).content.decode()
    assert "new@example.org" not in page
    assert "n…@example.org" in page
