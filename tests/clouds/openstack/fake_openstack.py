"""An OpenStack as its HTTP answers: Keystone, Nova, Neutron, Glance and, if wanted, Cinder, on one port.

Nothing takes time: what is asynchronous in a cloud advances with each look at it. Errors are as recorded from a
real one (openstack_samples.py).
"""

from __future__ import annotations

import asyncio
import re
import ssl
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from aiohttp import web
from openstack_resources import Resources, page
from openstack_samples import UNAUTHORIZED, UNAUTHORIZED_GLANCE, Answer

from platform_manager.clouds.openstack.account import Account

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PASSWORD = "pa55-of-ann"
TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
SECRET = "s3cret-of-the-credential"
SERVICES = {
    "compute": ("nova", "/compute/v2.1"),
    "network": ("neutron", "/network"),
    "image": ("glance", "/image"),
    "volumev3": ("cinderv3", "/volume/v3/{project}"),
}


@dataclass
class Trouble:
    """What happens to requests whose "METHOD /path" matches: an answer, a wait, or a connection that breaks.

    ``lost``: the request is done, its answer never arrives. ``late``: the wait comes after the request was done.
    ``times`` is how often, -1 for always.
    """

    pattern: str
    answer: Answer | None = None
    seconds: float = 0
    lost: bool = False
    late: bool = False
    times: int = -1


