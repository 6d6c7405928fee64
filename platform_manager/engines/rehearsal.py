"""Rehearse ``docker stack deploy``: the real CLI on a socket of ours, behind which nothing is changed.

What it reads comes from the swarm's manager, what it orders is written down and answered as an engine would.
So the list of its orders is exactly what a deployment would do. An order that is not known here is refused, and
never goes on to the manager; neither does a question to an image registry.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from aiohttp import web

from platform_manager.engines import cli
from platform_manager.engines.answers import MIB, Limits, parse_json
from platform_manager.engines.client import EngineClient, EngineError, RawAnswer, identifier
from platform_manager.engines.pretence import KINDS, Given, Pretence
from platform_manager.errors import PlatformError, ProviderError

__all__ = ["Before", "Given", "Recorded", "Rehearsal", "rehearse"]

STACK_LABEL = "com.docker.stack.namespace"
AT_ONCE = 4
REQUESTS = 5_000
BODY_BYTES = 4 * MIB
RECORDED_BYTES = 32 * MIB
FORWARDED_BYTES = 64 * MIB

VERSIONED = re.compile(r"/v\d+\.\d+(?=/)")
# Networks of services that no list has, such as the swarm's own "host".
UNLISTED = 20
ONE = re.compile(r"/(networks|secrets|configs|services)/([^/]+)")
CREATE = re.compile(r"/(networks|secrets|configs|services)/create")
UPDATE = re.compile(r"/(secrets|configs|services)/([^/]+)/update")

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Recorded:
    """One order; ``path`` is without the API's version, as in "/services/create"."""

    method: str
    path: str
    body: Json


@dataclass(frozen=True)
class Before:
    """What the swarm had: all networks, else what is the stack's or was asked for, each as the engine tells it."""

    services: list[Json]
    networks: list[Json]
    secrets: list[Json]
    configs: list[Json]


@dataclass(frozen=True)
class Rehearsal:
    """What the CLI would order, in its order, what it said, and how it ended; 0 is well.

    ``declared`` are the bodies that would make those of the stack's networks that are there already.
    """

    requests: tuple[Recorded, ...]
    declared: tuple[Json, ...]
    output: str
    exit_code: int
    before: Before


async def rehearse(
    client: EngineClient,
    stack: str,
    compose: str,
    *,
    given: Given | None = None,
    timeout: float = 10,
    **options: Any,
) -> Rehearsal:
    """What deploying would do; ``options`` are those of ``cli.stack_deploy``. Images are taken as they are written.

    ProviderError when the manager does not answer, or when it all takes longer than ``timeout`` seconds.
    """
    try:
        async with asyncio.timeout(timeout), _slot():
            stage = _Stage(client, stack, given or Given())
            async with _served(stage) as socket:
                stage.look_ahead(await client.version())
                result = await cli.stack_deploy(
                    socket, stack, compose, resolve_image="never", timeout=timeout, **options
                )
                if stage.failure:
                    raise stage.failure
                if result.timed_out:
                    raise TimeoutError
                before = await stage.before()
                return Rehearsal(tuple(stage.requests), tuple(stage.declared), result.output, result.exit_code, before)
    except TimeoutError:
        raise ProviderError(f"The swarm's manager and the Docker CLI took longer than {timeout:g} s.") from None


_slots: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


def _slot() -> asyncio.Semaphore:
    """A few at once: each takes a processor for a moment."""
    return _slots.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE))


