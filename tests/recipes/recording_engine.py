"""An engine that takes every order of ``docker stack deploy`` and remembers it: for CLIs without ``stack config``."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "RecordingEngine"

    def do_HEAD(self) -> None:
        self._answer({})

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        kind, _, name = address.path.split("/", 2)[-1].partition("/")
        if kind == "info":
            self._answer({"Swarm": {"LocalNodeState": "active", "ControlAvailable": True}})
        elif name and kind != "networks":
            self._answer({"message": "none of that name"}, 404)
        elif name:
            self._answer({"Name": name, "Id": name, "Scope": "swarm", "Driver": "overlay"})
        else:
            self._answer(self._listed(kind, parse_qs(address.query)))

    def _listed(self, kind: str, query: dict[str, list[str]]) -> list[Any]:
        """Every secret and config that is asked for by its name is there."""
        filters = json.loads(query.get("filters", ["{}"])[0])
        names = filters.get("name") or {} if kind in ("secrets", "configs") else {}
        return [{"ID": name, "Spec": {"Name": name}} for name in names]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind = self.path.split("/", 2)[-1].partition("/")[0]
        order = json.loads(body or b"{}")
        self.server.orders[kind, order.get("Name", "")] = order
        self._answer({"ID": "made", "Id": "made"}, 201)

    def _answer(self, value: Any, status: int = 200) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Api-Version", "1.41")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def address_string(self) -> str:
        return "cli"


class RecordingEngine(socketserver.ThreadingUnixStreamServer):
    """``orders`` are the bodies of what was created, by kind and name."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), _Handler)
        self.orders: dict[tuple[str, str], Any] = {}


@contextmanager
def recording(path: Path) -> Iterator[RecordingEngine]:
    path.unlink(missing_ok=True)
    with RecordingEngine(path) as engine:
        threading.Thread(target=engine.serve_forever, args=[0.01], daemon=True).start()
        try:
            yield engine
        finally:
            engine.shutdown()
