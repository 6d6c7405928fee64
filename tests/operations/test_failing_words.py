"""What a failed deployment says beyond the swarm's own words, out of answers that its engines give."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from dashboard.models import Environment, OperationLog, RegistryCredential
from dashboard.operations.context import StepContext
from dashboard.operations.deploying.failing_logs import tell_failures
from platform_manager.swarm import stacks
from tests import factories
from tests.engines.fake_engine import http

from .fake_swarm import Swarm, swarm_of

pytestmark = pytest.mark.django_db
SERVER = "registry.example.org"
IMAGE = f"{SERVER}/team/web:1"
CONTAINER = "c0ffee"
DENIED_WORDS = f"Get https://{SERVER}/v2/: no basic auth credentials"
DENIED = http({"message": DENIED_WORDS}, status=500)
TEMPLATE = {"ContainerSpec": {"Image": IMAGE}, "ForceUpdate": 0, "Placement": {}}


@pytest.fixture
def environment() -> Environment:
    environment = factories.environment()
    factories.host(environment, "fw-01", role="manager")
    return environment


@pytest.fixture
def swarm(environment: Environment, settings: Any) -> Iterator[Swarm]:
    with swarm_of(environment, "fw-01", settings) as swarm:
        yield swarm


def told(environment: Environment, error: str, container: str = "") -> str:
    """The one failure's error, of a service whose tasks ended with this error so often that it failed."""
    now = datetime.now(UTC).isoformat()
    status = {"State": "failed", "Err": error, "Timestamp": now, "ContainerStatus": {"ContainerID": container}}
    shared = {"ServiceID": "s", "Slot": 1, "NodeID": "node-fw-01", "DesiredState": "shutdown", "Spec": TEMPLATE}
    tasks = [{"ID": f"t{n}", "CreatedAt": now, "Status": status, **shared} for n in range(4)]
    spec = {"Name": "shop_web", "Mode": {"Replicated": {"Replicas": 1}}, "TaskTemplate": TEMPLATE}
    services = [{"ID": "s", "Spec": spec}]
    nodes = [{"ID": "node-fw-01", "Description": {"Hostname": "fw-01"}, "Status": {"State": "ready"}}]
    stack = factories.stack(environment, "shop")
    operation = factories.operation(environment, kind="deploy_stack", args={"stack": "shop"})
    revision = stack.revisions.get()
    status_of = stacks.judge(services, tasks, nodes)
    (found,) = tell_failures(StepContext(operation, 1), revision, services, tasks, status_of)
    return str(found["error"])


def sign_in(environment: Environment) -> None:
    secret = {"user": "ann", "password": "hunter2-hunter2"}
    RegistryCredential.objects.create(environment=environment, server=SERVER, username="ann", secret=secret)


def test_missing_credentials_are_called_missing(environment: Environment, swarm: Swarm) -> None:
    swarm.answers[f"/distribution/{IMAGE}/json"] = DENIED

    error = told(environment, f"No such image: {IMAGE}")

    assert not OperationLog.objects.exists(), "it stands in the sentence that ends the step"
    assert "the environment has no credentials for it. Add them at Settings, Image registries" in error
    assert error.endswith(f"No such image: {IMAGE}. The registry, asked by a manager: {DENIED_WORDS}")


def test_refused_credentials_are_called_refused(environment: Environment, swarm: Swarm) -> None:
    sign_in(environment)
    swarm.answers[f"/distribution/{IMAGE}/json"] = DENIED

    error = told(environment, f"No such image: {IMAGE}")

    assert f"{SERVER} does not give this image to its user ann" in error
    (asked,) = [one for one in swarm.requests if one.path.startswith("/distribution")]
    assert asked.headers.get("x-registry-auth")
    assert "hunter2" not in error


def test_an_image_that_a_manager_gets_is_amiss_at_its_host(environment: Environment, swarm: Swarm) -> None:
    swarm.answers[f"/distribution/{IMAGE}/json"] = http({"Descriptor": {}})

    assert f"{SERVER} gives the image to a manager, so look at the host" in told(environment, f"No such image: {IMAGE}")


def test_a_registry_that_no_manager_can_ask_costs_no_word_of_the_swarm(environment: Environment, swarm: Swarm) -> None:
    swarm.answers[f"/distribution/{IMAGE}/json"] = http({"message": "dial tcp: i/o timeout"}, status=500)

    error = told(environment, f"No such image: {IMAGE}")

    assert error.startswith("The registry can't be reached from the host")
    assert f"The engine said: No such image: {IMAGE}" in error


def test_memory_that_ran_out_is_told_with_its_limit(environment: Environment, swarm: Swarm) -> None:
    state = {"State": {"OOMKilled": True, "ExitCode": 137}, "HostConfig": {"Memory": 6 * 2**20}}
    swarm.answers[f"/containers/{CONTAINER}/json"] = http(state)

    error = told(environment, "task: non-zero exit (137)", CONTAINER)

    assert error.startswith("It was killed because it used more memory than it may")
    assert error.endswith("The engine said: non-zero exit (137). Out of memory (its limit is 6 MiB)")


def test_the_words_of_a_healthcheck_are_no_cause(environment: Environment, swarm: Swarm) -> None:
    log = [{"ExitCode": 1, "Output": "no space left on device"}]
    swarm.answers[f"/containers/{CONTAINER}/json"] = http({"State": {"Health": {"Log": log}}})

    error = told(environment, "task: non-zero exit (143): dockerexec: unhealthy container", CONTAINER)

    assert error.startswith("Its healthcheck failed, so the swarm stopped it.")
    assert error.endswith("unhealthy container. Its last healthcheck failed: no space left on device")
