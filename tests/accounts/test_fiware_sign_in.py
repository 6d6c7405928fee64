"""The whole authorization-code flow against a fake Keyrock, from the button to the dashboard and out again."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.auth.models import User
from django.urls import reverse

from tests import factories
from tests.accounts.conftest import CALLBACK, Visitor
from tests.accounts.fake_keyrock import CLIENT_ID, CLIENT_SECRET, FakeKeyrock, organization, role

pytestmark = pytest.mark.django_db


def test_from_the_button_to_the_dashboard(keyrock: FakeKeyrock, visitor: Visitor) -> None:
    alice = keyrock.account("alice")
    answer = visitor.signs_in(alice)
    assert (answer.status_code, answer["Location"]) == (302, reverse("environments"))
    assert visitor.user is not None
    assert (visitor.user.username, visitor.user.email) == ("alice", "alice@example.test")
    assert (visitor.user.first_name, visitor.user.last_name) == ("", "")
    assert not visitor.user.has_usable_password()
    assert visitor.client.get(reverse("environments")).status_code == 200


def test_what_is_asked_of_keyrock(keyrock: FakeKeyrock, visitor: Visitor) -> None:
    address = urlsplit(visitor.begins("?scope=permanent&auth_params=prompt%3Dnone%26scope%3Djwt"))
    query = parse_qs(address.query)
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{keyrock.base}/oauth2/authorize"
    assert query.pop("state")
    assert query == {
        "client_id": [CLIENT_ID],
        "redirect_uri": [CALLBACK],
        "response_type": ["code"],
        "scope": ["bearer"],
    }


def test_no_token_is_kept(keyrock: FakeKeyrock, visitor: Visitor) -> None:
    visitor.signs_in(keyrock.account("alice"))
    (token,) = keyrock.tokens
    assert not SocialToken.objects.exists()
    assert token not in str(SocialAccount.objects.values())
    assert token not in str(list(visitor.client.session.items()))


def test_the_token_stays_out_of_addresses(keyrock: FakeKeyrock, visitor: Visitor) -> None:
    visitor.signs_in(keyrock.account("alice"))
    assert [path for _, path in keyrock.requests if "access_token" in path] == []


def test_the_session_is_renewed(keyrock: FakeKeyrock, visitor: Visitor) -> None:
    address = visitor.at_keyrock(visitor.begins(), keyrock.account("alice"))
    before = visitor.client.session.session_key
    visitor.arrives(address)
    assert before
    assert visitor.client.session.session_key != before


@pytest.mark.parametrize("version", [5, 7, 8])
def test_answers_of_every_version_are_read(keyrock: FakeKeyrock, visitor: Visitor, version: int) -> None:
    keyrock.version = version
    alice = keyrock.account("alice", roles=[role("user")], organizations=[organization("acme", "viewer")])
    assert visitor.signs_in(alice).status_code == 302
    assert visitor.user is not None
    assert (visitor.user.username, visitor.user.email) == ("alice", "alice@example.test")
    assert set(visitor.user.groups.values_list("name", flat=True)) == {
        "fiware:user",
        "fiware:viewer",
        "fiware:org:acme",
    }


def test_somebody_who_shares_nothing_comes_in_too(keyrock: FakeKeyrock, visitor: Visitor) -> None:
    assert visitor.signs_in(keyrock.account("alice", shares=["image", "gravatar"])).status_code == 302
    assert visitor.user is not None
    assert visitor.user.username
    assert visitor.user.email == ""


def test_the_same_person_is_the_same_user(keyrock: FakeKeyrock, visitor: Visitor) -> None:
    alice = keyrock.account("alice")
    visitor.signs_in(alice)
    first = visitor.user
    alice.username, alice.email = "alice2", "other@example.test"
    again = Visitor()
    again.signs_in(alice)
    assert again.user == first
    assert again.user is not None
    assert again.user.username == "alice"


def test_a_name_that_is_taken_is_not_taken_over(keyrock: FakeKeyrock, visitor: Visitor) -> None:
    local = factories.user("alice")
    visitor.signs_in(keyrock.account("alice"))
    assert visitor.user is not None
    assert visitor.user != local


@pytest.mark.parametrize("verification", ["none", "mandatory"])
def test_an_address_of_somebody_else_takes_nothing_over(
    keyrock: FakeKeyrock, visitor: Visitor, settings: Any, verification: str
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = verification
    local = User.objects.create_user("ann", "ann@example.test", "secret")
    EmailAddress.objects.create(user=local, email="ann@example.test", verified=True, primary=True)
    answer = visitor.signs_in(keyrock.account("annie", email="ann@example.test"))
    assert answer["Location"] == reverse("socialaccount_signup")
    assert visitor.user is None
    assert not SocialAccount.objects.exists()
    page = visitor.client.get(answer["Location"]).content.decode()
    assert "belongs to an account" in page
    answer = visitor.client.post(reverse("socialaccount_signup"), {"username": "annie", "email": ""})
    assert answer.status_code == 302
    assert visitor.user is not None
    assert visitor.user.username == "annie"


def test_the_address_counts_as_confirmed_only_where_keyrock_is_trusted(
    keyrock: FakeKeyrock, visitor: Visitor, settings: Any
) -> None:
    visitor.signs_in(keyrock.account("alice"))
    assert not EmailAddress.objects.get().verified
    settings.SOCIALACCOUNT_PROVIDERS["fiware"]["VERIFIED_EMAIL"] = True
    Visitor().signs_in(keyrock.account("bob"))
    assert EmailAddress.objects.get(email="bob@example.test").verified


def test_a_user_who_was_switched_off_stays_out(keyrock: FakeKeyrock, visitor: Visitor) -> None:
    alice = keyrock.account("alice")
    visitor.signs_in(alice)
    User.objects.update(is_active=False)
    again = Visitor()
    assert again.signs_in(alice)["Location"] == reverse("account_inactive")
    assert again.user is None


def test_the_second_time_keyrock_asks_nothing(keyrock: FakeKeyrock, visitor: Visitor) -> None:
    alice = keyrock.account("alice")
    visitor.signs_in(alice)
    answer = visitor.browser.get(visitor.begins(), allow_redirects=False, timeout=10)
    assert answer.headers["Location"].startswith(CALLBACK)


def test_signing_out_ends_the_session_at_keyrock_too(keyrock: FakeKeyrock, visitor: Visitor) -> None:
    alice = keyrock.account("alice")
    visitor.signs_in(alice)
    answer = visitor.client.post(reverse("account_logout"))
    assert answer["Location"] == f"{keyrock.base}/auth/external_logout?_method=DELETE&client_id={CLIENT_ID}"
    assert visitor.user is None
    back = visitor.browser.get(answer["Location"], allow_redirects=False, timeout=10)
    assert back.headers["Location"] == keyrock.sign_out_uri
    assert keyrock.sessions == {}
    asked = visitor.browser.get(visitor.begins(), allow_redirects=False, timeout=10)
    assert "Log In" in asked.text


def test_signing_out_of_a_local_account_stays_here(keyrock: FakeKeyrock, visitor: Visitor) -> None:
    visitor.client.force_login(factories.user())
    assert visitor.client.post(reverse("account_logout"))["Location"] == reverse("account_login")


def test_our_forms_may_lead_to_keyrock_and_nowhere_else(keyrock: FakeKeyrock, visitor: Visitor) -> None:
    policy = visitor.client.get(reverse("account_login"))["Content-Security-Policy"]
    assert policy.endswith(f"form-action 'self' {keyrock.base}")


def test_without_a_client_id_there_is_no_such_address(visitor: Visitor, settings: Any) -> None:
    assert visitor.client.post("/accounts/fiware/login/").status_code == 404
    assert visitor.client.get("/accounts/fiware/login/callback/?code=x&state=y").status_code == 404
    policy = visitor.client.get(reverse("account_login"))["Content-Security-Policy"]
    assert policy.endswith("form-action 'self'")


def test_opening_the_address_of_the_button_asks_first(keyrock: FakeKeyrock, visitor: Visitor) -> None:
    answer = visitor.client.get("/accounts/fiware/login/")
    assert answer.status_code == 200
    assert 'method="post"' in answer.content.decode()


def test_the_secret_is_on_no_page(keyrock: FakeKeyrock, visitor: Visitor) -> None:
    visitor.signs_in(keyrock.account("alice"))
    for name in ("environments", "socialaccount_connections", "account_email"):
        assert CLIENT_SECRET not in visitor.client.get(reverse(name)).content.decode()
