"""Requests to identity servers: with time-outs, and never more than a capped answer."""

from __future__ import annotations

import time
from typing import Any

import requests
from allauth.socialaccount import app_settings

MOST_BYTES = 1024 * 1024
CHUNK = 16 * 1024


class TooMuch(requests.RequestException):
    """The answer is longer or takes longer than any honest one."""


class CappedSession(requests.Session):
    """A session whose answers are read at once, within bounds of size and time.

    ``SOCIALACCOUNT_REQUESTS_TIMEOUT`` bounds each wait for bytes, and twice that the whole answer.
    """

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        seconds = float(kwargs.setdefault("timeout", app_settings.REQUESTS_TIMEOUT))
        # The bodies of redirects would be read whole, and none of these servers needs one.
        kwargs.update(stream=True, allow_redirects=False)
        deadline = time.monotonic() + 2 * seconds
        response = super().request(method, url, *args, **kwargs)
        try:
            # requests keeps what was read where ``content``, ``text`` and ``json()`` look for it.
            response._content = _read(response, deadline)
        finally:
            response.close()
        return response


def _read(response: requests.Response, deadline: float) -> bytes:
    whole = bytearray()
    for chunk in response.iter_content(CHUNK):
        whole += chunk
        if len(whole) > MOST_BYTES:
            raise TooMuch(f"more than {MOST_BYTES} bytes")
        if time.monotonic() > deadline:
            raise TooMuch("took too long")
    return bytes(whole)
