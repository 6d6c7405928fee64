"""A swarm whose managers speak through a fake engine."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dashboard.models import Environment
from platform_manager import wiring
from tests.engines.fake_engine import FakeEngine, Request, http

LAST = "Connection: close\r\n"


class Swarm(FakeEngine):
    """A manager's engine whose swarm obeys: role by node id, and who is drained."""

    def __init__(self, path: Path, roles: dict[str, str]) -> None:
        super().__init__(path)
        self.roles = roles
        self.availability: dict[str, str] = {}
        self.answers["/info"] = http({"Swarm": {"LocalNodeState": "active", "NodeID": "x", "ControlAvailable": True}})
        self.answers["/swarm"] = http({"ID": "swarm"})
        self.answers["/nodes"] = self._list
        for node_id in roles:
            self.answers[f"/nodes/{node_id}"] = self._one
            self.answers[f"/nodes/{node_id}/update"] = self._update

    def node(self, node_id: str) -> dict[str, Any]:
        role = self.roles[node_id]
        status = {"ManagerStatus": {"Reachability": "reachable"}} if role == "manager" else {}
        spec = {"Role": role, "Availability": self.availability.get(node_id, "active")}
        return {"ID": node_id, "Version": {"Index": 1}, "Spec": spec, "Status": {"State": "ready"}, **status}

    async def _list(self, writer: asyncio.StreamWriter, _: Request) -> None:
        writer.write(http([self.node(node_id) for node_id in self.roles], headers=LAST))

    async def _one(self, writer: asyncio.StreamWriter, request: Request) -> None:
        node_id = request.path.split("/")[2].partition("?")[0]
        if request.method == "DELETE":
            self.roles.pop(node_id, None)
        found = self.node(node_id) if node_id in self.roles else {"message": f"node {node_id} not found"}
        writer.write(http(found, status=200 if node_id in self.roles else 404, headers=LAST))

    async def _update(self, writer: asyncio.StreamWriter, request: Request) -> None:
        node_id, asked = request.path.split("/")[2], json.loads(request.body)
        self.roles[node_id], self.availability[node_id] = asked["Role"], asked["Availability"]
        writer.write(http(None, headers=LAST))

    @property
    def managers(self) -> set[str]:
        return {node_id.removeprefix("node-") for node_id, role in self.roles.items() if role == "manager"}


@contextmanager
def swarm_of(environment: Environment, manager: str, settings: Any) -> Iterator[Swarm]:
    """The swarm of the environment's hosts, for which the host named ``manager`` speaks."""
    host = environment.hosts.get(name=manager)
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:
        settings.PM_SOCKETS = Path(folder)
        engine = Swarm(Path(folder, f"{host.pk}.sock"), {one.node_id: one.role for one in environment.hosts.all()})
        wiring.run(engine.start(), 5)
        yield engine
        for one in environment.hosts.all():
            wiring.run(wiring.core().pool.forget(one.pk), 5)
        wiring.run(engine.stop(), 5)
