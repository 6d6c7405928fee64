"""What an operation's page shows of how far its hosts have come, and when it shows nothing of them any more."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dashboard.models import Environment, Host, HostState, Operation, OperationState
from dashboard.pages.host_tracks import HostTrack, host_tracks
from tests import factories

pytestmark = pytest.mark.django_db
NOTHING = {"node_id": "", "provider_id": "", "facts": {}, "link_up": False, "addresses": []}


@pytest.fixture
def shop() -> Environment:
    return factories.environment(factories.user("anna"), "shop")


def host(shop: Environment, state: HostState, **fields: Any) -> Host:
    return factories.host(shop, state=state, **(NOTHING | fields))


def adding(*hosts: Host, state: OperationState = OperationState.RUNNING, **fields: Any) -> Operation:
    args = {"hosts": [str(one.pk) for one in hosts]}
    return factories.operation(hosts[0].environment, state=state, **({"args": args} | fields))


def recreating(one: Host, *, cleared: bool, state: OperationState = OperationState.RUNNING) -> Operation:
    args = {"host": str(one.pk), "hosts": [str(one.pk)], "role": one.role} | ({"cleared": True} if cleared else {})
    return adding(one, state=state, kind="recreate_host", args=args)


def tracks(operation: Operation) -> list[HostTrack]:
    rows: Any = host_tracks(operation).rows
    return list(rows)


def told(operation: Operation) -> str:
    """The one host's stages that are not simply done or to come, and its word."""
    (track,) = tracks(operation)
    present = [f"{word} {mark}" for word, mark in track.stages if mark in ("under way", "failed")]
    return ", ".join([*present, track.badge.word, f"{track.count} of 6"])


@pytest.mark.parametrize(
    ("state", "fields", "words"),
    [
        (HostState.REQUESTED, {}, "Requested under way, Requested, 1 of 6"),
        (HostState.BUILDING, {}, "Building under way, Building, 2 of 6"),
        (HostState.BOOTING, {"provider_id": "x"}, "Booting under way, Booting, 3 of 6"),
        (HostState.BOOTSTRAPPING, {}, "Bootstrapping under way, Bootstrapping, 4 of 6"),
        (HostState.BOOTSTRAPPING, {"link_up": True}, "Linked under way, Linked, 5 of 6"),
        (HostState.JOINING, {"link_up": True}, "Joined under way, Joining, 6 of 6"),
        (HostState.ACTIVE, {"link_up": True, "node_id": "n"}, "Active, 6 of 6"),
        (HostState.DISCONNECTED, {"node_id": "n"}, "Disconnected, 6 of 6"),
    ],
)
def test_each_state_of_a_host_is_one_stage(shop: Environment, state: HostState, fields: Any, words: str) -> None:
    assert told(adding(host(shop, state, **fields))) == words


@pytest.mark.parametrize(
    ("left", "words"),
    [
        ({}, "Building failed, Failed, 2 of 6"),
        ({"provider_id": "x"}, "Booting failed, Failed, 3 of 6"),
        ({"provider_id": "x", "facts": factories.FACTS}, "Bootstrapping failed, Failed, 4 of 6"),
        ({"provider_id": "x", "facts": factories.FACTS, "link_up": True}, "Joined failed, Failed, 6 of 6"),
    ],
)
def test_a_failed_host_stopped_where_what_it_left_ends(shop: Environment, left: Any, words: str) -> None:
    assert told(adding(host(shop, HostState.FAILED, **left))) == words


def test_what_is_behind_is_done_and_what_is_ahead_is_to_come(shop: Environment) -> None:
    (track,) = tracks(adding(host(shop, HostState.BOOTING)))
    assert [mark.value for _, mark in track.stages] == ["done", "done", "under way", "to come", "to come", "to come"]


def test_a_host_that_is_to_be_recreated_has_come_nowhere_yet(shop: Environment) -> None:
    lost = host(shop, HostState.DISCONNECTED, node_id="n", provider_id="x", facts=factories.FACTS)
    assert told(recreating(lost, cleared=False)) == "Requested under way, Disconnected, 1 of 6"
    Host.objects.update(**NOTHING, state=HostState.BUILDING)
    Operation.objects.all().delete()
    assert told(recreating(lost, cleared=True)) == "Building under way, Building, 2 of 6"


def test_removed_hosts_and_those_of_others_are_left_out(shop: Environment) -> None:
    kept, gone, _ = (host(shop, HostState.BUILDING, name=name) for name in ("fw-01", "fw-02", "fw-03"))
    operation = adding(kept, gone)
    gone.delete()
    assert [track.name for track in tracks(operation)] == ["fw-01"]


def test_other_kinds_show_no_hosts(shop: Environment) -> None:
    one = host(shop, HostState.ACTIVE)
    assert tracks(adding(one, kind="remove_host", args={"host": str(one.pk)})) == []


def test_once_it_succeeded_a_later_failure_is_not_its_own(shop: Environment) -> None:
    assert tracks(adding(host(shop, HostState.FAILED), state=OperationState.SUCCEEDED)) == []


@pytest.mark.parametrize("state", [OperationState.FAILED, OperationState.CANCELLED])
def test_of_one_that_stopped_only_hosts_that_failed_are_shown(shop: Environment, state: OperationState) -> None:
    failed, well = host(shop, HostState.FAILED, name="fw-01"), factories.host(shop, "fw-02")
    once_joined = factories.host(shop, "fw-03", state=HostState.FAILED)
    assert [track.name for track in tracks(adding(failed, well, once_joined, state=state))] == ["fw-01"]


def test_a_host_that_was_tried_again_is_told_by_the_later_operation(shop: Environment) -> None:
    one = host(shop, HostState.FAILED)
    first = adding(one, state=OperationState.FAILED)
    assert len(tracks(first)) == 1
    second = adding(one, state=OperationState.FAILED)
    assert tracks(first) == []
    assert len(tracks(second)) == 1


def test_a_recreation_that_touched_nothing_blames_no_stage(shop: Environment) -> None:
    one = host(shop, HostState.FAILED, provider_id="x")
    assert tracks(recreating(one, cleared=False, state=OperationState.FAILED)) == []


def test_the_page_says_every_stage_in_words(client: Client, shop: Environment) -> None:
    client.force_login(shop.owner)
    one = host(shop, HostState.BOOTING, name="fw-01")
    operation = adding(one)
    page = client.get(reverse("operation", args=[shop.pk, operation.pk])).content.decode()
    row = page.split(f'id="track-{one.pk}"')[1].split("</tr>")[0]
    assert reverse("host", args=[shop.pk, one.pk]) in row
    assert row.count(">done<") == 2
    assert row.count(">under way<") == 1
    assert ">Booting<" in row
    assert "3 of 6" in row
