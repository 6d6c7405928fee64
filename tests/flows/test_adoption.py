"""Stacks made elsewhere: what is refused and recorded. That nothing changes on a swarm is in tests/deployments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dashboard.flows import adoption
from dashboard.models import AuditEntry, Environment, HostRole, OperationState, Origin, Stack, StackState
from dashboard.operations.nodes.managers import NoManager
from platform_manager.errors import UserError
from platform_manager.swarm.snapshot import STACK_LABEL
from tests import factories
from tests.engines.fake_engine import FakeEngine, http
from tests.flows.conftest import managing

pytestmark = pytest.mark.django_db

WEB = {
    "ID": "s1",
    "Version": {"Index": 7},
    "UpdateStatus": {"State": "rollback_completed", "StartedAt": "2026-11-22T18:00:00Z"},
    "Spec": {
        "Name": "shop_web",
        "Labels": {STACK_LABEL: "shop", "com.docker.stack.image": "web:1"},
        "TaskTemplate": {
            "ContainerSpec": {"Image": "web:1@sha256:abc", "Env": ["DB_PASSWORD=s3cret"], "Groups": ["docker"]},
            "Networks": [{"Target": "n1", "Aliases": ["web"]}],
        },
        "Mode": {"Replicated": {"Replicas": 0}},
    },
}


@pytest.fixture
def environment() -> Environment:
    made = factories.environment()
    factories.host(made, role=HostRole.MANAGER)
    return made


@pytest.fixture
def engine(environment: Environment, settings: Any) -> Iterator[FakeEngine]:
    """The manager's."""
    with managing(environment, settings) as engine:
        engine.answers |= {f"/{kind}": http([]) for kind in ("tasks", "nodes")}
        engine.answers["/services"] = http([WEB])
        engine.answers["/networks"] = http([{"Id": "n1", "Name": "shop_default"}])
        yield engine


def test_what_runs_becomes_a_stack_with_a_first_revision(environment: Environment, engine: FakeEngine) -> None:
    stack = adoption.adopt(environment, environment.owner, "shop")

    # It went back from an update of somebody else's once, which is no news of the platform's.
    assert (stack.state, stack.settled_at is not None) == (StackState.RUNNING, True)
    revision = stack.revisions.get()
    assert (revision.n, revision.origin, revision.author) == (1, Origin.ADOPTED, environment.owner)
    assert revision.answers == {"DB_PASSWORD": "s3cret"}
    assert revision.wishes["secret_names"] == ["DB_PASSWORD"]
    assert revision.pins == revision.digests == {"web": "web:1@sha256:abc"}
    assert "s3cret" not in revision.compose
    assert revision.sentence == "web: additional groups can't be kept."
    assert AuditEntry.objects.get(action="stack.adopt").detail == {"services": 1}
    assert {request.method for request in engine.requests} == {"GET"}


def test_a_stack_is_adopted_whole_or_not(environment: Environment, engine: FakeEngine) -> None:
    """A service that the file lacks would go with the next update."""
    engine.answers["/services"] = http([{**WEB, "ID": f"s{n}"} for n in range(201)])
    with pytest.raises(UserError, match="shop has 201 services: only stacks of at most 200"):
        adoption.adopt(environment, environment.owner, "shop")
    assert not Stack.objects.exists()


def test_there_must_be_something_to_adopt(environment: Environment, engine: FakeEngine) -> None:
    engine.answers["/services"] = http([])
    with pytest.raises(UserError, match="no stack called blog in the swarm"):
        adoption.adopt(environment, environment.owner, "blog")


def test_a_stack_of_the_platform_is_not_adopted_again(environment: Environment) -> None:
    factories.stack(environment, "shop")
    with pytest.raises(UserError, match="stack of the platform already"):
        adoption.adopt(environment, environment.owner, "shop")


def test_without_a_manager_nothing_is_adopted(environment: Environment) -> None:
    environment.hosts.update(link_up=False)
    with pytest.raises(NoManager):
        adoption.adopt(environment, environment.owner, "shop")
    assert not Stack.objects.exists()


def test_a_released_stack_is_forgotten_and_nothing_is_asked_of_the_swarm(environment: Environment) -> None:
    factories.stack(environment, "shop")

    adoption.release(environment, environment.owner, "shop")

    assert not environment.stacks.exists()
    assert not environment.operations.exists()
    assert AuditEntry.objects.get(action="stack.release").detail == {"revisions": 1}


def test_a_stack_to_which_something_is_being_done_is_kept(environment: Environment) -> None:
    factories.stack(environment, "shop")
    factories.operation(environment, kind="deploy_stack", state=OperationState.RUNNING, args={"stack": "shop"})
    with pytest.raises(UserError, match="being done to shop"):
        adoption.release(environment, environment.owner, "shop")
    assert environment.stacks.exists()
