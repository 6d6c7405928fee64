"""The two calls a sign-in makes to Keyrock: a token for the code, then who it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import requests
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Client

from .keyrock import Person, SignInError, read_person

SHOWN_CHARACTERS = 200


class KeyrockClient(OAuth2Client):  # type: ignore[misc]
    """Exchanges the code; Keyrock answers errors with bare strings, older ones with objects or pages."""

    def get_access_token(
        self, code: str, pkce_code_verifier: str | None = None, extra_data: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        with get_adapter().get_requests_session() as session:
            response = session.post(
                self.access_token_url,
                data={"grant_type": "authorization_code", "code": code, "redirect_uri": self.callback_url},
                auth=(self.consumer_key, self.consumer_secret),
            )
        secrets = (self.consumer_secret, code)
        if response.status_code != HTTPStatus.OK:
            raise SignInError("it refused our request for a token", _said("token", response, secrets))
        answer = _json(response)
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
            # Not a word of this answer goes to the log: it may hold a token in a place of its own.
            raise SignInError("its answer holds no token", f"token endpoint gave {type(answer).__name__} without token")
        return {"access_token": token}


def fetch_person(url: str, token: str) -> Person:
    """Whose token it is. By header, so that it stays out of logs; by address for versions that know no header."""
    with get_adapter().get_requests_session() as session:
        response = session.get(url, headers={"Authorization": f"Bearer {token}"})
        if response.status_code in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED):
            response = session.get(url, params={"access_token": token})
    if response.status_code != HTTPStatus.OK:
        raise SignInError("it did not tell who you are", _said("user", response, (token,)))
    return read_person(_json(response))


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None


def _said(what: str, response: requests.Response, secrets: tuple[str, ...]) -> str:
    """The status and beginning of a refusal for the log, without our secrets."""
    body = response.content[: 4 * SHOWN_CHARACTERS].decode("utf-8", "replace")
    for secret in filter(None, secrets):
        body = body.replace(secret, "***")
    return f"{what} endpoint gave {response.status_code} {body[:SHOWN_CHARACTERS]!r}"
