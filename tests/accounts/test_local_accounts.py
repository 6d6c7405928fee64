"""Local accounts: switched off they are off everywhere; on, with limits of tries and renewed sessions."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests import factories
from tests.accounts.conftest import Visitor
from tests.accounts.fake_keyrock import FakeKeyrock

pytestmark = pytest.mark.django_db
WORDS = {"login": "ann", "password": factories.PASSWORD}


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann", "ann@example.test", factories.PASSWORD, is_staff=True, is_superuser=True)


def test_the_form_alone_where_no_provider_is_on() -> None:
    page = Client().get(reverse("account_login")).content.decode()
    assert "User name or e-mail" in page
    assert "<details" not in page


def test_providers_first_and_the_form_folded_under_them(keyrock: FakeKeyrock) -> None:
    page = Client().get(reverse("account_login") + "?next=/environments/new/").content.decode()
    assert page.index("Sign in with FIWARE Lab") < page.index("<details") < page.index("User name or e-mail")
    assert 'action="/accounts/fiware/login/?process=login&amp;next=%2Fenvironments%2Fnew%2F"' in page


def test_a_wrong_password_leaves_the_form_open(keyrock: FakeKeyrock, ann: User) -> None:
    page = Client().post(reverse("account_login"), {**WORDS, "password": "wrong"}).content.decode()
    assert '<details class="sign-in-local" open>' in page


def test_the_session_is_renewed_at_sign_in(ann: User) -> None:
    client = Client()
    client.session["seen"] = True
    client.get(reverse("account_login"))
    session = client.session
    session["planted"] = True
    session.save()
    before = session.session_key
    client.cookies["sessionid"] = before
    assert client.post(reverse("account_login"), WORDS).status_code == 302
    assert client.session.session_key != before


def test_after_five_wrong_tries_even_the_right_password_waits(ann: User) -> None:
    client = Client()
    for _ in range(5):
        client.post(reverse("account_login"), {**WORDS, "password": "wrong"})
    answer = client.post(reverse("account_login"), WORDS)
    assert "_auth_user_id" not in client.session
    assert "Too many" in answer.content.decode()


@pytest.mark.parametrize(("count", "shared"), [(0, True), (1, False)])
def test_behind_a_proxy_each_visitor_has_their_own_limit(ann: User, settings: Any, count: int, shared: bool) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = count
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    answers = [
        Client(headers={"X-Forwarded-For": f"1.2.3.4, 10.0.0.{number}"}).post(reverse("account_login"), WORDS)
        for number in (1, 2)
    ]
    assert [answer.status_code for answer in answers] == [302, 429 if shared else 302]


def test_too_many_of_all_get_our_page(settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    client = Client()
    client.post(reverse("account_login"), WORDS)
    answer = client.post(reverse("account_login"), WORDS)
    assert answer.status_code == 429
    assert "Too many tries" in answer.content.decode()


@pytest.fixture
def without(keyrock: FakeKeyrock, settings: Any) -> None:
    settings.PM_LOCAL_ACCOUNTS = False
    settings.PM_REGISTRATION = True


@pytest.mark.parametrize(
    "name",
    ["account_signup", "account_reset_password", "account_change_password", "account_set_password"],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_switched_off_there_are_no_pages_about_passwords(without: None, ann: User, name: str, method: str) -> None:
    client = Client()
    client.force_login(ann)
    assert getattr(client, method)(reverse(name)).status_code == 403
    assert getattr(Client(), method)(reverse(name)).status_code == 403


def test_switched_off_no_password_opens_anything(without: None, ann: User, rf: Any) -> None:
    client = Client()
    assert client.post(reverse("account_login"), WORDS).status_code == 403
    client.post("/admin/login/", {"username": "ann", "password": factories.PASSWORD})
    client.post(reverse("mfa_login_webauthn"), {"credential": "{}"})
    assert "_auth_user_id" not in client.session
    assert authenticate(rf.post("/"), username="ann", password=factories.PASSWORD) is None
    page = client.get(reverse("account_login")).content.decode()
    assert "Password" not in page
    assert "Sign in with FIWARE Lab" in page


def test_switched_off_fiware_still_opens(without: None, keyrock: FakeKeyrock, visitor: Visitor) -> None:
    assert visitor.signs_in(keyrock.account("alice")).status_code == 302
    page = visitor.client.get(reverse("profile")).content.decode()
    assert reverse("account_change_password") not in page
    assert visitor.user is not None


def test_registration_is_closed_unless_it_is_opened(settings: Any) -> None:
    words = {"username": "new", "password1": "a good pass phrase", "password2": "a good pass phrase"}
    Client().post(reverse("account_signup"), words)
    assert not User.objects.exists()
    assert reverse("account_signup") not in Client().get(reverse("account_login")).content.decode()
    settings.PM_REGISTRATION = True
    assert reverse("account_signup") in Client().get(reverse("account_login")).content.decode()
    Client().post(reverse("account_signup"), words)
    assert User.objects.get().username == "new"


def test_who_registers_confirms_the_address_first_where_mail_is_set_up(settings: Any, mailoutbox: list[Any]) -> None:
    settings.PM_REGISTRATION = True
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    words = {"username": "new", "email": "new@example.test"}
    client = Client()
    client.post(
        reverse("account_signup"), {**words, "password1": "a good pass phrase", "password2": "a good pass phrase"}
    )
    assert "_auth_user_id" not in client.session
    link = next(word for word in mailoutbox[0].body.split() if "/confirm-email/" in word)
    path = "/" + link.split("/", 3)[3]
    assert "Does" in client.get(path).content.decode()
    client.post(path)
    assert EmailAddress.objects.get().verified


def test_an_account_without_an_address_has_none_to_confirm(settings: Any) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    User.objects.create_user("ann", password=factories.PASSWORD)
    client = Client()
    client.post(reverse("account_login"), WORDS)
    assert "_auth_user_id" in client.session


def test_the_admin_site_has_the_same_door(ann: User) -> None:
    answer = Client().get(reverse("admin:index"), follow=True)
    assert answer.redirect_chain[-1][0].startswith(reverse("account_login") + "?next=")
    ordinary = Client()
    ordinary.force_login(factories.user())
    assert ordinary.get("/admin/login/").status_code == 403
