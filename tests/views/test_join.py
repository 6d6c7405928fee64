"""A machine calls in: one token, one machine, and nothing it says is believed beyond its own row."""

from __future__ import annotations

import asyncssh
import pytest
from django.test import Client
from django.utils import timezone

from dashboard.models import EnrolmentToken, Host, HostState
from tests import factories

pytestmark = pytest.mark.django_db


def public_key() -> str:
    return asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()


@pytest.fixture
def host() -> Host:
    environment = factories.environment(factories.user())
    return Host.objects.create(environment=environment, name="fw-01", state=HostState.BOOTING)


def call_in(client: Client, token: str, **facts: object) -> tuple[int, str]:
    answer = client.post(f"/join/{token}", {"public_key": public_key(), **facts}, content_type="application/json")
    return answer.status_code, answer.content.decode()


def test_a_machine_enrols_with_its_key_and_its_facts(client: Client, host: Host) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    line = key.export_public_key().decode().strip()
    status, _ = call_in(
        client, EnrolmentToken.issue(host), public_key=line, mtu=1400, cpus=2, engine_version="20.10.24", rogue="x"
    )
    host.refresh_from_db()
    assert status == 200
    assert host.key_fingerprint == key.get_fingerprint()
    assert host.facts == {"mtu": 1400, "cpus": 2, "engine_version": "20.10.24"}
    assert host.state == HostState.BOOTSTRAPPING


def test_a_lost_answer_may_be_asked_for_again_with_the_same_key(client: Client, host: Host) -> None:
    token, line = EnrolmentToken.issue(host), public_key()
    assert call_in(client, token, public_key=line)[0] == 200
    assert call_in(client, token, public_key=line)[0] == 200


def test_a_used_token_lets_no_second_machine_in(client: Client, host: Host) -> None:
    token = EnrolmentToken.issue(host)
    assert call_in(client, token)[0] == 200
    before = Host.objects.get(pk=host.pk).key_fingerprint
    status, sentence = call_in(client, token)
    assert status == 403
    assert "Ask for a new one" in sentence
    assert Host.objects.get(pk=host.pk).key_fingerprint == before


def test_an_expired_or_unknown_token_lets_nobody_in(client: Client, host: Host) -> None:
    token = EnrolmentToken.issue(host)
    EnrolmentToken.objects.update(expires_at=timezone.now())
    assert call_in(client, token)[0] == 403
    assert call_in(client, "guess")[0] == 403


@pytest.mark.parametrize("key", [None, 7, "", "ssh-rsa AAAA", "ssh-ed25519 !!", "ssh-ed25519 AAAA"])
def test_what_is_no_key_is_refused(client: Client, host: Host, key: object) -> None:
    status, sentence = call_in(client, EnrolmentToken.issue(host), public_key=key)
    assert status == 403
    assert "public_key" in sentence


def test_hostile_facts_are_dropped(client: Client, host: Host) -> None:
    status, _ = call_in(
        client,
        EnrolmentToken.issue(host),
        hostname="h" * 5000,
        kernel={"deep": 1},
        mtu="big",
        cpus=-1,
        memory_bytes=2**80,
        addresses=["10.0.0.1", 7, "x" * 99],
    )
    host.refresh_from_db()
    assert status == 200
    assert host.facts == {"hostname": "h" * 200}
    assert host.addresses == ["10.0.0.1"]


@pytest.mark.parametrize("body", ["", "[]", "{", '"text"'])
def test_what_is_no_object_is_refused(client: Client, body: str) -> None:
    assert client.post("/join/x", body, content_type="application/json").status_code == 400


def test_a_long_body_is_refused_unread(client: Client) -> None:
    assert client.post("/join/x", "x" * 20_000, content_type="application/json").status_code == 413


def test_the_token_itself_is_nowhere_in_the_database(host: Host) -> None:
    token = EnrolmentToken.issue(host)
    row = EnrolmentToken.objects.get(host=host)
    assert token not in (row.digest, str(row.pk))


def test_health_is_answered_without_signing_in(client: Client) -> None:
    assert client.get("/healthz").status_code == 200
