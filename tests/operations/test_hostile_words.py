"""What hosts say comes into logs and rows as text that every database stores."""

from __future__ import annotations

import pytest

from dashboard.models import OperationLog
from dashboard.operations.context import StepContext
from platform_manager.engines.errors import refused
from platform_manager.swarm.snapshot import MTU_OPTION, network, node
from tests import factories


@pytest.mark.django_db
def test_no_nul_comes_into_a_log() -> None:
    operation = factories.operation(factories.environment())
    StepContext(operation, 1).log("boot\x00ed\nready", "output")
    assert [line.text for line in OperationLog.objects.filter(operation=operation)] == ["boot\ufffded", "ready"]


def test_no_nul_comes_into_the_words_of_a_refusal() -> None:
    assert "\0" not in str(refused(500, "no\x00 way"))


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan"), 10**400, -(2**63), True, "7"])
def test_a_number_beyond_all_machines_is_none(number: object) -> None:
    found = node({"Description": {"Resources": {"NanoCPUs": number, "MemoryBytes": number}}})
    assert (found.cpus, found.memory) == (0.0, 0)


@pytest.mark.parametrize(("told", "mtu"), [("1400", 1400), ("²", 0), ("-1", 0), ("1e3", 0), (1400, 0)])
def test_a_network_of_no_readable_mtu_has_none(told: object, mtu: int) -> None:
    assert network({"Options": {MTU_OPTION: told}}).mtu == mtu
