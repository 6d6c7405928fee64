"""A Keyrock that refuses, is slow, is down or talks nonsense: a page that says so, never an error of ours."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.urls import reverse

from platform_manager.accounts import views
from tests.accounts.conftest import CALLBACK, Visitor
from tests.accounts.fake_keyrock import CLIENT_ID, CLIENT_SECRET, FakeKeyrock, Handler, Refused

pytestmark = pytest.mark.django_db
PERSON = {"id": "1", "username": "x", "email": "x@example.test", "roles": [], "organizations": []}

# Every row of Keyrock's table that the two calls of a sign-in can meet.
TOKEN_ERRORS = [
    (401, "Invalid client: client is invalid"),
    (400, "Invalid client: client is invalid"),
    (400, "Invalid client: cannot retrieve client credentials"),
    (400, "Invalid grant: authorization code is invalid"),
    (400, "Invalid grant: authorization code has expired"),
    (400, "Missing parameter: `code`"),
    (400, "Invalid request: `redirect_uri` is invalid"),
    (400, "Invalid request: `redirect_uri` is not a valid URI"),
    (400, "Invalid request: content must be application/x-www-form-urlencoded"),
    (400, "Unauthorized client: `grant_type` is invalid"),
    (400, "Unsupported grant type: `grant_type` is invalid"),
    (400, "Invalid scope: Requested scope is invalid"),
    (400, "Invalid grant: refresh token is invalid"),
    (400, "Invalid grant: refresh token is no longer valid"),
    (400, "Invalid grant: refresh token has expired"),
    (404, "Path not Found"),
]
USER_ERRORS = [
    (401, "Unauthorized request: no authentication given"),
    (401, "Invalid token: access token is invalid"),
    (401, "Invalid token: access token is no longer valid"),
    (401, "Invalid token: access token has expired"),
    (400, "Invalid request: malformed authorization header"),
    (400, "Invalid request: only one authentication method is allowed"),
    (401, "User not authorized in application"),
]


def refusing(status: int, text: str) -> Callable[[Handler], None]:
    return lambda handler: handler.json(text, status)


def saying(body: bytes, kind: str = "application/json", status: int = 200) -> Callable[[Handler], None]:
    return lambda handler: handler.send(status, kind, body)


def failed(answer: HttpResponse, caplog: pytest.LogCaptureFixture, status: int = 502) -> str:
    """Holds when it is our page; what the log says under its reference."""
    page = answer.content.decode()
    assert answer.status_code == status, page
    assert "Try again" in page
    assert "Sign in another way" in page
    assert not User.objects.exists()
    (line,) = [record.getMessage() for record in caplog.records if record.name == "platform.accounts"]
    reference = line.split()[1].rstrip(":")
    assert reference in page
    assert CLIENT_SECRET not in page + caplog.text
    return line


@pytest.mark.parametrize(("status", "text"), TOKEN_ERRORS)
def test_every_refusal_of_a_token(
    keyrock: FakeKeyrock, visitor: Visitor, caplog: pytest.LogCaptureFixture, status: int, text: str
) -> None:
    keyrock.faults["/oauth2/token"] = refusing(status, text)
    line = failed(visitor.brings_code("c0de"), caplog)
    assert f"{status}" in line
    assert text in line


@pytest.mark.parametrize(("status", "text"), USER_ERRORS)
def test_every_refusal_to_say_who_it_is(
    keyrock: FakeKeyrock, visitor: Visitor, caplog: pytest.LogCaptureFixture, status: int, text: str
) -> None:
    keyrock.faults["/user"] = refusing(status, text)
    answer = visitor.brings_code(keyrock.code(keyrock.account()))
    (token,) = keyrock.tokens
    assert token not in failed(answer, caplog) + caplog.text


def form(**changes: str | None) -> dict[str, str]:
    words = {"grant_type": "authorization_code", "code": "c0de", "redirect_uri": CALLBACK, **changes}
    return {key: value for key, value in words.items() if value is not None}


def test_the_fake_answers_as_the_table_says(keyrock: FakeKeyrock) -> None:
    import requests

    url, auth = f"{keyrock.base}/oauth2/token", (CLIENT_ID, CLIENT_SECRET)
    code = keyrock.code(keyrock.account())
    wrong = {"client_id": CLIENT_ID, "client_secret": "wrong"}
    calls: list[tuple[dict[str, Any], int, str]] = [
        ({"data": form(), "auth": (CLIENT_ID, "wrong")}, 401, "Invalid client: client is invalid"),
        ({"data": form(**wrong)}, 400, "Invalid client: client is invalid"),
        ({"data": form()}, 400, "Invalid client: cannot retrieve client credentials"),
        ({"data": form(), "auth": auth}, 400, "Invalid grant: authorization code is invalid"),
        ({"data": form(code=None), "auth": auth}, 400, "Missing parameter: `code`"),
        ({"data": form(code=code, redirect_uri="http://x/"), "auth": auth}, 400, TOKEN_ERRORS[6][1]),
        ({"data": form(code=code, redirect_uri=None), "auth": auth}, 400, TOKEN_ERRORS[7][1]),
        ({"json": form(), "auth": auth}, 400, TOKEN_ERRORS[8][1]),
        ({"data": form(grant_type="password"), "auth": auth}, 400, "Unauthorized client: `grant_type` is invalid"),
        ({"data": form(grant_type="x"), "auth": auth}, 400, "Unsupported grant type: `grant_type` is invalid"),
    ]
    for call, status, text in calls:
        answer = requests.post(url, timeout=10, **call)
        assert (answer.status_code, answer.json()) == (status, text)
    keyrock.codes[code] = (keyrock.accounts[0], CALLBACK, time.monotonic() - 1)
    assert requests.post(url, data=form(code=code), auth=auth, timeout=10).json() == TOKEN_ERRORS[4][1]


def test_the_fake_tells_nobody_without_a_right_token(keyrock: FakeKeyrock) -> None:
    account = keyrock.account()
    revoked, expired = keyrock.token(account, "revoked"), keyrock.token(account, "expired")
    calls: list[tuple[dict[str, str], dict[str, str], tuple[int, str]]] = [
        ({}, {}, USER_ERRORS[0]),
        ({"Authorization": "Bearer nobody"}, {}, USER_ERRORS[1]),
        ({"Authorization": f"Bearer {revoked}"}, {}, USER_ERRORS[2]),
        ({}, {"access_token": expired}, USER_ERRORS[3]),
        ({"Authorization": "bearer x"}, {}, USER_ERRORS[4]),
        ({"Authorization": "Bearer x"}, {"access_token": "x"}, USER_ERRORS[5]),
        ({"Authorization": "Bearer x"}, {"app_id": "other"}, USER_ERRORS[6]),
    ]
    for headers, query, (status, text) in calls:
        with pytest.raises(Refused) as refused:
            keyrock.user(headers, query)
        assert (refused.value.status, refused.value.text) == (status, text)


def test_a_wrong_secret_of_ours(
    keyrock: FakeKeyrock, visitor: Visitor, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = {"fiware": {"APPS": [{"client_id": CLIENT_ID, "secret": "wr0ng-secret"}]}}
    line = failed(visitor.brings_code(keyrock.code(keyrock.account())), caplog)
    assert "Invalid client: client is invalid" in line
    assert "wr0ng-secret" not in caplog.text


def test_our_secret_and_the_code_stay_out_of_the_log(
    keyrock: FakeKeyrock, visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    keyrock.faults["/oauth2/token"] = refusing(400, f"you sent {CLIENT_SECRET} and c0de-of-the-day")
    line = failed(visitor.brings_code("c0de-of-the-day"), caplog)
    assert "you sent *** and ***" in line


@pytest.mark.parametrize("path", ["/oauth2/token", "/user"])
@pytest.mark.parametrize(
    "fault",
    [
        saying(b"", "text/html"),
        saying(b"<html>Not found</html>", "text/html"),
        saying(b'"a bare string with access_token in it"'),
        saying(b"[]"),
        saying(b"null"),
        saying(b"{}"),
        saying(b"12"),
        saying(b"[" * 200_000),
        saying(b'{"access_token": {"a": 1}, "id": {"b": 2}}'),
        saying(b'{"access_token": "a\\nb", "id": "a\\u0000b"}'),
        saying(b'{"access_token": "", "id": ""}'),
        saying(b"\xff\xfe\x00"),
        saying(b"x" * 5_000_000),
        saying(b"oops", status=500),
        saying(b"Bad gateway", "text/plain", 502),
        lambda handler: handler.redirect("http://127.0.0.1:1/elsewhere"),
        lambda handler: handler.connection.close(),
        lambda handler: handler.wfile.write(b"not http at all\r\n\r\n"),
    ],
)
def test_nonsense(
    keyrock: FakeKeyrock,
    visitor: Visitor,
    caplog: pytest.LogCaptureFixture,
    path: str,
    fault: Callable[[Handler], None],
) -> None:
    code = keyrock.code(keyrock.account())
    keyrock.faults[path] = fault
    failed(visitor.brings_code(code), caplog)


def test_a_small_answer_that_unpacks_to_a_huge_one(
    keyrock: FakeKeyrock, visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    packed = gzip.compress(b" " * 200_000_000, 1)
    keyrock.faults["/oauth2/token"] = lambda handler: handler.send(
        200, "application/json", packed, **{"Content-Encoding": "gzip"}
    )
    assert "TooMuch" in failed(visitor.brings_code("c0de"), caplog)


def test_roles_of_any_shape(keyrock: FakeKeyrock, visitor: Visitor) -> None:
    odd = {
        **PERSON,
        "roles": ["a", 1, None, {}, {"name": 5}, {"id": [], "name": "good"}, {"name": "x" * 500}, {"name": "a\u0000b"}],
        "organizations": {"not": "a list"},
        "email": "not an address",
        "extra": "\u0000" * 10,
    }
    keyrock.faults["/user"] = saying(json.dumps(odd).encode())
    assert visitor.brings_code(keyrock.code(keyrock.account())).status_code == 302
    assert visitor.user is not None
    assert visitor.user.email == ""
    assert set(visitor.user.groups.values_list("name", flat=True)) == {"fiware:5", "fiware:good"}


def test_slower_than_we_wait(
    keyrock: FakeKeyrock, visitor: Visitor, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.SOCIALACCOUNT_REQUESTS_TIMEOUT = 0.3
    keyrock.faults["/oauth2/token"] = lambda handler: time.sleep(1)
    answer = visitor.brings_code("c0de")
    failed(answer, caplog)
    assert "did not answer within 0.3 s" in answer.content.decode()


def test_an_answer_that_drips_for_ever(
    keyrock: FakeKeyrock, visitor: Visitor, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.SOCIALACCOUNT_REQUESTS_TIMEOUT = 0.3

    def drip(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(100):
            handler.wfile.write(b"1\r\n \r\n")
            time.sleep(0.05)

    keyrock.faults["/oauth2/token"] = drip
    began = time.monotonic()
    failed(visitor.brings_code("c0de"), caplog)
    assert time.monotonic() - began < 3


def test_slow_but_in_time(keyrock: FakeKeyrock, visitor: Visitor) -> None:
    def slow(handler: Handler) -> None:
        time.sleep(0.2)
        handler.json(keyrock.exchange(handler.headers, handler.body))

    keyrock.faults["/oauth2/token"] = slow
    assert visitor.brings_code(keyrock.code(keyrock.account())).status_code == 302


def test_thirty_seconds_are_given_to_each_step() -> None:
    from platform_manager import settings

    assert settings.SOCIALACCOUNT_REQUESTS_TIMEOUT == 30


def test_down(keyrock: FakeKeyrock, visitor: Visitor, caplog: pytest.LogCaptureFixture, settings: Any) -> None:
    settings.PM_FIWARE_SERVER = "http://127.0.0.1:1"
    answer = visitor.brings_code("c0de")
    failed(answer, caplog)
    assert "be reached" in answer.content.decode()


@pytest.mark.parametrize("query", ["", "?code=x", "?code=x&state=made-up", "?error=server_error&state=made-up"])
def test_coming_back_without_having_left(
    keyrock: FakeKeyrock, visitor: Visitor, caplog: pytest.LogCaptureFixture, query: str
) -> None:
    failed(visitor.arrives(CALLBACK + query), caplog, 400)
    assert keyrock.requests == []


def test_a_state_serves_once(keyrock: FakeKeyrock, visitor: Visitor) -> None:
    address = visitor.at_keyrock(visitor.begins(), keyrock.account())
    assert visitor.arrives(address).status_code == 302
    visitor.client.logout()
    assert visitor.arrives(address).status_code == 400


def test_somebody_elses_callback_signs_nobody_in(keyrock: FakeKeyrock, visitor: Visitor) -> None:
    address = visitor.at_keyrock(visitor.begins(), keyrock.account("mallory"))
    victim = Visitor()
    assert victim.arrives(address).status_code == 400
    assert victim.user is None


def test_a_denial_that_does_arrive(keyrock: FakeKeyrock, visitor: Visitor) -> None:
    state = visitor.begins().split("state=")[1].split("&")[0]
    answer = visitor.arrives(f"{CALLBACK}?error=access_denied&state={state}")
    assert answer["Location"] == reverse("socialaccount_login_cancelled")
    assert "Try again" in visitor.client.get(answer["Location"]).content.decode()


def test_who_comes_too_often_waits(keyrock: FakeKeyrock, visitor: Visitor, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"fiware_callback": "2/m/ip"}
    statuses = [visitor.arrives(CALLBACK).status_code for _ in range(3)]
    assert statuses == [400, 400, 429]


def test_the_views_are_those_of_the_provider() -> None:
    assert views.FiwareAdapter.provider_id == "fiware"
