"""Roles and organizations at Keyrock decide groups, the operator's rights, and who may enter."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.contrib.auth.models import Group, User
from django.urls import reverse

from dashboard.models.hints import user_group
from platform_manager.accounts.adapters import AccountAdapter
from tests import factories
from tests.accounts.conftest import Visitor
from tests.accounts.fake_keyrock import CLIENT_ID, Account, FakeKeyrock, organization, role

pytestmark = pytest.mark.django_db


def signed_in(account: Account) -> User:
    visitor = Visitor()
    assert visitor.signs_in(account).status_code == 302
    assert visitor.user is not None
    return visitor.user


def groups(user: User) -> set[str]:
    return set(user.groups.values_list("name", flat=True))


def test_roles_and_organizations_become_groups(keyrock: FakeKeyrock) -> None:
    alice = keyrock.account("alice", roles=[role("deployer")], organizations=[organization("acme", "org-viewer")])
    assert groups(signed_in(alice)) == {"fiware:deployer", "fiware:org-viewer", "fiware:org:acme"}


def test_they_follow_at_each_sign_in_and_groups_made_by_hand_stay(keyrock: FakeKeyrock) -> None:
    alice = keyrock.account("alice", roles=[role("deployer")], organizations=[organization("acme")])
    user = signed_in(alice)
    user.groups.add(Group.objects.create(name="by hand"), Group.objects.create(name="fiware:stale"))
    alice.roles, alice.organizations = [role("reader")], []
    assert groups(signed_in(alice)) == {"by hand", "fiware:reader"}


def test_open_pages_hear_of_a_change_and_of_nothing_else(
    keyrock: FakeKeyrock, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    heard: list[str] = []
    monkeypatch.setattr("dashboard.models.hints._send", lambda group, message: heard.append(group))
    alice = keyrock.account("alice", roles=[role("deployer")])
    for roles_now, expected in (([role("deployer")], 1), ([role("deployer")], 1), ([], 2)):
        alice.roles = roles_now
        with django_capture_on_commit_callbacks(execute=True):
            user = signed_in(alice)
        assert heard == [user_group(user.pk)] * expected


def test_a_role_does_not_pass_for_an_organization(keyrock: FakeKeyrock) -> None:
    alice = keyrock.account("alice", roles=[role("org:acme"), role("ORG:acme"), role("ok")])
    assert groups(signed_in(alice)) == {"fiware:ok"}


@pytest.mark.parametrize("wanted", ["Operator", "operator", "OPERATOR-ID"])
def test_a_role_makes_an_operator_and_takes_it_back(keyrock: FakeKeyrock, settings: Any, wanted: str) -> None:
    settings.PM_FIWARE_OPERATOR_ROLE = wanted
    alice = keyrock.account("alice", roles=[role("Operator")])
    user = signed_in(alice)
    assert (user.is_staff, user.is_superuser) == (True, True)
    alice.roles = []
    user = signed_in(alice)
    assert (user.is_staff, user.is_superuser) == (False, False)


def test_a_role_through_an_organization_counts(keyrock: FakeKeyrock, settings: Any) -> None:
    settings.PM_FIWARE_OPERATOR_ROLE = "operator"
    assert signed_in(keyrock.account("alice", organizations=[organization("ops", "operator")])).is_staff


def test_another_operator_role_ends_the_rights_of_the_former(keyrock: FakeKeyrock, settings: Any) -> None:
    settings.PM_FIWARE_OPERATOR_ROLE = "operator"
    alice = keyrock.account("alice", roles=[role("operator")])
    assert signed_in(alice).is_staff
    settings.PM_FIWARE_OPERATOR_ROLE = ""
    assert not signed_in(alice).is_staff


def test_an_operator_made_by_hand_stays_one(keyrock: FakeKeyrock, settings: Any) -> None:
    settings.PM_FIWARE_OPERATOR_ROLE = "operator"
    alice = keyrock.account("alice")
    signed_in(alice)
    User.objects.update(is_staff=True, is_superuser=True)
    assert signed_in(alice).is_superuser


def test_no_operator_role_no_operators(keyrock: FakeKeyrock) -> None:
    assert not signed_in(keyrock.account("alice", roles=[role("operator"), role("")])).is_staff


def test_without_the_required_role_nobody_enters(keyrock: FakeKeyrock, visitor: Visitor, settings: Any) -> None:
    settings.PM_FIWARE_REQUIRED_ROLE = "platform-user"
    answer = visitor.signs_in(keyrock.account("alice", roles=[role("other")]))
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "platform-user" in page
    assert f"{keyrock.base}/auth/external_logout?_method=DELETE&amp;client_id={CLIENT_ID}" in page
    assert visitor.user is None
    assert not User.objects.exists()


def test_with_it_they_do_until_it_is_taken_away(keyrock: FakeKeyrock, settings: Any) -> None:
    settings.PM_FIWARE_REQUIRED_ROLE = "PLATFORM-USER"
    alice = keyrock.account("alice", roles=[role("platform-user")])
    signed_in(alice)
    alice.roles = []
    again = Visitor()
    assert again.signs_in(alice).status_code == 403
    assert again.user is None


def connect(visitor: Visitor, account: Account) -> User:
    user = User.objects.create_user("ann", password=factories.PASSWORD)
    visitor.client.post(reverse("account_login"), {"login": "ann", "password": factories.PASSWORD})
    address = visitor.begins("?process=connect")
    answer = visitor.arrives(visitor.at_keyrock(address, account))
    # A connection opens the account for good: the password is asked for once more.
    assert answer["Location"] == reverse("account_reauthenticate")
    assert "Is it you?" in visitor.client.get(answer["Location"]).content.decode()
    answer = visitor.client.post(answer["Location"], {"password": factories.PASSWORD})
    assert answer["Location"] == reverse("socialaccount_connections")
    return user


def test_connecting_gives_the_groups_and_disconnecting_takes_them(
    keyrock: FakeKeyrock, visitor: Visitor, settings: Any
) -> None:
    settings.PM_FIWARE_OPERATOR_ROLE = "operator"
    user = connect(visitor, keyrock.account("alice", roles=[role("operator")]))
    user.refresh_from_db()
    assert user.is_staff
    assert "fiware:operator" in groups(user)
    connection = SocialAccount.objects.get(user=user)
    page = visitor.client.get(reverse("socialaccount_connections")).content.decode()
    assert "FIWARE Lab" in page
    assert "alice" in page
    visitor.client.post(reverse("socialaccount_connections"), {"account": connection.pk})
    user.refresh_from_db()
    assert groups(user) == set()
    assert not user.is_staff


def test_people_of_fiware_get_no_password_that_goes_round_their_roles(
    keyrock: FakeKeyrock, visitor: Visitor, mailoutbox: list[Any]
) -> None:
    alice = keyrock.account("alice")
    visitor.signs_in(alice)
    words = {"password1": "a new pass phrase", "password2": "a new pass phrase"}
    assert visitor.client.post(reverse("account_set_password"), words).status_code == 403
    Visitor().client.post(reverse("account_reset_password"), {"email": alice.email})
    assert all("/password/reset/key/" not in mail.body for mail in mailoutbox)
    assert User.objects.get().has_usable_password() is False


@pytest.mark.parametrize("provider", ["fiware", "github", None])
def test_nothing_but_fiware_opens_their_account(
    keyrock: FakeKeyrock, visitor: Visitor, rf: Any, provider: str | None
) -> None:
    visitor.signs_in(keyrock.account("alice"))
    login = provider and SocialLogin(account=SocialAccount(provider=provider, uid="1"))
    answer = AccountAdapter().pre_login(
        rf.get("/"),
        visitor.user,
        email_verification="none",
        signal_kwargs={"sociallogin": login} if login else None,
        email=None,
        signup=False,
        redirect_url=None,
    )
    assert (answer is None) is (provider == "fiware")


def test_a_local_user_still_gets_the_link_to_a_new_password(visitor: Visitor, mailoutbox: list[Any]) -> None:
    User.objects.create_user("ann", "ann@example.test", factories.PASSWORD)
    visitor.client.post(reverse("account_reset_password"), {"email": "ann@example.test"})
    (mail,) = mailoutbox
    assert "/password/reset/key/" in mail.body
