"""A user and what she owns, and the engine of a manager."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from dashboard.models import Environment
from platform_manager import wiring
from tests import factories
from tests.engines.fake_engine import FakeEngine, http


@pytest.fixture
def anna() -> User:
    return factories.user("anna")


@pytest.fixture
def shop(anna: User) -> Environment:
    return factories.environment(anna, "shop")


@contextmanager
def managing(environment: Environment, settings: Any) -> Iterator[FakeEngine]:
    """The engine of the environment's only host, which says that it is a manager of its swarm."""
    host = environment.hosts.get()
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:
        settings.PM_SOCKETS = Path(folder)
        engine = FakeEngine(Path(folder, f"{host.pk}.sock"))
        swarm = {"LocalNodeState": "active", "NodeID": host.node_id, "ControlAvailable": True}
        engine.answers |= {"/info": http({"Swarm": swarm}), "/swarm": http({"ID": "swarm"})}
        wiring.run(engine.start(), 5)
        yield engine
        wiring.run(wiring.core().pool.forget(host.pk), 5)
        wiring.run(engine.stop(), 5)
