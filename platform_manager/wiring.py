"""The only place that chooses implementations: drivers, engines, and the event loop they live on."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from concurrent.futures import TimeoutError as LateError
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings

from platform_manager.clouds.base import Driver
from platform_manager.clouds.local import LocalDriver
from platform_manager.clouds.openstack.account import Account
from platform_manager.engines.client import EngineClient
from platform_manager.errors import PlatformError, ProviderError

if TYPE_CHECKING:
    from platform_manager.clouds.openstack.connection import Cloud
    from platform_manager.clouds.openstack.driver import OpenStackDriver
    from platform_manager.clouds.openstack.inventory import Inventory
    from platform_manager.clouds.openstack.verify import Verified

Value = TypeVar("Value")
MOST_CLOUDS = 200


@cache
def driver(name: str) -> Driver:
    """The driver of this name; PlatformError when this platform has none."""
    if name == "local":
        return LocalDriver(settings.PM_LOCAL_ENGINE, settings.PM_HOST_IMAGE, settings.PM_INSTALLATION)
    raise PlatformError(f"This platform has no driver called {name!r}.")


class CloudLink:
    """An account's connection and the driver on it; its coroutines are for :func:`run`."""

    def __init__(self, account: Account, private: bool, cloud: Cloud, driver: OpenStackDriver) -> None:
        self.account, self.private = account, private
        self.cloud, self.driver = cloud, driver
        self._read: asyncio.Task[Inventory] | None = None
        self._read_at = 0.0

    async def inventory(self, age: float) -> Inventory:
        """What the project offers, as of at most ``age`` seconds ago; who asks meanwhile shares the answer."""
        from platform_manager.clouds.openstack.inventory import read

        task = self._read
        failed = task is not None and task.done() and (task.cancelled() or task.exception() is not None)
        if task is None or failed or (task.done() and time.monotonic() - self._read_at > age):
            self._read_at = time.monotonic()
            task = self._read = asyncio.create_task(read(self.cloud))
            task.add_done_callback(_retrieved)
        return await asyncio.shield(task)


class CloudPool:
    """One link an account, so that its token and catalog are kept; of more than ``most`` the longest unused goes."""

    def __init__(self, most: int = MOST_CLOUDS) -> None:
        self._most = most
        self._links: OrderedDict[str, CloudLink] = OrderedDict()
        self._lock = threading.Lock()

    def link(self, key: str, account: Account, *, private: bool, signed_in: Callable[[], str] = str) -> CloudLink:
        """The account's link; a new one where the account is not what it was, which goes on as ``signed_in`` says."""
        with self._lock:
            link = self._links.get(key)
            if link is None or (link.account, link.private) != (account, private):
                if link is not None:
                    link.cloud.close()
                link = self._links[key] = _linked(account, private, signed_in())
            self._links.move_to_end(key)
            while len(self._links) > self._most:
                self._links.popitem(last=False)[1].cloud.close()
            return link

    def close(self, key: str) -> None:
        with self._lock:
            link = self._links.pop(key, None)
        if link is not None:
            link.cloud.close()


def _linked(account: Account, private: bool, signed_in: str) -> CloudLink:
    # The clouds' library takes half a second to load: only where there is a cloud.
    from platform_manager.clouds.openstack.connection import Cloud
    from platform_manager.clouds.openstack.driver import OpenStackDriver

    cloud = Cloud(account, private=private, signed_in=signed_in)
    return CloudLink(account, private, cloud, OpenStackDriver(cloud, settings.PM_INSTALLATION))


def _retrieved(task: asyncio.Task[Any]) -> None:
    """Who only began to read does not wait for what went wrong."""
    if not task.cancelled():
        task.exception()


clouds = CloudPool()


def verify(account: Account, *, private: bool, seconds: float) -> Verified:
    """What the cloud says to an account that is not stored yet; PlatformError says what is wrong."""
    from platform_manager.clouds.openstack.verify import verify as ask

    return run(ask(account, private=private), seconds)


class EnginePool:
    """Clients of the hosts' engines, one a host, for one event loop; an engine's API version is asked once."""

    def __init__(self) -> None:
        self._clients: dict[str, EngineClient] = {}

    def client(self, host_id: object) -> EngineClient:
        key = str(host_id)
        if key not in self._clients:
            self._clients[key] = EngineClient(settings.PM_SOCKETS / f"{key}.sock")
        return self._clients[key]

    async def forget(self, host_id: object) -> None:
        """Close the host's client: its link changed, and with it perhaps the engine's version."""
        client = self._clients.pop(str(host_id), None)
        if client is not None:
            await client.close()

    async def close(self) -> None:
        for key in list(self._clients):
            await self.forget(key)


def local_engine() -> EngineClient:
    """This machine's own engine, for one use: ``async with``."""
    return EngineClient(settings.PM_LOCAL_ENGINE)


class _Core:
    """An event loop on a thread of its own, for synchronous callers of the core."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.pool = EnginePool()
        threading.Thread(target=self.loop.run_forever, name="core", daemon=True).start()


_lock = threading.Lock()
_core: _Core | None = None


def core() -> _Core:
    global _core
    with _lock:
        if _core is None:
            _core = _Core()
        return _core


def begin(call: Coroutine[Any, Any, Value]) -> None:
    """Start the coroutine on the core's loop, and leave it to itself."""
    asyncio.run_coroutine_threadsafe(call, core().loop)


def engine(host_id: object) -> EngineClient:
    """The host's engine, for coroutines given to :func:`run`."""
    return core().pool.client(host_id)


def run(call: Coroutine[Any, Any, Value], seconds: float) -> Value:
    """The coroutine's result, computed on the core's loop; ProviderError when it takes longer than ``seconds``."""
    future = asyncio.run_coroutine_threadsafe(call, core().loop)
    try:
        return future.result(seconds)
    except LateError:
        future.cancel()
        raise ProviderError(f"No answer within {seconds:g} s.") from None
