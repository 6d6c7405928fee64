"""Hints that something changed, for whoever watches. The database is the truth; a lost hint costs a moment only."""

from __future__ import annotations

import logging
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

log = logging.getLogger("platform.hints")


def environment_group(environment_id: object) -> str:
    return f"environment-{environment_id}"


def operation_group(operation_id: object) -> str:
    return f"operation-{operation_id}"


def hint(group: str, **payload: Any) -> None:
    """Tell the group ``{"type": "changed", ...}`` once the running transaction is committed."""
    transaction.on_commit(lambda: _send(group, {"type": "changed", **payload}))


def _send(group: str, message: dict[str, Any]) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    at_once = getattr(layer, "group_send_at_once", None)
    if at_once is not None:
        at_once(group, message)
        return
    try:
        async_to_sync(layer.group_send)(group, message)
    except OSError as error:
        # Redis away: browsers find the change by their next poll or reconnect.
        log.warning("hint for %s not sent: %s", group, error)
