"""Second factors and sessions of local accounts, on pages of ours."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.usersessions.models import UserSession
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import reverse

from dashboard.models.fields import cipher
from platform_manager.accounts.mfa import MfaAdapter
from tests import factories

pytestmark = pytest.mark.django_db
WORDS = {"login": "ann", "password": factories.PASSWORD}


def code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann", "ann@example.test", factories.PASSWORD)


@pytest.fixture
def client(ann: User) -> Client:
    """Ann's, who just gave her password once more."""
    client = Client()
    client.post(reverse("account_login"), WORDS)
    answer = client.post(reverse("account_reauthenticate"), {"password": factories.PASSWORD})
    assert answer.status_code == 302
    return client


@pytest.fixture
def secret(client: Client) -> str:
    """The seed of the app that is on."""
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    found = re.search(r'id="secret" value="(\w+)"', page)
    assert found
    assert client.post(reverse("mfa_activate_totp"), {"code": code(found[1])}).status_code == 302
    return found[1]


def test_the_seeds_are_encrypted_at_rest(secret: str, ann: User) -> None:
    rows = {row.type: row.data for row in Authenticator.objects.filter(user=ann)}
    assert secret not in str(rows)
    assert cipher().decrypt(rows["totp"]["secret"].encode()).decode() == secret
    assert cipher().decrypt(rows["recovery_codes"]["seed"].encode())


def test_another_key_is_said_to_lack(secret: str, settings: Any) -> None:
    settings.PM_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    stored = Authenticator.objects.get(type="totp").data["secret"]
    with pytest.raises(ImproperlyConfigured, match="PM_ENCRYPTION_KEYS"):
        MfaAdapter().decrypt(stored)


def test_the_password_alone_is_not_enough(secret: str) -> None:
    client = Client()
    answer = client.post(reverse("account_login"), WORDS)
    assert answer["Location"].startswith(reverse("mfa_authenticate"))
    assert "_auth_user_id" not in client.session
    assert "Second factor" in client.get(answer["Location"]).content.decode()
    client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert "_auth_user_id" not in client.session


def test_with_the_code_it_is_and_each_code_serves_once(secret: str) -> None:
    from django.core.cache import cache

    cache.clear()
    used = code(secret)
    first, second = Client(), Client()
    for client in (first, second):
        client.post(reverse("account_login"), WORDS)
        client.post(reverse("mfa_authenticate"), {"code": used})
    assert "_auth_user_id" in first.session
    assert "_auth_user_id" not in second.session


def test_a_recovery_code_opens_once(secret: str, client: Client) -> None:
    page = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    found = re.search(r"readonly>(\d+)", page)
    assert found
    for expected in (True, False):
        another = Client()
        another.post(reverse("account_login"), WORDS)
        another.post(reverse("mfa_authenticate"), {"code": found[1]})
        assert ("_auth_user_id" in another.session) is expected


def test_the_admin_site_asks_for_it_too(secret: str, ann: User) -> None:
    User.objects.update(is_staff=True, is_superuser=True)
    client = Client()
    client.post("/admin/login/", {"username": "ann", "password": factories.PASSWORD})
    assert client.get(reverse("admin:index")).status_code == 302


PAGES = [
    "profile",
    "account_email",
    "account_change_password",
    "account_reauthenticate",
    "socialaccount_connections",
    "mfa_index",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_list_webauthn",
    "mfa_generate_recovery_codes",
    "mfa_reauthenticate",
    "usersessions_list",
    "account_logout",
]
INLINE = re.compile(r"<style|\sstyle=|\son\w+=|<script(?![^>]*(?:src=|type=\"application/json\"))")


@pytest.mark.parametrize("name", PAGES)
def test_every_page_has_our_look_and_nothing_inline(client: Client, name: str) -> None:
    answer = client.get(reverse(name), follow=True)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "css/platform.css" in page
    assert INLINE.findall(page) == []


@pytest.mark.parametrize("name", PAGES)
def test_no_page_of_the_profile_is_for_visitors(name: str) -> None:
    assert reverse("account_login") in Client().get(reverse(name))["Location"]


@pytest.mark.parametrize("name", ["account_login", "account_reset_password", "account_reset_password_done"])
def test_pages_for_visitors_have_our_look_too(name: str) -> None:
    page = Client().get(reverse(name)).content.decode()
    assert "css/platform.css" in page
    assert INLINE.findall(page) == []


def test_signing_out_everywhere_else_keeps_this_session(client: Client, ann: User) -> None:
    others = [Client(), Client(HTTP_USER_AGENT="Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")]
    for other in others:
        other.post(reverse("account_login"), WORDS)
    page = client.get(reverse("usersessions_list")).content.decode()
    assert "Firefox on Linux" in page
    assert UserSession.objects.filter(user=ann).count() == 3
    client.post(reverse("usersessions_list"))
    assert client.get(reverse("profile")).status_code == 200
    assert [other.get(reverse("profile")).status_code for other in others] == [302, 302]


def test_the_name_is_changed_in_the_profile(client: Client, ann: User) -> None:
    client.post(reverse("profile"), {"first_name": "Ann", "last_name": "Lee", "is_superuser": "on"})
    ann.refresh_from_db()
    assert (ann.get_full_name(), ann.is_superuser) == ("Ann Lee", False)
    assert client.post(reverse("profile"), {"first_name": "x" * 500}).status_code == 422


def test_an_address_counts_once_it_is_confirmed(client: Client, mailoutbox: list[Any]) -> None:
    client.post(reverse("account_email"), {"email": "new@example.test", "action_add": ""})
    page = client.get(reverse("account_email")).content.decode()
    assert "new@example.test" in page
    assert "Not confirmed" in page
    (mail,) = [mail for mail in mailoutbox if mail.to == ["new@example.test"]]
    assert "/confirm-email/" in mail.body
