"""The hub as a service: links in, one event stream per host, one watcher per environment."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain, repeat
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections

from dashboard.hub import direct, events, records
from dashboard.hub.watcher import EnvironmentWatcher
from platform_manager.engines.client import EngineError
from platform_manager.engines.dialling import Dialler
from platform_manager.engines.links import Hub
from platform_manager.swarm import cluster
from platform_manager.wiring import EnginePool

log = logging.getLogger("platform.hub")

GRACE_SECONDS = 12
# How long an environment that was deleted may still be watched.
TIDY_SECONDS = 60
# How late a new host is dialled at most.
DIAL_SECONDS = 2


class HubService:
    """All of it on one event loop; :meth:`start` and :meth:`stop` from that loop."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=3, thread_name_prefix="hub-db")
        self.pool = EnginePool()
        self.hub = Hub(
            socket_dir=settings.PM_SOCKETS,
            host_key=settings.PM_HUB_KEY,
            listen=[(host, int(port)) for host, _, port in (item.rpartition(":") for item in settings.PM_HUB_LISTEN)],
            authorise=self._authorise,
            on_up=self._up,
            on_down=self._down,
        )
        self.dialler = Dialler(self.hub, on_facts=self._told, on_failure=self._refused)
        self._refusals: dict[str, str] = {}
        self._hosts: dict[str, asyncio.Task[None]] = {}
        self._watchers: dict[str, tuple[EnvironmentWatcher, asyncio.Task[None]]] = {}
        self._rounds: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await self._db(records.forget_links)
        await self.hub.start()
        self._rounds = [asyncio.create_task(self._after_grace()), asyncio.create_task(self._dial())]

    async def stop(self) -> None:
        """Close everything; what the rows say of links is left, for a hub that comes back at once."""
        tasks = [*self._rounds, *self._hosts.values(), *(task for _, task in self._watchers.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.dialler.stop()
        await self.pool.close()
        await self.hub.stop()
        self._threads.shutdown(wait=False)

    async def _db(self, call: Callable[..., Any], *args: Any, patient: bool = False) -> Any:
        """Run a function of the records on a database thread; tried again while the database is away.

        ``patient`` never gives up: for what nobody would write down later.
        """
        for pause in chain((0.2, 0.5, 1, 2), repeat(2) if patient else (None,)):
            try:
                return await asyncio.get_running_loop().run_in_executor(self._threads, _fresh, call, args)
            except (OperationalError, InterfaceError):
                if pause is None:
                    raise
                await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    async def _authorise(self, username: str, fingerprint: str) -> str | None:
        found: str | None = await self._db(records.authorise, username, fingerprint)
        return found

    async def _dial(self) -> None:
        """Keep links to the hosts that the platform dials, as the rows say which."""
        while True:
            targets = await self._db(direct.targets, patient=True)
            await self.dialler.keep(targets)
            dialled = {target.host_id for target in targets}
            self._refusals = {host_id: why for host_id, why in self._refusals.items() if host_id in dialled}
            await asyncio.sleep(DIAL_SECONDS)

    async def _told(self, host_id: str, facts: str, host_key: str) -> None:
        self._refusals.pop(host_id, None)
        await self._db(direct.told, host_id, facts, host_key, patient=True)

    async def _refused(self, host_id: str, reason: str) -> None:
        # A host may be away for days, and is dialled several times a minute.
        if self._refusals.get(host_id) != reason:
            self._refusals[host_id] = reason
            log.info("host %s can't be dialled: %s", host_id, reason)
        await self._db(direct.refused, host_id, reason, patient=True)

    async def _up(self, host_id: str) -> None:
        log.info("link of host %s is up", host_id)
        environment_id = await self._db(records.link_changed, host_id, True, patient=True)
        await self._end_host(host_id)
        await self.pool.forget(host_id)
        if environment_id:
            watcher = self._watch(environment_id)
            self._hosts[host_id] = asyncio.create_task(self._listen(host_id, watcher))

    async def _down(self, host_id: str, reason: str) -> None:
        log.info("link of host %s is down: %s", host_id, reason)
        await self._end_host(host_id)
        await self.pool.forget(host_id)
        environment_id = await self._db(records.link_changed, host_id, False, reason, patient=True)
        if environment_id in self._watchers:
            self._watchers[environment_id][0].poke()

    async def _end_host(self, host_id: str) -> None:
        task = self._hosts.pop(host_id, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _watch(self, environment_id: str) -> EnvironmentWatcher:
        if environment_id not in self._watchers:
            watcher = EnvironmentWatcher(environment_id, self.pool, self._db)
            self._watchers[environment_id] = (watcher, asyncio.create_task(watcher.run()))
        return self._watchers[environment_id][0]

    async def _listen(self, host_id: str, watcher: EnvironmentWatcher) -> None:
        """Hear the events of one engine for as long as its link is up."""
        while True:
            client = self.pool.client(host_id)
            try:
                found = await cluster.info(client)
                await self._db(records.engine_changed, host_id, True, found.engine_version)
                watcher.poke()
                await events.follow(client, partial(watcher.poke, host_id))
            except EngineError as error:
                log.info("engine of host %s: %s", host_id, error)
            except Exception:
                # What one host answers must not end the listening to it.
                log.exception("listening to host %s failed, trying again", host_id)
            await self._db(records.engine_changed, host_id, False, patient=True)
            watcher.poke()
            await asyncio.sleep(1)

    async def _after_grace(self) -> None:
        await asyncio.sleep(GRACE_SECONDS)
        await self._db(records.mark_lost, patient=True)
        # Where no host dialled in nobody would say so: the last snapshot would look like now.
        for environment_id in await self._db(records.swarms, patient=True):
            self._watch(environment_id)
        while True:
            await asyncio.sleep(TIDY_SECONDS)
            for environment_id in list(self._watchers):
                if not await self._db(records.is_alive, environment_id, patient=True):
                    self._watchers.pop(environment_id)[1].cancel()


def _fresh(call: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    close_old_connections()
    return call(*args)
