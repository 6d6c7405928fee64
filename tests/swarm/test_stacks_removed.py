"""Reading and removing stacks, on an engine faked at its socket."""

import json
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from platform_manager.engines.client import EngineClient
from platform_manager.engines.errors import EngineError
from platform_manager.swarm import stacks

LABEL = stacks.STACK_LABEL


class Swarm:
    """Keeps objects by kind; a network can be removed once no task runs."""

    def __init__(self) -> None:
        self.objects: dict[str, list[dict[str, Any]]] = {
            kind: [] for kind in ("services", "tasks", "secrets", "configs", "networks", "nodes")
        }
        self.refusal: tuple[int, str] | None = None

    def add(self, kind: str, name: str, stack: str = "shop", **more: Any) -> None:
        labels = {LABEL: stack}
        self.objects[kind].append(
            {"ID": name, "Name": name, "Labels": labels, "Spec": {"Name": name, "Labels": labels}, **more}
        )

    async def get(self, request: web.Request) -> web.Response:
        wanted = json.loads(request.query.get("filters", "{}")).get("label", [])
        if isinstance(wanted, dict):
            wanted = list(wanted)
        found = self.objects[request.match_info["kind"]]
        kept = [item for item in found if all(f"{LABEL}={item['Labels'][LABEL]}" == label for label in wanted)]
        return web.json_response(kept)

    async def delete(self, request: web.Request) -> web.Response:
        kind, name = request.match_info["kind"], request.match_info["name"]
        if self.refusal and kind == "networks":
            return web.json_response({"message": self.refusal[1]}, status=self.refusal[0])
        if kind == "networks" and self.objects["tasks"]:
            return web.json_response({"message": f"network {name} is in use by task t1"}, status=500)
        before = len(self.objects[kind])
        self.objects[kind] = [item for item in self.objects[kind] if item["ID"] != name]
        return web.Response(status=204 if len(self.objects[kind]) < before else 404)


@pytest.fixture
def swarm() -> Swarm:
    swarm = Swarm()
    for kind in ("services", "secrets", "configs", "networks"):
        swarm.add(kind, f"shop_{kind}")
        swarm.add(kind, f"blog_{kind}", "blog")
    swarm.add("nodes", "n1", Status={"State": "ready"})
    swarm.add("tasks", "t1", NodeID="n1", Status={"State": "running"}, ServiceID="shop_services")
    return swarm


@pytest.fixture
async def client(swarm: Swarm) -> AsyncIterator[EngineClient]:
    app = web.Application()
    app.router.add_get("/_ping", pong)
    app.router.add_get("/{version}/{kind}", swarm.get)
    app.router.add_delete("/{version}/{kind}/{name}", swarm.delete)
    runner = web.AppRunner(app)
    await runner.setup()
    with tempfile.TemporaryDirectory(prefix="pm-") as directory:
        socket = Path(directory) / "engine.sock"
        await web.UnixSite(runner, str(socket)).start()
        async with EngineClient(socket) as client:
            yield client
        await runner.cleanup()


async def pong(_: web.Request) -> web.Response:
    return web.Response(text="OK", headers={"Api-Version": "1.41"})


async def test_a_stack_is_read_with_its_tasks_and_all_nodes(client: EngineClient) -> None:
    services, tasks, nodes = await stacks.read(client, "shop")

    assert [found["ID"] for found in (*services, *tasks, *nodes)] == ["shop_services", "t1", "n1"]


async def test_removing_leaves_what_tasks_still_use_for_the_next_round(client: EngineClient, swarm: Swarm) -> None:
    await stacks.remove(client, "shop")
    assert await stacks.remains(client, "shop") == ["task t1", "network shop_networks"]

    swarm.objects["tasks"].clear()
    await stacks.remove(client, "shop")

    assert await stacks.remains(client, "shop") == []
    assert await stacks.remains(client, "blog") != []


async def test_a_network_that_went_meanwhile_is_no_error(client: EngineClient, swarm: Swarm) -> None:
    swarm.refusal = (500, "network abc not found")

    await stacks.remove(client, "shop")


async def test_another_refusal_is_told(client: EngineClient, swarm: Swarm) -> None:
    swarm.refusal = (503, "This node is not a swarm manager.")

    with pytest.raises(EngineError, match="not a swarm manager"):
        await stacks.remove(client, "shop")


async def test_tasks_of_a_dead_host_do_not_keep_a_stack_from_being_gone(client: EngineClient, swarm: Swarm) -> None:
    swarm.objects["nodes"][0]["Status"]["State"] = "down"

    assert "task t1" not in await stacks.remains(client, "shop")


def test_services_are_grouped_by_stack(swarm: Swarm) -> None:
    lone = {"ID": "x", "Spec": {"Name": "x", "Labels": {}}}

    grouped = stacks.list_stacks([*swarm.objects["services"], lone])

    assert {name: len(found) for name, found in grouped.items()} == {"shop": 1, "blog": 1}
