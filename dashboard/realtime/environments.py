"""The websocket of an environment's pages: rows that changed, and nothing else.

A hint on the channel layer says only that something changed. The page is then built again for this viewer
and compared with what is on the viewer's screen. One build is under way at most; the first hint after a quiet
time is answered at once, those that come meanwhile are one more build, at most every 200 ms. Nothing is queued:
a viewer who takes nothing is sent nothing, and later the difference to the newest state.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.http import Http404

from dashboard.models.hints import environment_group
from dashboard.pages.hosts import host_page, hosts_page
from dashboard.pages.live import Page, Screen
from dashboard.pages.networks import networks_page
from dashboard.pages.operations import operations_page
from dashboard.pages.overview import overview_page
from dashboard.pages.services import service_page, services_page, task_page
from dashboard.pages.stacks import stack_page, stacks_page
from dashboard.pages.viewer import Viewer, viewer_of

NOT_FOUND = 4404
EVERY = 0.2
# Hints are lossy; a look now and then bounds what a lost one costs.
LOOK_EVERY = 15.0
QUERY_CAP = 4_000

PAGES: dict[str, Callable[[Viewer, Mapping[str, str]], Page]] = {
    "overview": overview_page,
    "hosts": hosts_page,
    "host": host_page,
    "stacks": stacks_page,
    "stack": stack_page,
    "services": services_page,
    "service": service_page,
    "task": task_page,
    "networks": networks_page,
    "operations": operations_page,
}


class Watch:
    """What one viewer looks at and has on screen."""

    def __init__(self, user: Any, environment_id: str, params: Mapping[str, str]) -> None:
        self._user = user
        self._environment_id = environment_id
        self._params = params
        self._build = PAGES[params["page"]]
        self._digest = params.get("after") or params.get("seen", "")
        self._screen: Screen | None = None

    def allowed(self) -> bool:
        return viewer_of(self._user, self._environment_id) is not None

    def next(self) -> dict[str, Any] | None:
        """What brings the screen up to date, empty when it is; None when there is nothing to see."""
        viewer = viewer_of(self._user, self._environment_id)
        if viewer is None:
            return None
        try:
            page = self._build(viewer, self._params)
        except Http404:
            return None
        digest = page.digest()
        if digest == self._digest:
            if self._screen is None:
                self._screen = Screen()
                self._screen.assume(page)
            return {}
        self._screen = self._screen or Screen()
        message = self._screen.changes(page)
        self._digest = digest
        return {**message, "last": digest} if message else {}


class EnvironmentConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Sends a member of the environment what changes on one page."""

    async def connect(self) -> None:
        self._group = ""
        self._sender: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        user = self.scope.get("user")
        environment_id = str(self.scope["url_route"]["kwargs"]["environment_id"])
        query = self.scope.get("query_string", b"")[:QUERY_CAP].decode("utf-8", "replace")
        params = dict(parse_qsl(query))
        if user is None or not user.is_authenticated or params.get("page") not in PAGES:
            await self.close(NOT_FOUND)
            return
        watch = Watch(user, environment_id, params)
        if not await database_sync_to_async(watch.allowed)():
            await self.close(NOT_FOUND)
            return
        self._group = environment_group(environment_id)
        await self.channel_layer.group_add(self._group, self.channel_name)
        await self.accept()
        self._sender = asyncio.create_task(self._send_all(watch))

    async def changed(self, hint: dict[str, Any]) -> None:
        self._changed.set()

    async def disconnect(self, code: int) -> None:
        if self._group:
            await self.channel_layer.group_discard(self._group, self.channel_name)
        if self._sender is not None:
            self._sender.cancel()

    async def _send_all(self, watch: Watch) -> None:
        load = database_sync_to_async(watch.next)
        clock = asyncio.get_running_loop()
        while True:
            begun = clock.time()
            self._changed.clear()
            message = await load()
            if message is None:
                await self.close(NOT_FOUND)
                return
            if message:
                await self.send(json.dumps(message))
            await asyncio.sleep(max(0.0, begun + EVERY - clock.time()))
            try:
                await asyncio.wait_for(self._changed.wait(), LOOK_EVERY)
            except TimeoutError:
                continue