@asynccontextmanager
async def _served(stage: _Stage) -> AsyncIterator[Path]:
    application = web.Application(client_max_size=BODY_BYTES)
    application.router.add_route("*", "/{path:.*}", stage.answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    with tempfile.TemporaryDirectory(prefix="pm-plan-") as folder:
        socket = Path(folder, "engine.sock")
        try:
            await runner.setup()
            await web.UnixSite(runner, str(socket)).start()
            yield socket
        finally:
            await stage.close()
            await runner.cleanup()


class _Stage:
    """The engine that the CLI sees."""

    def __init__(self, client: EngineClient, stack: str, given: Given) -> None:
        self.requests: list[Recorded] = []
        self.declared: list[Json] = []
        self.failure: PlatformError | None = None
        self._client = client
        self._stack = stack
        self._pretence = Pretence(given)
        self._reads: dict[tuple[str, str], asyncio.Task[RawAnswer]] = {}
        self._before: dict[str, asyncio.Task[RawAnswer]] = {}
        label = f"{STACK_LABEL}={stack}"
        self._own = {"filters": json.dumps({"label": {label: True}}, separators=(",", ":"))}
        self._count = self._recorded_bytes = self._forwarded_bytes = 0

    def look_ahead(self, version: str) -> None:
        """Ask while the CLI starts what it is going to ask, and what the plan needs besides."""
        own = self._own
        self._read("/_ping", {})
        self._read(f"/v{version}/info", {})
        self._read(f"/v{version}/networks", own)
        for kind in ("services", "secrets", "configs"):
            self._before[kind] = self._read(f"/v{version}/{kind}", own)
        self._before["networks"] = self._read(f"/v{version}/networks", {})

    async def before(self) -> Before:
        """Raises EngineError."""
        found: dict[str, list[Json]] = {}
        for kind, reading in self._before.items():
            answer = await reading
            if answer.status != 200:
                raise EngineError(f"The Docker engine did not tell its {kind}.", status=answer.status)
            found[kind] = self._objects(answer)
        for (path, _), reading in self._reads.items():
            one = ONE.fullmatch(VERSIONED.sub("", path, count=1))
            if one and one[1] in ("secrets", "configs") and (await reading).status == 200:
                found[one[1]] += self._objects(await reading)
        found["networks"] += await self._unlisted(found["services"], found["networks"])
        return Before(**found)

    async def _unlisted(self, services: list[Json], networks: list[Json]) -> list[Json]:
        known = {one.get("Id") for one in networks}
        unknown = sorted({target for one in services for target in _targets(one)} - known)[:UNLISTED]
        prefix = f"/v{await self._client.version()}/networks"
        answers = await asyncio.gather(*(self._read(f"{prefix}/{identifier(one)}", {}) for one in unknown))
        return [one for answer in answers if answer.status == 200 for one in self._objects(answer)]

    def _objects(self, answer: RawAnswer) -> list[Json]:
        told = parse_json(answer.body, self._client.limits) if answer.body else None
        return [one for one in (told if isinstance(told, list) else [told]) if isinstance(one, dict)]

    async def close(self) -> None:
        """Leave no question open."""
        for reading in self._reads.values():
            reading.cancel()
        await asyncio.gather(*self._reads.values(), return_exceptions=True)

    async def answer(self, request: web.Request) -> web.Response:
        """Whatever the CLI asks or orders."""
        self._count += 1
        if self._count > REQUESTS:
            return self._refused(f"The Docker CLI asked more than {REQUESTS} times.")
        if request.method in ("GET", "HEAD"):
            return await self._told(request)
        return await self._ordered(request)

    async def _told(self, request: web.Request) -> web.Response:
        path, query = VERSIONED.sub("", request.path, count=1), dict(request.query)
        if path.startswith("/distribution/"):
            return self._refused("The Docker CLI asked for an image's registry, which a plan does not do.")
        one = ONE.fullmatch(path)
        if one and (made := self._pretence.find(one[1], one[2])):
            return web.json_response(dict(made))
        if one and self._pretence.is_removed(one[1], one[2]):
            return _message(404, f"{one[1][:-1]} {one[2]} not found")
        try:
            answer = await self._read(request.rel_url.raw_path, query)
        except EngineError as error:
            self.failure = self.failure or error
            return _message(502, str(error))
        except ValueError:
            # No engine has anything of such a name.
            return _message(404, f"{path[:300]} not found")
        body = answer.body
        kind = path[1:]
        if kind == "networks" and answer.status == 200 and query.get("filters") == self._own["filters"]:
            # Without the stack's own networks the CLI tells how it would make them, and so what they lack.
            body = b"[]"
        if kind in KINDS and answer.status == 200:
            body = self._pretence.listed(kind, query.get("filters", ""), body)
        headers = {**answer.headers, "Content-Type": answer.content_type}
        return web.Response(status=answer.status, body=b"" if request.method == "HEAD" else body, headers=headers)

    def _read(self, path: str, query: Mapping[str, str]) -> asyncio.Task[RawAnswer]:
        """The manager's answer, asked once in a rehearsal: it is then of one moment, and quick."""
        key = path, json.dumps(sorted(query.items()))
        if key not in self._reads:
            self._reads[key] = asyncio.ensure_future(self._forwarded(path, query))
        return self._reads[key]

    async def _forwarded(self, path: str, query: Mapping[str, str]) -> RawAnswer:
        answer = await self._client.raw(path, **query)
        self._forwarded_bytes += len(answer.body)
        if self._forwarded_bytes > FORWARDED_BYTES:
            raise EngineError("The Docker engine told more than a plan can take.")
        return answer

    async def _ordered(self, request: web.Request) -> web.Response:
        path = VERSIONED.sub("", request.path, count=1)
        try:
            content = await request.read()
            body = parse_json(content, Limits()) if content else {}
        except web.HTTPRequestEntityTooLarge:
            return self._refused("A part of the stack is larger than an engine would take.")
        except EngineError as error:
            return self._refused(str(error))
        self._recorded_bytes += len(content)
        if self._recorded_bytes > RECORDED_BYTES or not isinstance(body, dict):
            return self._refused("The stack is larger than a plan can take.")
        if path == "/networks/create" and (there := await self._network(str(body.get("Name", "")))):
            return self._made_before(there, body)
        answer = self._obeyed(request.method, path, body)
        if answer.status < 400:
            self.requests.append(Recorded(request.method, path, body))
        return answer

    async def _network(self, name: str) -> Json | None:
        try:
            networks = self._objects(await self._before["networks"])
        except EngineError as error:
            self.failure = self.failure or error
            return None
        return next((one for one in networks if one.get("Name") == name and one.get("Scope") == "swarm"), None)

    def _made_before(self, network: Json, body: Json) -> web.Response:
        labels = network.get("Labels")
        if not isinstance(labels, dict) or labels.get(STACK_LABEL) != self._stack:
            return _message(409, f"network with name {body['Name']} already exists")
        self.declared.append(body)
        return web.json_response({"Id": network.get("Id"), "Warning": ""}, status=201)

    def _obeyed(self, method: str, path: str, body: Json) -> web.Response:
        if method == "POST" and (found := CREATE.fullmatch(path)):
            name = str(body.get("Name", ""))
            identifier = self._pretence.make(found[1], body)
            if not identifier:
                return _message(409, f"{found[1][:-1]} with name {name} already exists")
            key = "Id" if found[1] == "networks" else "ID"
            return web.json_response({key: identifier}, status=201)
        if method == "POST" and UPDATE.fullmatch(path):
            return web.json_response({"Warnings": None})
        if method == "DELETE" and (found := ONE.fullmatch(path)):
            self._pretence.remove(found[1], found[2])
            return web.Response(status=204 if found[1] != "services" else 200)
        return self._refused(f"The Docker CLI ordered something that no plan knows: {method} {path[:100]}.")

    def _refused(self, sentence: str) -> web.Response:
        """Nothing is known of what comes after: the rehearsal fails."""
        self.failure = self.failure or ProviderError(sentence, retryable=False)
        return _message(501, sentence)


def _targets(service: Json) -> list[str]:
    """The ids of a service's networks."""
    at: Any = service
    for key in ("Spec", "TaskTemplate", "Networks"):
        at = at.get(key) if isinstance(at, dict) else None
    found = [one.get("Target") for one in at if isinstance(one, dict)] if isinstance(at, list) else []
    return [target for target in found if isinstance(target, str)]


def _message(status: int, text: str) -> web.Response:
    return web.json_response({"message": text}, status=status)
