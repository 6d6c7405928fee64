"""Keeps one environment's snapshot true: reads its swarm after events, while things move, and every few seconds.

A manager's events never tell of its workers' containers, so an event of any host makes the watcher read. The
manager learns of a task's change a moment after the host's event, so it reads again with growing pauses, and at
once when the event's own task has changed. The end of a container is shown as its host tells it.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import Error
from django.utils import timezone

from dashboard.hub import records
from dashboard.hub.awaited import AwaitedTasks
from dashboard.hub.ended import EndedContainers
from dashboard.hub.rare import RarelyChanging
from dashboard.hub.reading import Answers, Reading, ask
from platform_manager.engines.client import EngineClient, EngineError, EngineUnreachable
from platform_manager.swarm import held, stacks, updates
from platform_manager.swarm.snapshot import Json
from platform_manager.wiring import EnginePool

log = logging.getLogger("platform.hub")

Call = Callable[..., Coroutine[Any, Any, Any]]

NO_MANAGER = "No manager answers: what you see is what was known before. It goes on by itself when one is back."
BROKEN = "The platform failed to read this swarm and tries again; its log says why."
BROKEN_SECONDS = 2.0
IDLE_SECONDS = 10.0
MOVING_SECONDS = 0.4
MOVING_FOR_SECONDS = 120.0
RARE_SECONDS = 20.0
# A form asks for the ones that are missing: those that somebody just made shall be there.
NAMED = ("secret", "config")
PEEK_SECONDS = 0.03
AFTER_EVENT = (0.0, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5, 0.8, 1.2)
# A manager that can't say this much so soon is passed over.
PROBE_SECONDS = 4.0
# While the leader changes an answer may hang; whoever is asked again gets one at once.
ASK_SECONDS, MOST_ASK_SECONDS = 6.0, 30.0
COLUMNS = ("nodes", "services", "tasks", "networks", "volumes", "secrets", "configs")


class EnvironmentWatcher:
    """Reads one swarm; :meth:`poke` says that something happened in it."""

    def __init__(self, environment_id: str, pool: EnginePool, db: Call) -> None:
        self.environment_id = environment_id
        self._pool = pool
        self._db = db
        self._event = asyncio.Event()
        self._last: dict[str, str] = {}
        self._reading: Reading | None = None
        self._read_at: datetime | None = None
        self._nodes: dict[str, str] = {}
        self._rare = RarelyChanging()
        self._rare_at = -RARE_SECONDS
        self._rare_work: asyncio.Task[None] | None = None
        self._changed_at = 0.0
        self._judge_at: float | None = None
        self._judged_at = 0.0
        self._took = math.inf
        self._cost = 0.0
        self._patience = 0.0
        self._awaited = AwaitedTasks()
        self._ended = EndedContainers()
        self._asked = ""

    def poke(self, host_id: str = "", event: Mapping[str, Any] | None = None) -> None:
        """Look soon; ``event`` is what the engine of a host told."""
        if event is not None:
            self._awaited.expect(event)
            self._ended.hear(host_id, event)
            if event.get("Type") in NAMED:
                self._rare_at = -RARE_SECONDS
        self._event.set()

    async def run(self) -> None:
        """Until cancelled."""
        broken_at: object = self
        try:
            while True:
                try:
                    await self._rounds()
                except Exception:
                    # What one swarm's answers break must not end the watching of it.
                    log.exception("watching environment %s failed, trying again", self.environment_id)
                # Once is a link that was replaced during a read; twice without a read between is for people.
                if broken_at == self._read_at:
                    await self._say_broken()
                broken_at = self._read_at
                await asyncio.sleep(BROKEN_SECONDS)
        finally:
            if self._rare_work:
                self._rare_work.cancel()

    async def _say_broken(self) -> None:
        try:
            await self._write({}, f"{BROKEN} {self._as_of()}")
        except Error:
            log.exception("the state of environment %s can't be written", self.environment_id)

    async def _rounds(self) -> None:
        await self.read()
        while True:
            woken = await self._wait(self._pause())
            if not woken:
                await self.read()
                continue
            # After an end the swarm has nothing new yet, and the pages are being drawn.
            at_once = not await self.tell_ends()
            for pause in AFTER_EVENT if at_once else AFTER_EVENT[1:]:
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
            if await self._ended.wait(min(left, PEEK_SECONDS)):
                await self.tell_ends()
                # However many ends a host tells of, the manager is asked now and then only.
                await asyncio.sleep(PEEK_SECONDS)
            rested = time.monotonic() - begun >= self._cost
            if rested and self._asked and await self._awaited.changed(self._pool.client(self._asked)):
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
        # A swarm that just lost its leader has another one within seconds.
        moving = bool(self._last.get("problem")) or (self._reading is not None and self._reading.moving)
        if moving and time.monotonic() - self._changed_at < MOVING_FOR_SECONDS:
            return min(max(MOVING_SECONDS, 10 * self._cost), IDLE_SECONDS)
        idle = max(IDLE_SECONDS, 20 * self._cost)
        return idle if self._judge_at is None else min(idle, max(0.5, self._judge_at - time.monotonic()))

    async def read(self) -> None:
        """One look at the whole swarm, through the first of its managers that answers well; writes what changed."""
        started = time.monotonic()
        members = await self._db(records.members, self.environment_id)
        if not any(member.node_id for member in members):
            await self._write(dict.fromkeys(COLUMNS, "[]"), "")
            return
        self._nodes = {member.id: member.node_id for member in members}
        found = await self._first_answer(members)
        if found is None:
            return
        manager, answers = found
        self._begin_rare(manager, members)
        self._reading = reading = Reading(answers)
        self._awaited.learn(reading.tasks)
        self._ended.learn(reading.tasks)
        changed = await self._write(reading.columns(self._ended.seen(reading.tasks)), "")
        self._read_at = timezone.now()
        # A deployment may have ended after the last change, and left what it last saw.
        due = min(self._judged_at + IDLE_SECONDS, self._judge_at or math.inf)
        if changed or time.monotonic() >= due:
            await self._judge_stacks(answers, {one.node_id for one in members if not (one.link_up and one.engine_up)})
        await self._db(records.node_states, self.environment_id, members, reading.nodes)
        took = time.monotonic() - started
        # A single look that takes long waited for something, such as a new leader, and says nothing of the next one.
        self._cost, self._took = min(self._took, took), took

    async def _first_answer(self, members: list[records.Member]) -> tuple[EngineClient, Answers] | None:
        """None when no manager gives what can be shown, which is then written down."""
        problem = NO_MANAGER
        self._asked = ""
        for member in members:
            if not (member.manager and member.link_up and member.engine_up):
                continue
            client = self._pool.client(member.id)
            try:
                async with asyncio.timeout(PROBE_SECONDS):
                    await client.get("/swarm")
                answers = await self._ask(client)
            except (EngineUnreachable, TimeoutError):
                continue
            except EngineError as error:
                log.info("environment %s: no usable answer of host %s: %s", self.environment_id, member.id, error)
                problem = f"The engine of {member.name} gives no usable answer. {error} {self._as_of()}"
                continue
            self._asked = member.id
            return client, answers
        await self._write({}, problem)
        return None

    async def _ask(self, manager: EngineClient) -> Answers:
        """TimeoutError where it takes much longer than before; then the next try has twice the time."""
        started = time.monotonic()
        patience = min(max(ASK_SECONDS, self._patience), MOST_ASK_SECONDS)
        self._patience = 2 * patience
        async with asyncio.timeout(patience):
            answers = await ask(manager)
        self._patience = 4 * (time.monotonic() - started)
        return answers

    def _as_of(self) -> str:
        if self._read_at is None:
            return "What you see is what was known before."
        return f"What you see is as of {self._read_at:%d %B %Y, %H:%M:%S} UTC."

    def _begin_rare(self, manager: EngineClient, members: list[records.Member]) -> None:
        """On the side: a host that does not answer must not hold up what the manager tells."""
        if time.monotonic() - self._rare_at < RARE_SECONDS or (self._rare_work and not self._rare_work.done()):
            return
        self._rare_at = time.monotonic()
        engines = {member.node_id: self._pool.client(member.id) for member in members if member.engine_up}
        there = {member.node_id for member in members}
        self._rare_work = asyncio.create_task(self._read_rare(manager, engines, there))

    async def _read_rare(self, manager: EngineClient, engines: dict[str, EngineClient], members: set[str]) -> None:
        await self._rare.read(manager, engines, members)
        try:
            await self._write(self._rare.columns(), self._last.get("problem", ""))
        except Error:
            log.exception("what is in environment %s can't be written", self.environment_id)

    async def tell_ends(self) -> bool:
        """Show the containers whose ends a host told of, before the swarm does; whether there were any."""
        if self._reading is None or not self._asked:
            self._ended.forget_heard()
            return False
        if not await self._ended.confirm(self._pool.client(self._asked), self._nodes):
            return False
        tasks = self._ended.seen(self._reading.tasks)
        return await self._write(self._reading.columns_of_tasks(tasks), self._last.get("problem", ""))

    async def _write(self, columns: dict[str, str], problem: str) -> bool:
        columns = {**columns, "problem": problem}
        changed = {name: body for name, body in columns.items() if self._last.get(name) != body}
        if not changed:
            return False
        self._changed_at = time.monotonic()
        await self._db(records.write_snapshot, self.environment_id, changed)
        self._last.update(changed)
        return True

    async def _judge_stacks(self, answers: Answers, silent: set[str]) -> None:
        """Keep the states of stacks that no deployment is working on; a verdict may change with time alone."""
        again: list[float] = []
        self._judged_at = time.monotonic()
        by_stack = stacks.list_stacks(answers.services)
        nodes = stacks.nodes_without(answers.nodes, silent)
        for stack in await self._db(records.settled_stacks, self.environment_id):
            own = by_stack.get(stack["name"], [])
            ids = {service.get("ID") for service in own}
            of_stack = [task for task in answers.tasks if task.get("ServiceID") in ids]
            status = _verdict(stack, own, of_stack, nodes)
            if status.recheck_seconds is not None:
                again.append(status.recheck_seconds)
            if (status.state.value, status.sentence) != (stack["state"], stack["sentence"]):
                await self._db(
                    records.write_stack, self.environment_id, stack["id"], status.state.value, status.sentence
                )
        self._judge_at = time.monotonic() + min(again) if again else None


def _verdict(
    stack: Mapping[str, Any], services: Iterable[Json], tasks: Iterable[Json], nodes: Iterable[Json]
) -> stacks.StackStatus:
    """``stack`` as :func:`records.settled_stacks` gives it."""
    services = list(services)
    if not services and stack["state"] == stacks.StackState.FAILED and not stack["services"]:
        # It has no service because the swarm took none, and the sentence says why.
        return stacks.StackStatus(stacks.StackState.FAILED, stack["sentence"], 0, 0, [])
    status = stacks.judge(updates.since(services, stack["updates_before"]), tasks, nodes)
    try:
        before = stacks.StackState(stack["state"])
    except ValueError:
        return status  # a state of the platform's own, such as planned
    there = held.images(services, stack["name"])
    missing = [f"{stack['name']}_{name}" for name in stack["services"] if name not in there]
    return stacks.lacking(stacks.steadied(before, stack["sentence"], status), missing)
