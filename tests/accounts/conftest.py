"""A fake Keyrock with our application, and visitors with a browser's cookies on both sides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests
from django.contrib.auth.models import User
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client

from tests.accounts.fake_keyrock import CLIENT_ID, CLIENT_SECRET, Account, FakeKeyrock, running_keyrock

HOME = "http://testserver"
CALLBACK = f"{HOME}/accounts/fiware/login/callback/"


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    """No test has tried to sign in before."""
    cache.clear()


@pytest.fixture(autouse=True)
def no_other_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def keyrock(settings: Any) -> Iterator[FakeKeyrock]:
    with running_keyrock() as keyrock:
        keyrock.redirect_uris = [CALLBACK]
        keyrock.sign_out_uri = f"{HOME}/accounts/login/"
        settings.PM_URL = HOME
        settings.PM_FIWARE_SERVER = keyrock.base
        settings.PM_FIWARE_CLIENT_ID, settings.PM_FIWARE_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
        settings.SOCIALACCOUNT_PROVIDERS = {"fiware": {"APPS": [{"client_id": CLIENT_ID, "secret": CLIENT_SECRET}]}}
        settings.SOCIALACCOUNT_REQUESTS_TIMEOUT = 10
        yield keyrock


class Visitor:
    """Somebody with a browser: Django's client here, requests at Keyrock."""

    def __init__(self) -> None:
        self.client = Client()
        self.browser = requests.Session()

    def begins(self, query: str = "") -> str:
        """Presses the button; the address at Keyrock."""
        answer = self.client.post(f"/accounts/fiware/login/{query}")
        assert answer.status_code == 302, answer.content
        return str(answer["Location"])

    def at_keyrock(self, address: str, account: Account) -> str:
        """Through the login and consent pages; the address Keyrock sends the browser back to."""
        answer = self.browser.get(address, allow_redirects=False, timeout=10)
        for _ in range(6):
            if answer.is_redirect:
                location = urljoin(answer.url, answer.headers["Location"])
                if location.startswith(HOME):
                    return location
                answer = self.browser.get(location, allow_redirects=False, timeout=10)
                continue
            action = re.search(r"<form method=post action='([^']*)'", answer.text)
            assert action, answer.text
            csrf = re.search(r"name=_csrf value='(\w+)'", answer.text)
            assert csrf
            form: dict[str, Any] = {"_csrf": csrf[1], "email": account.email, "password": account.password}
            form["user_authorized_application[shared_attributes]"] = ["username", "email"]
            to = urljoin(answer.url, unescape(action[1]))
            answer = self.browser.post(to, data=form, allow_redirects=False, timeout=10)
        raise AssertionError("Keyrock did not send the browser back")

    def arrives(self, location: str) -> HttpResponse:
        url = urlsplit(location)
        answer: HttpResponse = self.client.get(f"{url.path}?{url.query}")
        return answer

    def signs_in(self, account: Account) -> HttpResponse:
        return self.arrives(self.at_keyrock(self.begins(), account))

    def brings_code(self, code: str) -> HttpResponse:
        """Comes back from Keyrock with this code and the right state."""
        (state,) = parse_qs(urlsplit(self.begins()).query)["state"]
        return self.arrives(f"{CALLBACK}?code={code}&state={state}")

    @property
    def user(self) -> User | None:
        key = self.client.session.get("_auth_user_id")
        return User.objects.get(pk=key) if key else None


@pytest.fixture
def visitor(db: None) -> Visitor:
    return Visitor()
