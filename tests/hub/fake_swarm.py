"""A swarm as its managers tell it, on fake engines whose answers a test changes."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

from asgiref.sync import sync_to_async

from dashboard.hub.watcher import EnvironmentWatcher
from dashboard.models import Environment, Host, Snapshot
from platform_manager.wiring import EnginePool
from tests.engines.fake_engine import FakeEngine, http

STACK = "com.docker.stack.namespace"


def node(host: Host, **status: str) -> dict[str, Any]:
    return {
        "ID": host.node_id,
        "Spec": {"Role": host.role},
        "Description": {"Hostname": host.name},
        "Status": {"State": "ready", "Addr": host.addresses[0], **status},
    }


def service(replicas: int = 1) -> dict[str, Any]:
    spec = {"Name": "shop_web", "Labels": {STACK: "shop"}, "Mode": {"Replicated": {"Replicas": replicas}}}
    return {"ID": "web", "Spec": spec}


def task(host: Host, state: str = "running", desired: str = "running", **status: Any) -> dict[str, Any]:
    return {
        "ID": "task1",
        "ServiceID": "web",
        "Slot": 1,
        "NodeID": host.node_id,
        "DesiredState": desired,
        "Status": {"State": state, "ContainerStatus": {"ContainerID": "container1"}, **status},
    }


def died(*, container: str = "container1", task: str = "task1", code: str = "137") -> dict[str, Any]:
    """A host's event of a container that ended."""
    attributes = {"com.docker.swarm.task.id": task, "exitCode": code}
    return {"Type": "container", "Action": "die", "Actor": {"ID": container, "Attributes": attributes}}


class FakeSwarm:
    """Fake engines of the hosts, each behind the socket of its link, and the watcher that reads them."""

    def __init__(self, environment: Environment, sockets: Path, hosts: list[Host]) -> None:
        self.environment = environment
        self.engines = {host.name: FakeEngine(sockets / f"{host.pk}.sock") for host in hosts}
        self._stack = AsyncExitStack()
        self._pool = EnginePool()
        self.watcher = EnvironmentWatcher(str(environment.pk), self._pool, _db)
        for engine in self.engines.values():
            engine.answers.update({path: http([]) for path in ("/networks", "/secrets", "/configs")})
            engine.answers.update({"/swarm": http({}), "/volumes": http({"Volumes": []})})
        self.tell(nodes=[node(host) for host in hosts], services=[service()], tasks=[task(hosts[0])])

    def tell(self, **lists: list[dict[str, Any]]) -> None:
        """From now on every manager answers so."""
        for engine in self.engines.values():
            engine.answers.update({f"/{name}": http(body) for name, body in lists.items()})
            for one in lists.get("tasks", []):
                engine.answers[f"/tasks/{one['ID']}"] = http(one)

    async def __aenter__(self) -> Self:
        self._stack.push_async_callback(self._pool.close)
        for engine in self.engines.values():
            await engine.start()
            self._stack.push_async_callback(engine.stop)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def snapshot(self) -> Snapshot:
        return await Snapshot.objects.aget(environment=self.environment)

    async def shown_task(self) -> dict[str, Any]:
        """The task as the pages have it."""
        found: list[dict[str, Any]] = json.loads((await self.snapshot()).tasks)
        return found[0] if found else {"state": "not shown"}

    async def running(self) -> int:
        """How many tasks of the service run, as the pages have it."""
        found: int = json.loads((await self.snapshot()).services)[0]["running"]
        return found

    async def until(self, state: str) -> dict[str, Any]:
        """The task once it is shown in this state."""
        async with asyncio.timeout(8):
            while (shown := await self.shown_task())["state"] != state:
                await asyncio.sleep(0.01)
        return shown

    async def until_problem(self, words: str) -> None:
        """The pages say so, or "" that all is well."""
        async with asyncio.timeout(8):
            while (said := (await self.snapshot()).problem) != words and not (words and words in said):
                await asyncio.sleep(0.01)


async def _db(call: Any, *args: Any, patient: bool = False) -> Any:
    return await sync_to_async(call)(*args)
