"""The platform's processes: each alone, or all in one."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import FrameType
from typing import Any

import uvicorn
from django.conf import settings

from dashboard.hub.service import HubService
from dashboard.operations.dispatcher import Dispatcher
from platform_manager.errors import cannot_listen

log = logging.getLogger("platform")

STOP_SECONDS = 10


class HubThread:
    """The hub on a thread and event loop of its own, so that neither pages nor operations slow it down."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="hub", daemon=True)
        self.service = HubService()

    def start(self) -> None:
        self._thread.start()
        self._call(self.service.start()).result(STOP_SECONDS)

    def stop(self) -> None:
        self._call(self.service.stop()).result(STOP_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_SECONDS)

    def _call(self, coroutine: Any) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)


def listening_sockets(addresses: list[str]) -> list[socket.socket]:
    """Bound sockets for "host:port" words."""
    bound = []
    for address in addresses:
        host, _, port = address.rpartition(":")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            bound.append(socket.create_server((host.strip("[]"), int(port)), family=family, backlog=512))
        except OSError as error:
            raise cannot_listen(address, error, "PM_LISTEN (make demo: PORT)") from None
    return bound


def run_everything(ready: Callable[[], None]) -> None:
    """Web, worker and hub in this process until SIGINT or SIGTERM; ``ready`` is called when all answer."""
    sockets = listening_sockets(settings.PM_LISTEN)
    hub, worker = HubThread(), Dispatcher()
    hub.start()
    worker.start()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            # What is loaded now stays: full collections need not walk it again, which would stop all threads for 0.1 s.
            gc.collect()
            gc.freeze()
            ready()

    config = uvicorn.Config(
        "platform_manager.asgi:application",
        log_level="warning",
        access_log=False,
        ws_max_size=64 * 1024,
        ws_max_queue=8,
        timeout_graceful_shutdown=2,
        lifespan="off",
        server_header=False,
        # PM_BEHIND_PROXY alone says whose word on a client's address and scheme counts.
        proxy_headers=False,
    )
    try:
        Server(config).run(sockets=sockets)
    except KeyboardInterrupt:
        pass
    finally:
        try:
            worker.stop()
            hub.stop()
        finally:
            leave()


def run_until_told(start: Callable[[], None], stop: Callable[[], None]) -> None:
    """One service alone, until SIGINT or SIGTERM."""
    told = threading.Event()

    def tell(number: int, frame: FrameType | None) -> None:
        told.set()

    signal.signal(signal.SIGINT, tell)
    signal.signal(signal.SIGTERM, tell)
    start()
    told.wait()
    stop()
    leave()


def leave() -> None:
    """End the process without waiting for steps in flight: another worker, or the next start, runs them again."""
    logging.shutdown()
    os._exit(0)
