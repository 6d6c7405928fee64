"""A signed-in user without a screen: posts forms and opens websockets as the pages do."""

from __future__ import annotations

from urllib.parse import urlencode

import requests
from django.contrib.auth.models import User
from django.test import Client
from django.utils.crypto import get_random_string
from websockets.asyncio.client import connect
from websockets.typing import Origin

TIMEOUT_SECONDS = 30


class Browser:
    """``url`` is the platform's address; the session is made in the database both sides share."""

    def __init__(self, url: str, user: User) -> None:
        client = Client()
        client.force_login(user)
        self.url = url
        self._token = get_random_string(32)
        self._cookies = {"sessionid": client.cookies["sessionid"].value, "csrftoken": self._token}
        self._session = requests.Session()
        self._session.cookies.update(self._cookies)

    def post(self, path: str, **fields: str) -> None:
        """Send a form; AssertionError unless it was accepted, which is answered with a redirect."""
        answer = self._session.post(
            f"{self.url}{path}",
            data={**fields, "csrfmiddlewaretoken": self._token},
            headers={"Origin": self.url},
            allow_redirects=False,
            timeout=TIMEOUT_SECONDS,
        )
        assert answer.status_code == 302, f"{path}: {answer.status_code} {answer.text[:2000]}"

    @property
    def headers(self) -> dict[str, str]:
        """What a websocket handshake sends besides the origin."""
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}

    def socket(self, path: str, **params: str) -> connect:
        """A websocket with what browsers offer, compression too: ``async with browser.socket(...)``."""
        address = f"{self.url.replace('http', 'ws', 1)}{path}?{urlencode(params)}"
        return connect(address, origin=Origin(self.url), additional_headers=self.headers, max_size=None, proxy=None)
