"""Signing in as a user does it: through (a fake) FIWARE Lab and back, out again, and with a passkey."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.common.virtual_authenticator import VirtualAuthenticatorOptions

from tests.accounts.fake_keyrock import CLIENT_ID, CLIENT_SECRET, FakeKeyrock, role, running_keyrock
from tests.browser.conftest import PASSWORD, make_user
from tests.browser.pages import Person
from tests.support.lab import Lab, running_lab, until

pytestmark = [pytest.mark.engine, pytest.mark.browser]


@pytest.fixture(scope="module")
def keyrock() -> Iterator[FakeKeyrock]:
    # Another site than the platform's, for cookies as for forms.
    with running_keyrock("localhost") as keyrock:
        yield keyrock


@pytest.fixture(scope="module")
def platform(keyrock: FakeKeyrock) -> Iterator[Lab]:
    settings = {
        "PM_FIWARE_SERVER": keyrock.base,
        "PM_FIWARE_CLIENT_ID": CLIENT_ID,
        "PM_FIWARE_CLIENT_SECRET": CLIENT_SECRET,
        "PM_FIWARE_REQUIRED_ROLE": "platform-user",
    }
    with running_lab(PM_DATABASE_URL="", **settings) as lab:
        keyrock.redirect_uris = [f"{lab.url}/accounts/fiware/login/callback/"]
        keyrock.sign_out_uri = f"{lab.url}/accounts/login/"
        lab.start("manage.py", "platform")
        until(lab.answers, what="the platform answers", seconds=120)
        make_user(lab, "ann")
        yield lab


@pytest.fixture
def person(platform: Lab, keyrock: FakeKeyrock, driver: webdriver.Chrome) -> Person:
    """Signed in neither here nor there."""
    driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    keyrock.sessions.clear()
    return Person(driver, platform.url)


def test_through_fiware_lab_and_out_again(keyrock: FakeKeyrock, person: Person) -> None:
    alice = keyrock.account("alice", roles=[role("platform-user")])
    person.opens("/environments/")
    person.is_at("login")
    person.looks_at("sign-in-01-providers")
    person.looks_at("sign-in-01-providers", dark=True)
    person.finds_no_error_in_the_console()
    logs_in_at_keyrock(person, alice.email, alice.password)
    person.sees("Authorize application")
    person.clicks("Authorize")
    person.is_at("^/environments/$")
    person.sees("Create your first environment")
    person.clicks("Menu of alice")
    person.clicks("Profile")
    person.sees("FIWARE Lab: alice")
    person.looks_at("sign-in-02-profile")
    person.looks_at("sign-in-02-profile", dark=True)
    person.finds_no_error_in_the_console()

    person.clicks("Menu of alice")
    person.clicks("Sign out")
    person.is_at("^/accounts/login/$")
    person.sees("Sign in with FIWARE Lab")
    assert keyrock.sessions == {}
    person.opens("/environments/")
    person.is_at("login")
    person.finds_no_error_in_the_console()
    assert person.too_wide == []


def test_without_the_role_and_without_an_answer(keyrock: FakeKeyrock, person: Person) -> None:
    bob = keyrock.account("bob", shares=["username", "email"])
    person.opens("/")
    logs_in_at_keyrock(person, bob.email, bob.password)
    person.sees("You lack a role")
    person.looks_at("sign-in-03-role-missing")
    person.clicks("Sign out at FIWARE Lab")
    person.is_at("^/accounts/login/$")
    keyrock.faults["/oauth2/token"] = lambda handler: handler.json("Invalid client: client is invalid", 401)
    logs_in_at_keyrock(person, bob.email, bob.password)
    person.sees("it refused our request for a token")
    person.looks_at("sign-in-04-failure")
    keyrock.faults.clear()
    person.clicks("Try again")
    person.is_at("^/accounts/login/$")
    assert person.too_wide == []


def test_with_a_passkey(platform: Lab, person: Person) -> None:
    person.url = person.url.replace("127.0.0.1", "localhost")
    options = VirtualAuthenticatorOptions()
    options.has_resident_key = options.has_user_verification = options.is_user_verified = True
    person.driver.add_virtual_authenticator(options)
    person.opens("/accounts/login/")
    person.clicks("Sign in with a local account")
    person.types("User name or e-mail", "ann")
    person.types("Password", PASSWORD)
    person.clicks("Sign in")
    person.is_at("^/environments/$")
    person.opens("/accounts/2fa/webauthn/add/")
    person.sees("Is it you?")
    person.types("Password", PASSWORD)
    person.clicks("Go on")
    person.sees("Name, to tell it from others")
    person.types("Name, to tell it from others", "My finger")
    person.clicks_on("#id_passwordless")
    person.looks_at("sign-in-05-add-key")
    person.clicks("Add the key")
    person.sees("Recovery codes")
    person.looks_at("sign-in-06-codes")
    person.opens("/accounts/2fa/")
    person.looks_at("sign-in-07-two-factor")
    person.looks_at("sign-in-07-two-factor", dark=True)
    person.opens("/accounts/2fa/webauthn/")
    person.sees("My finger")
    person.looks_at("sign-in-08-keys")
    person.opens("/accounts/2fa/totp/activate/")
    person.sees("Scan this with your app")
    person.looks_at("sign-in-09-app", dark=True)
    person.opens("/accounts/sessions/")
    person.sees("This one")
    person.looks_at("sign-in-10-sessions")
    person.opens("/accounts/email/")
    person.looks_at("sign-in-11-addresses")
    person.opens("/accounts/3rdparty/")
    person.looks_at("sign-in-12-connections")

    person.clicks("Menu of ann")
    person.clicks("Sign out")
    person.is_at("^/accounts/login/$")
    person.clicks("Sign in with a local account")
    person.clicks("Sign in with a passkey")
    person.is_at("^/environments/$")
    person.finds_no_error_in_the_console()
    assert person.too_wide == []


def logs_in_at_keyrock(person: Person, email: str, password: str) -> None:
    person.clicks("Sign in with FIWARE Lab")
    person.sees("Log In")
    person.types("Email", email)
    person.types("Password", password)
    person.clicks("Sign In")