@dataclass
class FakeOpenStack:
    regions: tuple[str, ...] = ("Spain2",)
    services: tuple[str, ...] = ("compute", "network", "image")
    resources: Resources = field(default_factory=Resources)
    asked: list[str] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    most_at_once: int = 0
    port: int = 0
    tokens: set[str] = field(default_factory=set)
    issued_at: datetime = datetime(2026, 11, 22, 16, 58, 7, tzinfo=UTC)
    expires_at: datetime = datetime(2126, 11, 22, 16, 58, 7, tzinfo=UTC)
    tls: ssl.SSLContext | None = None
    elsewhere: dict[str, str] = field(default_factory=dict)  # addresses of services that lead nowhere

    def __enter__(self) -> Self:
        self._left: int | None = None
        self._peers: set[object] = set()
        self._loop = asyncio.new_event_loop()
        self._now = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="fake-openstack")
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    @property
    def url(self) -> str:
        return f"{self.base}/identity/v3"

    @property
    def base(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def account(self, **changes: Any) -> Account:
        fields = {"region": "Spain2", "user": "ann", "password": PASSWORD, "project": "demo", **changes}
        return Account(fields.pop("auth_url", self.url), **fields)

    def trouble(self, pattern: str, answer: Answer | None = None, **more: Any) -> None:
        """From now on; ``pattern`` is a regular expression for "METHOD /path"."""
        self.troubles.append(Trouble(pattern, answer, **more))

    @property
    def connections(self) -> int:
        return len(self._peers)

    def count(self, pattern: str) -> int:
        return sum(1 for line in self.asked if re.search(pattern, line))

    def twice(self) -> dict[str, int]:
        """What was asked more than once."""
        return {line: times for line, times in Counter(self.asked).items() if times > 1}

    def doom_after(self, requests: int | None) -> None:
        """That many requests (but for tokens and versions) are done from now on, the last one unheard; none after."""
        self._left = requests

    def expire_tokens(self) -> None:
        self.tokens.clear()

    # The server

    def _serve(self) -> None:
        self._loop.run_until_complete(self._main())
        self._loop.close()

    async def _main(self) -> None:
        self._stop = asyncio.Event()
        app = web.Application(middlewares=[self._middleware])
        app.router.add_route("*", "/{path:.*}", self._route)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, ssl_context=self.tls)
        await site.start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._stop.wait()
        server = runner.server
        await runner.cleanup()
        # Connections that nobody used are still being taken and left.
        for _ in range(10):
            if rest := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(rest, timeout=1)
            await asyncio.sleep(0)
            for connection in server.connections if server else ():
                if connection.transport is not None:
                    connection.transport.abort()

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        line = f"{request.method} {request.path_qs}"
        self.asked.append(line)
        self._now += 1
        assert request.transport is not None
        self._peers.add(request.transport.get_extra_info("peername"))
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            return await self._troubled(line, request, handler)
        finally:
            self._now -= 1

    async def _troubled(self, line: str, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self._left is not None and re.search("/(compute|network)/v2.+/", line):
            self._left -= 1
            if self._left <= 0:
                lost = Trouble("", lost=True) if self._left == 0 else None
                return await self._done(lost, request, handler) if lost else reply(Answer(503, ""))
        for trouble in self.troubles:
            if not trouble.times or not re.search(trouble.pattern, line):
                continue
            trouble.times -= 1
            if trouble.answer is None:
                return await self._done(trouble, request, handler)
            await asyncio.sleep(trouble.seconds)
            return reply(trouble.answer)
        return await handler(request)

    async def _done(self, trouble: Trouble, request: web.Request, handler: Handler) -> web.StreamResponse:
        await asyncio.sleep(0 if trouble.late else trouble.seconds)
        answer = await handler(request)
        await asyncio.sleep(trouble.seconds if trouble.late else 0)
        if trouble.lost:
            assert request.transport is not None
            request.transport.close()
        return answer

    async def _route(self, request: web.Request) -> web.StreamResponse:
        service, _, path = request.path.lstrip("/").partition("/")
        body = await request.json() if request.can_read_body else {}
        if service == "identity":
            return self._identity(request.method, path, body)
        if (found := self._versions(service, path)) is not None:
            return found
        if request.headers.get("X-Auth-Token") not in self.tokens:
            glance = Answer(401, UNAUTHORIZED_GLANCE, "text/html; charset=UTF-8")
            return reply(glance if service == "image" else Answer(401, UNAUTHORIZED))
        return reply(self.resources.answer(service, request.method, path, dict(request.query), body))

    def _versions(self, service: str, path: str) -> web.Response | None:
        """The documents with which services tell their versions, which take no token."""
        base = f"{self.base}/{service}"
        last = path.strip("/")
        if service == "compute" and last in ("", "v2.1"):
            version = _version("v2.1", f"{base}/v2.1/", version="2.93", min_version="2.1")
            return reply(page(200, {"version": version} if last else {"versions": [version]}))
        if service == "network" and not last:
            return reply(page(200, {"versions": [_version("v2.0", f"{base}/v2.0/")]}))
        if service == "image" and not last:
            return reply(page(300, {"versions": [_version("v2.15", f"{base}/v2/")]}))
        if service == "volume" and last in ("", "v3"):
            return reply(page(300, {"versions": [_version("v3.0", f"{base}/v3/", version="3.70", min_version="3.0")]}))
        return None

    def _identity(self, method: str, path: str, body: Any) -> web.Response:
        base = f"{self.base}/identity/v3/"
        if method == "GET" and path.strip("/") in ("", "v3"):
            return reply(page(200, {"version": _version("v3.14", base)}))
        if (method, path) != ("POST", "v3/auth/tokens"):
            return reply(Answer(404, '{"error":{"code":404,"message":"Not Found","title":"Not Found"}}'))
        if not self._knows(body["auth"]):
            return reply(Answer(401, UNAUTHORIZED))
        token = f"gAAAA-{len(self.asked)}"
        self.tokens.add(token)
        return reply(page(201, {"token": self._token()}), {"X-Subject-Token": token})

    def _knows(self, auth: Any) -> bool:
        identity, project = auth["identity"], auth.get("scope", {}).get("project", {})
        if identity["methods"] == ["application_credential"]:
            return bool(identity["application_credential"] == {"id": "cred-1", "secret": SECRET})
        user = identity["password"]["user"]
        known = user["name"] == "ann" and user["password"] == PASSWORD
        return known and (project.get("name") == "demo" or project.get("id") == self.resources.project)

    def _token(self) -> dict[str, Any]:
        project = {"id": self.resources.project, "name": "demo", "domain": {"id": "default", "name": "Default"}}
        user = {"id": "u-ann", "name": "ann", "domain": {"id": "default", "name": "Default"}}
        roles = [{"id": "r-member", "name": "member"}]
        times = {"issued_at": f"{self.issued_at:{TIME}}", "expires_at": f"{self.expires_at:{TIME}}"}
        catalog = [self._endpoints(kind) for kind in self.services]
        return {"methods": ["password"], "user": user, "project": project, "roles": roles, "catalog": catalog, **times}

    def _endpoints(self, kind: str) -> dict[str, Any]:
        name, path = SERVICES[kind]
        url = self.elsewhere.get(kind) or f"{self.base}{path.format(project=self.resources.project)}"
        endpoints = [
            {"id": f"{kind}-{region}", "interface": "public", "region": region, "region_id": region, "url": url}
            for region in self.regions
        ]
        return {"id": kind, "type": kind, "name": name, "endpoints": endpoints}


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.001)


def _version(name: str, url: str, **more: str) -> dict[str, Any]:
    return {"id": name, "status": "CURRENT", "links": [{"rel": "self", "href": url}], **more}


def reply(answer: Answer, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        status=answer.status,
        body=answer.body.encode(),
        headers={"Content-Type": answer.kind, "X-Openstack-Request-Id": "req-0f52ff4c", **(headers or {})},
    )
