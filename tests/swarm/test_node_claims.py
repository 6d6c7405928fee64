"""Which node of the swarm a host is: what it says itself is held against what the swarm sees."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from platform_manager.engines.client import EngineClient
from platform_manager.swarm import cluster
from tests.engines.fake_engine import FakeEngine, http

OTHERS = {"node2": "fw-02", "10.0.0.2": "fw-02"}


@pytest.fixture
async def engine() -> AsyncIterator[FakeEngine]:
    """Sockets need paths shorter than pytest's own."""
    with tempfile.TemporaryDirectory(prefix="pm-") as path:
        fake = FakeEngine(Path(path) / "engine.sock")
        await fake.start()
        yield fake
        await fake.stop()


async def verify(engine: FakeEngine, node_id: str, **status: Any) -> None:
    if status:
        engine.answers[f"/nodes/{node_id}"] = http({"ID": node_id, "Status": status})
    async with EngineClient(engine.path) as manager:
        await cluster.verify_node(manager, node_id, ["10.0.0.1"], OTHERS)


@pytest.mark.parametrize("seen", ["10.0.0.1", "192.168.7.1"], ids=["its own address", "a gateway's"])
async def test_a_node_that_nobody_else_is_may_be_the_hosts(engine: FakeEngine, seen: str) -> None:
    await verify(engine, "node1", Addr=seen)


async def test_a_node_that_another_host_is_is_refused(engine: FakeEngine) -> None:
    with pytest.raises(cluster.NotItsNode, match="node of fw-02"):
        await verify(engine, "node2", Addr="10.0.0.1")


async def test_a_node_at_another_hosts_address_is_refused(engine: FakeEngine) -> None:
    with pytest.raises(cluster.NotItsNode, match="address of fw-02"):
        await verify(engine, "node1", Addr="10.0.0.2")


@pytest.mark.parametrize("status", [{}, {"State": "unknown"}], ids=["not there", "not seen"])
async def test_a_node_that_the_swarm_has_not_seen_is_refused_in_the_end(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, status: dict[str, str]
) -> None:
    monkeypatch.setattr(cluster, "SEEN_SECONDS", 0.3)
    with pytest.raises(cluster.NotItsNode, match="has not seen"):
        await verify(engine, "node1", **status)
