"""What operators are told of the ways to sign in, and of the connection to Keyrock."""

from __future__ import annotations

import time
from typing import Any

import pytest

from platform_manager.accounts.report import Finding, check_fiware, sign_in_methods
from tests.accounts.fake_keyrock import CLIENT_SECRET, FakeKeyrock

pytestmark = pytest.mark.django_db


def by_name() -> dict[str, Any]:
    return {method.name: method for method in sign_in_methods()}


def test_the_addresses_to_register_are_those_that_are_used(keyrock: FakeKeyrock) -> None:
    fiware = by_name()["FIWARE Lab"]
    assert fiware.on
    assert fiware.callback_url == "http://testserver/accounts/fiware/login/callback/"
    assert fiware.sign_out_url == "http://testserver/accounts/login/"


def test_what_is_off_says_how_to_switch_it_on() -> None:
    methods = by_name()
    assert [name for name, method in methods.items() if method.on] == ["Local accounts"]
    assert "PM_FIWARE_CLIENT_ID" in methods["FIWARE Lab"].note
    assert "PM_GITHUB_CLIENT_ID" in methods["GitHub"].note


def test_an_open_door_is_mentioned(keyrock: FakeKeyrock, settings: Any) -> None:
    assert "Everybody" in by_name()["FIWARE Lab"].note
    settings.PM_FIWARE_REQUIRED_ROLE = "platform-user"
    assert "Only with the role platform-user" in by_name()["FIWARE Lab"].note


def failing(findings: list[Finding]) -> str:
    (sentence,) = [finding.sentence for finding in findings if not finding.ok]
    assert CLIENT_SECRET not in str(findings)
    return sentence


@pytest.mark.parametrize("version", [7, 8])
def test_all_is_well(keyrock: FakeKeyrock, version: int) -> None:
    keyrock.version = version
    findings = check_fiware()
    assert all(finding.ok for finding in findings)
    assert f"Keyrock {version}.4.0" in findings[0].sentence
    assert "http://testserver/accounts/fiware/login/callback/" in findings[1].sentence


def test_an_old_server_that_names_no_version(keyrock: FakeKeyrock) -> None:
    keyrock.version = 5
    assert all(finding.ok for finding in check_fiware())


def test_a_wrong_secret(keyrock: FakeKeyrock, settings: Any) -> None:
    settings.PM_FIWARE_CLIENT_SECRET = "wr0ng"
    sentence = failing(check_fiware())
    assert "Client id or secret is wrong" in sentence
    assert "wr0ng" not in sentence


def test_an_old_servers_word_for_a_wrong_secret(keyrock: FakeKeyrock) -> None:
    keyrock.faults["/oauth2/token"] = lambda handler: handler.json(
        {"error": {"message": "Client authentication failed", "code": 401, "title": "invalid_client"}}, 401
    )
    assert "Client id or secret is wrong" in failing(check_fiware())


def test_a_grant_that_is_not_ticked(keyrock: FakeKeyrock) -> None:
    keyrock.grants.clear()
    assert "Authorization Code" in failing(check_fiware())


def test_a_server_that_is_not_keyrock(keyrock: FakeKeyrock) -> None:
    for path in ("/version", "/oauth2/token"):
        keyrock.faults[path] = lambda handler: handler.html("<h1>Hello</h1>")
    assert "not Keyrock's" in failing(check_fiware())


def test_an_address_with_a_path_too_many(keyrock: FakeKeyrock, settings: Any) -> None:
    settings.PM_FIWARE_SERVER = f"{keyrock.base}/oauth2"
    assert any("without a path" in finding.sentence for finding in check_fiware() if not finding.ok)


def test_a_server_that_is_down(keyrock: FakeKeyrock, settings: Any) -> None:
    settings.PM_FIWARE_SERVER = "http://127.0.0.1:1"
    assert "can't be reached" in failing(check_fiware())


def test_a_server_that_is_slow(keyrock: FakeKeyrock, settings: Any) -> None:
    settings.SOCIALACCOUNT_REQUESTS_TIMEOUT = 0.2
    keyrock.faults["/version"] = lambda handler: time.sleep(0.5)
    assert "within 0.2 s" in failing(check_fiware())


@pytest.mark.parametrize("body", [b"[" * 100_000, b"x" * 5_000_000, b'"bare"', b'{"keyrock": []}', b"\xff"])
@pytest.mark.parametrize("path", ["/version", "/oauth2/token"])
def test_nonsense_is_a_sentence_too(keyrock: FakeKeyrock, path: str, body: bytes) -> None:
    keyrock.faults[path] = lambda handler: handler.send(200, "application/json", body)
    assert check_fiware()


def test_without_settings_nobody_is_asked(keyrock: FakeKeyrock, settings: Any) -> None:
    settings.PM_FIWARE_CLIENT_ID = ""
    assert "PM_FIWARE_CLIENT_ID" in failing(check_fiware())
    assert keyrock.requests == []
