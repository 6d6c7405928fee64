"""For operators: which ways to sign in are on, what to register where, and what is wrong with FIWARE's.

``sign_in_methods()`` reads settings only, those of operators included. ``check_fiware()`` asks the Keyrock server: up
to three requests, each of at most ``SOCIALACCOUNT_REQUESTS_TIMEOUT`` seconds; it raises nothing for a server that is
away or talks nonsense.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlencode

import requests
from django.conf import settings
from django.urls import reverse

from dashboard.flows.limits import registration_open

from . import methods
from .http import CappedSession


class SignInMethod(NamedTuple):
    """One way to sign in; the addresses are those to register at the provider, "" where there is none."""

    name: str
    on: bool
    callback_url: str
    sign_out_url: str
    note: str


class Finding(NamedTuple):
    """One thing that was looked at: a sentence, and whether all is well with it."""

    ok: bool
    sentence: str


def sign_in_methods() -> list[SignInMethod]:
    return [_local(), _fiware(), _oidc(), _github(), _gitlab()]


def check_fiware() -> list[Finding]:
    """The connection to Keyrock, step by step; the first sentence that is not ok says what to mend."""
    if not settings.PM_FIWARE_CLIENT_ID:
        return [Finding(False, "Signing in with FIWARE is off: PM_FIWARE_CLIENT_ID is not set.")]
    with CappedSession() as session:
        found = [_version(session)]
        if found[0].ok:
            found += [_authorize_page(session), _credentials(session)]
    return found


def _absolute(name: str, **kwargs: str) -> str:
    return f"{settings.PM_URL}{reverse(name, kwargs=kwargs)}"


def _local() -> SignInMethod:
    on = settings.PM_LOCAL_ACCOUNTS
    note = "Everybody may register." if registration_open() else "Operators make the accounts."
    return SignInMethod("Local accounts", on, "", "", note if on else "Switched off by PM_LOCAL_ACCOUNTS.")


def _fiware() -> SignInMethod:
    on = bool(settings.PM_FIWARE_CLIENT_ID)
    parts = [f"Server {settings.PM_FIWARE_SERVER}."]
    if settings.PM_FIWARE_REQUIRED_ROLE:
        parts.append(f"Only with the role {settings.PM_FIWARE_REQUIRED_ROLE}.")
    elif on:
        parts.append("Everybody with an account there may enter: PM_FIWARE_REQUIRED_ROLE is not set.")
    if settings.PM_FIWARE_OPERATOR_ROLE:
        parts.append(f"The role {settings.PM_FIWARE_OPERATOR_ROLE} makes operators.")
    if not on:
        parts.append("Set PM_FIWARE_CLIENT_ID and PM_FIWARE_CLIENT_SECRET to switch it on.")
    return SignInMethod(
        settings.PM_FIWARE_NAME, on, _absolute("fiware_callback"), _absolute("account_login"), " ".join(parts)
    )


def _oidc() -> SignInMethod:
    on = bool(settings.PM_OIDC_CLIENT_ID)
    callback = _absolute("openid_connect_callback", provider_id=methods.OIDC_ID)
    note = f"Server {settings.PM_OIDC_SERVER}." if on else "Set PM_OIDC_SERVER, PM_OIDC_CLIENT_ID and its secret."
    return SignInMethod(settings.PM_OIDC_NAME, on, callback, "", note)


def _github() -> SignInMethod:
    on = bool(settings.PM_GITHUB_CLIENT_ID)
    return SignInMethod("GitHub", on, _absolute("github_callback"), "", _public(on, "GITHUB"))


def _gitlab() -> SignInMethod:
    on = bool(settings.PM_GITLAB_CLIENT_ID)
    return SignInMethod("GitLab", on, _absolute("gitlab_callback"), "", _public(on, "GITLAB"))


def _public(on: bool, word: str) -> str:
    if not on:
        return f"Set PM_{word}_CLIENT_ID and PM_{word}_CLIENT_SECRET to switch it on."
    if registration_open():
        return "Everybody with an account there may enter."
    return "For users who connected it in their profile: registration is off."


def _version(session: requests.Session) -> Finding:
    server = settings.PM_FIWARE_SERVER
    answer = _ask(session, "GET", "/version")
    if isinstance(answer, str):
        return Finding(False, answer)
    try:
        said: Any = answer.json()
    except (ValueError, RecursionError):
        said = None
    keyrock = said.get("keyrock") if isinstance(said, dict) else None
    version = keyrock.get("version") if isinstance(keyrock, dict) else None
    if isinstance(version, str) and version.isprintable():
        return Finding(True, f"{server} answers as Keyrock {version[:30]}.")
    if answer.status_code >= 500:
        return Finding(
            False, f"{server} answers with an error of its own, status {answer.status_code}: try again later."
        )
    return Finding(True, f"{server} answers, but names no version: a Keyrock older than 7, or something else.")


def _authorize_page(session: requests.Session) -> Finding:
    callback = _absolute("fiware_callback")
    query = {
        "response_type": "code",
        "client_id": settings.PM_FIWARE_CLIENT_ID,
        "redirect_uri": callback,
        "state": "check",
        "scope": "bearer",
    }
    answer = _ask(session, "GET", f"/oauth2/authorize?{urlencode(query)}")
    if isinstance(answer, str):
        return Finding(False, answer)
    if answer.status_code >= 400:
        return Finding(
            False,
            f"The sign-in page answers with status {answer.status_code}: "
            "look whether PM_FIWARE_SERVER is the server's address without a path.",
        )
    return Finding(
        True,
        "The sign-in page opens. Whether the callback address is registered shows only when somebody signs in: "
        f"it has to be {callback}, letter by letter.",
    )


def _credentials(session: requests.Session) -> Finding:
    """A code that can't be right: Keyrock looks at id and secret first."""
    answer = _ask(
        session,
        "POST",
        "/oauth2/token",
        data={"grant_type": "authorization_code", "code": "0" * 40, "redirect_uri": _absolute("fiware_callback")},
        auth=(settings.PM_FIWARE_CLIENT_ID, settings.PM_FIWARE_CLIENT_SECRET),
    )
    if isinstance(answer, str):
        return Finding(False, answer)
    # Only to tell apart what is wrong; sign-in itself never reads the words of a refusal.
    said = answer.text[:1000].lower().replace("_", " ")
    if "invalid grant" in said:
        return Finding(True, "Client id and secret are right.")
    if "unauthorized client" in said:
        return Finding(
            False, "The application at Keyrock does not allow the grant type Authorization Code: tick it there."
        )
    if "invalid client" in said or answer.status_code == 401:
        return Finding(
            False,
            "Client id or secret is wrong: compare PM_FIWARE_CLIENT_ID and its secret with the application's page.",
        )
    return Finding(False, f"The token address gives an answer that is not Keyrock's, status {answer.status_code}.")


def _ask(session: requests.Session, method: str, path: str, **kwargs: Any) -> requests.Response | str:
    """The answer, or a sentence on why there is none."""
    server = settings.PM_FIWARE_SERVER
    try:
        return session.request(method, f"{server}{path}", **kwargs)
    except requests.exceptions.SSLError:
        return f"The certificate of {server} is not one this machine trusts."
    except requests.Timeout:
        return f"{server} did not answer within {settings.SOCIALACCOUNT_REQUESTS_TIMEOUT:g} s."
    except requests.ConnectionError:
        return f"{server} can't be reached from here: look at PM_FIWARE_SERVER, name resolution and firewalls."
    except requests.RequestException as error:
        return f"{server} gives an answer that can't be read ({type(error).__name__})."
