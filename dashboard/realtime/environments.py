"""The websockets of the pages of one environment and of the list of all: rows that changed, and nothing else.

A hint on the channel layer says only that something changed. The page is then built again for this viewer
and compared with what is on the viewer's screen. One build is under way at most; the first hint after a quiet
time is answered at once, those that come meanwhile are one more build, at most every 200 ms. Nothing is queued:
a viewer who takes nothing is sent nothing, and later the difference to the newest state.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from django.http import Http404

from dashboard.models.hints import environment_group
from dashboard.pages.environments import environments_page
from dashboard.pages.hosts import host_page, hosts_page
from dashboard.pages.live import Page, Screen
from dashboard.pages.members import members_page
from dashboard.pages.networks import networks_page
from dashboard.pages.operation_rows import notices_page
from dashboard.pages.operations import operations_page
from dashboard.pages.overview import overview_page
from dashboard.pages.ports import ports_page
from dashboard.pages.services import service_page, services_page, task_page
from dashboard.pages.stacks import stack_page, stacks_page
from dashboard.pages.viewer import Viewer, viewer_of

from .member import NOT_FOUND, MemberConsumer
from .threads import build, in_thread

EVERY = 0.1
# The list hears of all environments of its viewer, and shows little of each.
LIST_EVERY = 1.0
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
    "ports": ports_page,
    "operations": operations_page,
    "members": members_page,
    "notices": notices_page,
}


class Watch:
    """What one viewer has on screen. ``build`` makes the page anew; None when there is nothing to see."""

    def __init__(self, build: Callable[[], Page | None], digest: str) -> None:
        self._build = build
        self._digest = digest
        self._screen: Screen | None = None

    def next(self) -> dict[str, Any] | None:
        """What brings the screen up to date, empty when it is; None when there is nothing to see."""
        page = self._build()
        if page is None:
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


class PageConsumer(MemberConsumer):
    """Sends what changes on one page, at most every ``every`` seconds."""

    every = EVERY

    def params(self) -> dict[str, str]:
        """The query string."""
        return dict(parse_qsl(self.scope.get("query_string", b"")[:QUERY_CAP].decode("utf-8", "replace")))

    def page(self) -> Page | None:
        """What the page shows this viewer now; None when there is nothing to see."""
        raise NotImplementedError

    async def begin(self) -> None:
        params = self.params()
        self._spawn(self._send_all(Watch(self.page, params.get("after") or params.get("seen", ""))))

    async def _send_all(self, watch: Watch) -> None:
        clock = asyncio.get_running_loop()
        while True:
            begun = clock.time()
            self._changed.clear()
            message = await build(watch.next)
            if message is None:
                await self.close(NOT_FOUND)
                return
            if message:
                await self.send(json.dumps(message))
            await self.looked()
            await asyncio.sleep(max(0.0, begun + self.every - clock.time()))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), LOOK_EVERY)

    async def looked(self) -> None:
        """Called after each look at the page."""


class EnvironmentConsumer(PageConsumer):
    """One page of an environment, for its members."""

    async def admit(self) -> list[str] | None:
        environment_id: UUID = self.scope["url_route"]["kwargs"]["environment_id"]
        self.environment_id = environment_id
        self._params = self.params()
        if self._params.get("page") not in PAGES:
            return None
        viewer = await in_thread(viewer_of, self.scope["user"], environment_id)
        return [environment_group(environment_id)] if viewer else None

    def page(self) -> Page | None:
        viewer = viewer_of(self.scope["user"], self.environment_id) if self.environment_id else None
        try:
            return PAGES[self._params["page"]](viewer, self._params) if viewer else None
        except Http404:
            return None


class EnvironmentListConsumer(PageConsumer):
    """The list of a user's environments."""

    every = LIST_EVERY

    async def admit(self) -> list[str] | None:
        # Its groups are those of the environments that the first look finds.
        return []

    def page(self) -> Page:
        page = environments_page(self.scope["user"], self.params())
        self._listed = {environment_group(row.environment_id) for row in page.context["environments"].rows}
        return page

    async def looked(self) -> None:
        """Environments come and go."""
        await self._hear(self._listed)
