"""Volumes that are made before a stack: the log tells which were made, and where."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.models import OperationLog
from dashboard.operations.context import StepContext
from dashboard.operations.deploying.provide import provide
from tests import factories
from tests.engines.fake_engine import http

from .fake_swarm import LAST, swarm_of

pytestmark = pytest.mark.django_db


def test_volumes_that_were_there_are_not_said_to_be_made(settings: Any) -> None:
    environment = factories.environment()
    factories.host(environment, "m1", role="manager")
    revision = factories.revision(factories.stack(environment, "shop"), 7, wishes={"volumes": ["old", "new"]})
    operation = factories.operation(environment, "Deploy shop", kind="deploy_stack", args={"stack": "shop"})
    with swarm_of(environment, "m1", settings) as swarm:
        swarm.answers["/volumes"] = http({"Volumes": [{"Name": "old"}]}, headers=LAST)
        swarm.answers["/volumes/create"] = http({"Name": "new"}, headers=LAST)
        made = provide(StepContext(operation, 1), revision)

    assert made.volumes == {"new"}
    logged = OperationLog.objects.filter(operation=operation).values_list("text", flat=True)
    assert list(logged) == ["Made for it: the volume new, on m1."]
