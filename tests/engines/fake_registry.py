"""An image registry faked at HTTP, as willing or as strange as a test wants it."""

from __future__ import annotations

import http.server
import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

GOOD = b64encode("ann:pässword".encode()).decode()


class Registry(http.server.BaseHTTPRequestHandler):
    """Takes ann with the password "pässword".

    ``way``: basic, bearer, open, careless, page, missing, moved, broken, busy, nonsense, elsewhere.
    """

    way = "basic"
    seen: list[str] = []

    def do_GET(self) -> None:
        given = self.headers.get("Authorization", "")
        type(self).seen.append(self.path)
        here = f"http://127.0.0.1:{self.server.server_address[1]}"
        good = given == f"Basic {GOOD}"
        if self.path.startswith("/token"):
            return self.tell(200, {"token": "t0ken"}) if good else self.tell(401, {})
        realm = "http://registry.example.org/token" if self.way == "elsewhere" else f"{here}/token"
        bearer = f'Bearer realm="{realm}",service="registry"'
        match self.way:
            case "basic":
                return self.tell(200 if good else 401, {}, {"WWW-Authenticate": 'Basic realm="registry"'})
            case "open":
                return self.tell(401 if given and not good else 200, {})
            case "bearer" | "elsewhere":
                return self.tell(200 if given == "Bearer t0ken" else 401, {}, {"WWW-Authenticate": bearer})
            case "careless":
                return self.tell(200, {})
            case "page":
                return self.tell(200, {}, {"Content-Type": "text/html"})
            case "nonsense":
                return self.tell(401, {}, {"WWW-Authenticate": "Magic"})
        return self.tell({"missing": 404, "broken": 503, "busy": 429, "moved": 302}[self.way], {})

    def tell(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        for name, said in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, said)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Quiet."""


@contextmanager
def running() -> Iterator[str]:
    """Its name, as in images."""
    Registry.seen, Registry.way = [], "basic"
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()
