"""Hosts that claim to be others' nodes, and a swarm whose managers are late."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from pytest_django import Settings

from dashboard.models import Environment, Host, HostRole, HostState, OperationLog
from dashboard.operations.context import StepContext
from dashboard.operations.hosts import add_hosts
from dashboard.operations.nodes import identity
from platform_manager import wiring
from platform_manager.errors import ProviderError
from tests import factories
from tests.engines.fake_engine import FakeEngine, http

pytestmark = pytest.mark.django_db(transaction=True)

off_loop = sync_to_async(thread_sensitive=False)


@pytest.fixture
def manager(settings: Settings) -> Host:
    settings.PM_HOST_SECONDS = 10
    environment = factories.environment(swarm_mtu=1500)
    return factories.host(environment, "fw-01", role=HostRole.MANAGER, addresses=["10.0.0.1"])


@pytest.fixture
async def engine(manager: Host, settings: Settings) -> AsyncIterator[FakeEngine]:
    """The manager's, behind the socket of its link."""
    with tempfile.TemporaryDirectory(prefix="pm-") as path:
        settings.PM_SOCKETS = Path(path)
        fake = FakeEngine(Path(path) / f"{manager.pk}.sock")
        info = {"Swarm": {"LocalNodeState": "active", "NodeID": manager.node_id, "ControlAvailable": True}}
        fake.answers.update({"/info": http(info), "/swarm": http({})})
        fake.answers["/nodes"] = http([{"ID": manager.node_id}, {"ID": "another"}])
        fake.answers["/networks"] = http([{"Name": name, "Scope": "swarm"} for name in ("frontend", "backend")])
        await fake.start()
        yield fake
        await off_loop(wiring.run)(wiring.core().pool.forget(manager.pk), 5)
        await fake.stop()


@off_loop
def fresh(environment: Environment, name: str, address: str) -> Host:
    """A host that has called in and is in no swarm."""
    return factories.host(environment, name, node_id="", state=HostState.JOINING, addresses=[address])


@off_loop
def context_for(environment: Environment, *hosts: Host) -> StepContext:
    operation = factories.operation(environment)
    operation.args = {"hosts": [str(host.pk) for host in hosts]}
    operation.save()
    return StepContext(operation, 1)


def told_of(engine: FakeEngine, node_id: str, address: str) -> None:
    engine.answers[f"/nodes/{node_id}"] = http({"ID": node_id, "Status": {"Addr": address}})


async def refusals(manager: Host, claims: dict[Host, str]) -> dict[str, str]:
    context = await context_for(manager.environment, *claims)
    found = await off_loop(identity.refused)(context, claims)
    return {host.name: words for host, words in found.items()}


async def test_a_host_that_names_its_own_node_is_believed(manager: Host, engine: FakeEngine) -> None:
    told_of(engine, "node2", "10.0.0.2")
    host = await fresh(manager.environment, "fw-02", "10.0.0.2")
    assert await refusals(manager, {host: "node2"}) == {}


async def test_a_host_that_names_the_managers_node_is_not(manager: Host, engine: FakeEngine) -> None:
    host = await fresh(manager.environment, "fw-02", "10.0.0.2")
    told_of(engine, manager.node_id, "10.0.0.1")
    assert "node of fw-01" in (await refusals(manager, {host: manager.node_id}))["fw-02"]


async def test_of_two_that_join_at_once_and_name_one_node_only_its_own_is_believed(
    manager: Host, engine: FakeEngine
) -> None:
    told_of(engine, "node2", "10.0.0.2")
    honest = await fresh(manager.environment, "fw-02", "10.0.0.2")
    liar = await fresh(manager.environment, "fw-03", "10.0.0.3")
    found = await refusals(manager, {liar: "node2", honest: "node2"})
    assert list(found) == ["fw-03"]
    assert "address of fw-02" in found["fw-03"]


async def test_where_addresses_do_not_tell_them_apart_neither_is_believed(manager: Host, engine: FakeEngine) -> None:
    told_of(engine, "node2", "192.168.7.1")
    two = [await fresh(manager.environment, f"fw-0{n}", f"10.0.0.{n}") for n in (2, 3)]
    assert sorted(await refusals(manager, dict.fromkeys(two, "node2"))) == ["fw-02", "fw-03"]


@off_loop
def link(host: Host, *, up: bool) -> None:
    Host.objects.filter(pk=host.pk).update(link_up=up)


@off_loop
def log_of(context: StepContext) -> list[str]:
    return list(OperationLog.objects.filter(operation=context.operation).values_list("text", flat=True))


async def test_a_swarm_whose_manager_is_late_is_waited_for_by_name(manager: Host, engine: FakeEngine) -> None:
    await link(manager, up=False)
    host = await fresh(manager.environment, "fw-02", "10.0.0.2")
    context = await context_for(manager.environment, host)
    forming = asyncio.ensure_future(off_loop(add_hosts.form_swarm)(context))
    async with asyncio.timeout(8):
        while not any("Waiting for fw-01 to call in" in line for line in await log_of(context)):
            await asyncio.sleep(0.02)
    await link(manager, up=True)
    assert await asyncio.wait_for(forming, 8) is None


async def test_managers_that_stay_away_are_named(manager: Host, engine: FakeEngine, settings: Any) -> None:
    settings.PM_HOST_SECONDS = 0
    await link(manager, up=False)
    context = await context_for(manager.environment, await fresh(manager.environment, "fw-02", "10.0.0.2"))
    with pytest.raises(ProviderError, match="fw-01"):
        await off_loop(add_hosts.form_swarm)(context)
