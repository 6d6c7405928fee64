"""Keeps one environment's snapshot true: reads its swarm after events, while things move, and every few seconds.

A manager's events never tell of its workers' containers, so an event of any host makes the watcher read. The
manager learns of a task's change a moment after the host's event, so it reads again with growing pauses, and at
once when the event's own task has changed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from dashboard.hub import records
from dashboard.hub.awaited import AwaitedTasks
from platform_manager.engines.client import EngineClient, EngineError
from platform_manager.errors import PlatformError
from platform_manager.swarm import snapshot, stacks, updates
from platform_manager.wiring import EnginePool

log = logging.getLogger("platform.hub")

Call = Callable[..., Coroutine[Any, Any, Any]]

NO_MANAGER = "No manager answers: what you see is what was known before. It goes on by itself when one is back."
IDLE_SECONDS = 10.0
MOVING_SECONDS = 0.4
MOVING_FOR_SECONDS = 120.0
RARE_SECONDS = 20.0
PEEK_SECONDS = 0.03
AFTER_EVENT = (0.0, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5, 0.8, 1.2)
MOVING_STATES = ("new", "allocated", "assigned", "accepted", "preparing", "ready", "starting")


class EnvironmentWatcher:
    """Reads one swarm; :meth:`poke` says that something happened in it."""

    def __init__(self, environment_id: str, pool: EnginePool, db: Call) -> None:
        self.environment_id = environment_id
        self._pool = pool
        self._db = db
        self._event = asyncio.Event()
        self._last: dict[str, str] = {}
        self._volumes: dict[str, list[snapshot.Volume]] = {}
        self._names: dict[str, str] = {}
        self._rare_at = 0.0
        self._changed_at = 0.0
        self._moving = False
        self._judge_at: float | None = None
        self._judged_at = 0.0
        self._cost = 0.0
        self._awaited = AwaitedTasks()
        self._asked: EngineClient | None = None

    def poke(self, event: Mapping[str, Any] | None = None) -> None:
        """Look soon; ``event`` is what an engine told."""
        if event is not None:
            self._awaited.expect(event)
        self._event.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self._rounds()
            except PlatformError as error:
                log.info("environment %s: %s", self.environment_id, error)
            except Exception:
                # What one swarm's answers break must not end the watching of it.
                log.exception("watching environment %s failed, trying again", self.environment_id)
            await asyncio.sleep(1)

    async def _rounds(self) -> None:
        while True:
            woken = await self._wait(self._pause())
            if not woken:
                await self.read()
                continue
            for pause in AFTER_EVENT:
                # Reading a large swarm costs: pauses grow with it, and a fresh event starts over.
                await self._rest(max(pause, 4 * self._cost) if pause else 0)
                if self._event.is_set():
                    break
                await self.read()
            else:
                self._awaited.give_up()

    async def _rest(self, seconds: float) -> None:
        """Pause; an awaited task that has changed ends it, but not before a read's own time is over."""
        begun = time.monotonic()
        while (left := begun + seconds - time.monotonic()) > 0:
            await asyncio.sleep(min(left, PEEK_SECONDS))
            rested = time.monotonic() - begun >= self._cost
            if rested and self._asked is not None and await self._awaited.changed(self._asked):
                return

    async def _wait(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True

    def _pause(self) -> float:
        if self._moving and time.monotonic() - self._changed_at < MOVING_FOR_SECONDS:
            return max(MOVING_SECONDS, 10 * self._cost)
        idle = max(IDLE_SECONDS, 20 * self._cost)
        return idle if self._judge_at is None else min(idle, max(0.5, self._judge_at - time.monotonic()))

    async def read(self) -> None:
        """One look at the whole swarm; writes what changed."""
        started = time.monotonic()
        members = await self._db(records.members, self.environment_id)
        if not any(member.node_id for member in members):
            await self._write(self._empty(), "")
            return
        manager = await self._manager(members)
        self._asked = manager
        if manager is None:
            await self._write({}, NO_MANAGER)
            return
        answers = await asyncio.gather(*(manager.get(path) for path in ("/nodes", "/services", "/tasks", "/networks")))
        nodes, services, tasks, networks = (
            [item for item in snapshot.sequence(answer) if isinstance(item, dict)] for answer in answers
        )
        await self._read_rarely_changing(manager, members)
        changed = await self._write(self._columns(nodes, services, tasks, networks), "")
        # A deployment may have ended after the last change, and left what it last saw.
        due = min(self._judged_at + IDLE_SECONDS, self._judge_at or math.inf)
        if changed or time.monotonic() >= due:
            await self._judge_stacks(nodes, services, tasks)
        ready = {node.get("ID", "") for node in nodes if snapshot.part(node, "Status", "State") == "ready"}
        roles = {node.get("ID", ""): snapshot.text(snapshot.part(node, "Spec", "Role"), 10) for node in nodes}
        await self._db(records.node_states, self.environment_id, ready, roles)
        self._cost = time.monotonic() - started

    async def _manager(self, members: list[records.Member]) -> EngineClient | None:
        for member in members:
            if member.manager and member.link_up and member.engine_up:
                client = self._pool.client(member.id)
                try:
                    await client.get("/swarm")
                except EngineError:
                    continue
                return client
        return None

    async def _read_rarely_changing(self, manager: EngineClient, members: list[records.Member]) -> None:
        """Volumes of every host, and the names of secrets and configs, which recipes may need."""
        if time.monotonic() - self._rare_at < RARE_SECONDS:
            return
        self._rare_at = time.monotonic()
        there = {member.node_id for member in members}
        self._volumes = {node_id: found for node_id, found in self._volumes.items() if node_id in there}
        for kind in ("secrets", "configs"):
            found = snapshot.sequence(await manager.get(f"/{kind}"))
            names = sorted(snapshot.text(snapshot.part(item, "Spec", "Name"), 255) for item in found)
            self._names[kind] = json.dumps(names)
        for member in members:
            if member.engine_up and member.node_id:
                try:
                    answer = await self._pool.client(member.id).get("/volumes")
                except EngineError:
                    continue
                found = snapshot.sequence(snapshot.part(answer, "Volumes"))
                self._volumes[member.node_id] = [
                    snapshot.volume(item, member.node_id) for item in found if isinstance(item, dict)
                ]

    def _empty(self) -> dict[str, str]:
        return dict.fromkeys(("nodes", "services", "tasks", "networks", "volumes", "secrets", "configs"), "[]")

    def _columns(self, nodes: list[Any], services: list[Any], tasks: list[Any], networks: list[Any]) -> dict[str, str]:
        names = {
            service.get("ID"): (
                snapshot.text(snapshot.part(service, "Spec", "Name"), 255),
                snapshot.text(snapshot.part(service, "Spec", "Labels", snapshot.STACK_LABEL), 255),
            )
            for service in services
        }
        flat_nodes = sorted((snapshot.node(node) for node in nodes), key=lambda node: node.hostname)
        ready = {node.id for node in flat_nodes if node.state == "ready"}
        flat_tasks = [snapshot.task(task, *names.get(task.get("ServiceID"), ("", ""))) for task in tasks]
        flat_tasks.sort(key=lambda task: (task.service, task.slot, task.node_id, task.at), reverse=False)
        self._awaited.learn(flat_tasks)
        by_service: dict[str, list[snapshot.Task]] = {}
        for task in flat_tasks:
            by_service.setdefault(task.service_id, []).append(task)
        flat_services = [
            snapshot.service(service, by_service.get(service.get("ID", ""), []), ready) for service in services
        ]
        self._moving = any(
            task.desired_state == "running" and task.state in MOVING_STATES for task in flat_tasks
        ) or any(service.update_state in ("updating", "rollback_started") for service in flat_services)
        overlays = [snapshot.network(network) for network in networks if network.get("Scope") == "swarm"]
        return {
            "nodes": snapshot.dump(flat_nodes),
            "services": snapshot.dump(sorted(flat_services, key=lambda service: service.name)),
            "tasks": snapshot.dump(flat_tasks),
            "networks": snapshot.dump(sorted(overlays, key=lambda network: network.name)),
            "volumes": snapshot.dump(volume for found in self._volumes.values() for volume in found),
            **self._names,
        }

    async def _write(self, columns: dict[str, str], problem: str) -> bool:
        columns = {**columns, "problem": problem}
        changed = {name: body for name, body in columns.items() if self._last.get(name) != body}
        if not changed:
            return False
        self._changed_at = time.monotonic()
        await self._db(records.write_snapshot, self.environment_id, changed)
        self._last.update(changed)
        return True

    async def _judge_stacks(self, nodes: list[Any], services: list[Any], tasks: list[Any]) -> None:
        """Keep the states of stacks that no deployment is working on; a verdict may change with time alone."""
        again: list[float] = []
        self._judged_at = time.monotonic()
        for stack in await self._db(records.settled_stacks, self.environment_id):
            own = [
                service
                for service in services
                if snapshot.part(service, "Spec", "Labels", snapshot.STACK_LABEL) == stack["name"]
            ]
            ids = {service.get("ID") for service in own}
            of_stack = [task for task in tasks if task.get("ServiceID") in ids]
            status = stacks.judge(updates.since(own, stack["updates_before"]), of_stack, nodes)
            if status.recheck_seconds is not None:
                again.append(status.recheck_seconds)
            if (status.state.value, status.sentence) != (stack["state"], stack["sentence"]):
                await self._db(
                    records.write_stack, self.environment_id, stack["id"], status.state.value, status.sentence
                )
        self._judge_at = time.monotonic() + min(again) if again else None
