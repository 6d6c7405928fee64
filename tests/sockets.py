"""A websocket client for consumers, without a server (Channels' own needs Daphne, which we do not use)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from asgiref.testing import ApplicationCommunicator

# To give up, on a machine that is busy with other work too.
SECONDS = 20


class Socket(ApplicationCommunicator):
    """One connection of ``user`` to ``address``, a path with its query string.

    ``answers``: the server can answer the handshake with a status, as ours can.
    """

    def __init__(self, application: Any, address: str, user: object, *, answers: bool = False) -> None:
        parts = urlsplit(address)
        scope = {
            "type": "websocket",
            "path": parts.path,
            "query_string": parts.query.encode(),
            "headers": [],
            "subprotocols": [],
            "user": user,
            "extensions": {"websocket.http.response": {}} if answers else {},
        }
        super().__init__(application, scope)

    async def connect(self) -> int:
        """0 when the server accepted, else the code with which it closed or the status of its answer."""
        await self.send_input({"type": "websocket.connect"})
        answer = await self.receive_output(SECONDS)
        if answer["type"] == "websocket.http.response.start":
            assert await self.receive_output(SECONDS) == {"type": "websocket.http.response.body", "body": b""}
            return int(answer["status"])
        return 0 if answer["type"] == "websocket.accept" else int(answer["code"])

    async def message(self) -> dict[str, Any]:
        answer = await self.receive_output(SECONDS)
        assert answer["type"] == "websocket.send", answer
        loaded: dict[str, Any] = json.loads(answer["text"])
        return loaded

    async def closed(self) -> int:
        answer = await self.receive_output(SECONDS)
        assert answer["type"] == "websocket.close", answer
        return int(answer["code"])

    async def disconnect(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(SECONDS)
