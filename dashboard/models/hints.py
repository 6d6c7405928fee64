"""Hints that something changed, for whoever watches. The database is the truth; a lost hint costs a moment only."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from concurrent.futures import Future
from threading import BoundedSemaphore
from typing import Any

from channels.layers import get_channel_layer
from django.db import transaction

from platform_manager import wiring

log = logging.getLogger("platform.hints")

MOST_UNDER_WAY = 1000
_under_way = BoundedSemaphore(MOST_UNDER_WAY)


def environment_group(environment_id: object) -> str:
    return f"environment-{environment_id}"


def user_group(user_id: object) -> str:
    return f"user-{user_id}"


def operation_group(operation_id: object) -> str:
    return f"operation-{operation_id}"


def hint(group: str, **payload: Any) -> None:
    """Tell the group ``{"type": "changed", ...}`` once the running transaction is committed."""
    transaction.on_commit(lambda: _send(group, {"type": "changed", **payload}))


def _send(group: str, message: dict[str, Any]) -> None:
    layer = get_channel_layer()
    at_once = getattr(type(layer), "group_send_at_once", None)
    if at_once is not None:
        at_once(layer, group, message)
    elif layer is not None and _under_way.acquire(blocking=False):
        # Redis: sent from the core's event loop, whose connection is kept; the caller does not wait.
        _later(layer.group_send(group, message))


def _later(call: Coroutine[Any, Any, None]) -> None:
    asyncio.run_coroutine_threadsafe(call, wiring.core().loop).add_done_callback(_sent)


def _sent(future: Future[None]) -> None:
    _under_way.release()
    error = future.exception()
    if error is not None:
        # Redis away: browsers find the change by their next look.
        log.warning("a hint was not sent: %s", error)
