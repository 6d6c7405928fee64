"""While a swarm changes its leader, a manager may take a question and say nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboard.models import Environment, HostRole
from dashboard.operations.nodes import managers
from platform_manager import wiring
from tests import factories
from tests.engines.fake_engine import hanging
from tests.operations.fake_swarm import Swarm, swarm_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def environment() -> Environment:
    made = factories.environment()
    for name in ("m1", "m2"):
        factories.host(made, name, role=HostRole.MANAGER)
    return made


@pytest.fixture
def first(environment: Environment, settings: Any) -> Iterator[Swarm]:
    """The engine of m1; the one of m2 answers well."""
    with swarm_of(environment, "m1", settings) as swarm:
        other = Swarm(Path(settings.PM_SOCKETS, f"{environment.hosts.get(name='m2').pk}.sock"), swarm.roles)
        wiring.run(other.start(), 5)
        yield swarm
        wiring.run(other.stop(), 5)


def spoken_to(environment: Environment) -> str:
    client = wiring.run(managers.speaking(managers.managers(environment)), 5)
    return environment.hosts.get(pk=client.socket.stem).name


def test_another_manager_speaks_where_one_is_silent(
    environment: Environment, first: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert spoken_to(environment) == "m1"

    monkeypatch.setattr(managers, "PROBE_SECONDS", 0.2)
    first.answers["/swarm"] = hanging()
    assert spoken_to(environment) == "m2"
