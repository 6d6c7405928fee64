"""A manager's engine, faked at its socket, that keeps secrets, configs, networks, volumes and services."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from platform_manager.engines.client import EngineClient
from platform_manager.swarm.snapshot import STACK_LABEL

CONTENT = ("secrets", "configs")


class KeepingSwarm:
    """Obeys as a real one does: the content of a secret can't be read, and none can be changed."""

    def __init__(self) -> None:
        self.kinds: dict[str, dict[str, dict[str, Any]]] = {
            kind: {} for kind in ("secrets", "configs", "networks", "services", "volumes")
        }
        self.asked: list[str] = []
        self._ids = itertools.count(1)

    def add(self, kind: str, name: str, data: str = "", *, stack: str = "shop", **spec: Any) -> dict[str, Any]:
        """``data`` in base64."""
        labels = {STACK_LABEL: stack} if stack else {}
        made = {
            "ID": f"{kind}-{next(self._ids)}",
            "Version": {"Index": 1},
            "Name": name,
            "Labels": labels,
            "Spec": {"Name": name, "Labels": labels, "Data": data, **spec},
        }
        self.kinds[kind][made["ID"]] = made
        return made

    def names(self, kind: str) -> set[str]:
        return {found["Spec"]["Name"] for found in self.kinds[kind].values()}

    def _shown(self, kind: str, found: dict[str, Any]) -> dict[str, Any]:
        hidden = {key: value for key, value in found["Spec"].items() if key != "Data"}
        return {**found, "Spec": hidden} if kind == "secrets" else found

    async def get(self, request: web.Request) -> web.Response:
        kind = request.match_info["kind"]
        wanted = json.loads(request.query.get("filters", "{}")).get("label", [])
        found = [self._shown(kind, one) for one in self.kinds[kind].values()]
        found = [one for one in found if all(f"{STACK_LABEL}={one['Labels'].get(STACK_LABEL)}" == w for w in wanted)]
        return web.json_response({"Volumes": found} if kind == "volumes" else found)

    async def create(self, request: web.Request) -> web.Response:
        kind, body = request.match_info["kind"], await request.json()
        self.asked.append(f"create {kind} {body['Name']}")
        if body["Name"] in self.names(kind):
            return web.json_response({"message": "already exists"}, status=409)
        made = self.add(kind, body["Name"], body.get("Data", ""), stack="")
        made["Spec"]["Labels"] = body["Labels"]
        return web.json_response({"ID": made["ID"]}, status=201)

    async def update(self, request: web.Request) -> web.Response:
        kind, found = request.match_info["kind"], self.kinds[request.match_info["kind"]][request.match_info["id"]]
        body = await request.json()
        self.asked.append(f"update {kind} {found['Name']}")
        if body.get("Data") and body["Data"] != found["Spec"]["Data"]:
            words = "rpc error: code = InvalidArgument desc = only updates to Labels are allowed"
            return web.json_response({"message": words}, status=400)
        found["Spec"]["Labels"] = body["Labels"]
        return web.Response()

    async def delete(self, request: web.Request) -> web.Response:
        kind, id = request.match_info["kind"], request.match_info["id"]
        return web.Response(status=204 if self.kinds[kind].pop(id, None) else 404)


async def _pong(_: web.Request) -> web.Response:
    return web.Response(text="OK", headers={"Api-Version": "1.41"})


@asynccontextmanager
async def client_of(swarm: KeepingSwarm) -> AsyncIterator[EngineClient]:
    app = web.Application()
    app.router.add_get("/_ping", _pong)
    app.router.add_get("/{version}/{kind}", swarm.get)
    app.router.add_post("/{version}/{kind}/create", swarm.create)
    app.router.add_post("/{version}/{kind}/{id}/update", swarm.update)
    app.router.add_delete("/{version}/{kind}/{id}", swarm.delete)
    runner = web.AppRunner(app)
    await runner.setup()
    with tempfile.TemporaryDirectory(prefix="pm-") as directory:
        socket = Path(directory) / "engine.sock"
        await web.UnixSite(runner, str(socket)).start()
        async with EngineClient(socket) as client:
            yield client
        await runner.cleanup()
