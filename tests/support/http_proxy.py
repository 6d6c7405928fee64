"""A real HTTP proxy: CONNECT for https, absolute addresses for http. It alone knows where names lead."""

from __future__ import annotations

import http.client
import select
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

OWN = ("proxy-connection", "connection", "keep-alive")


@dataclass
class Proxy:
    """``leads`` are ports of this machine by host; whatever else is asked for gets 403. ``asked`` is what was."""

    address: str = ""
    leads: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def lead(self, host: str, url: str) -> None:
        """``url`` is a server of this machine."""
        self.leads[host] = urlsplit(url).port or 0


@contextmanager
def proxying(**servers: str) -> Iterator[Proxy]:
    proxy = Proxy()

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            host = self.path.rpartition(":")[0]
            proxy.asked.append(f"CONNECT {self.path}")
            if host not in proxy.leads:
                self.send_error(403)
                return
            with socket.create_connection(("127.0.0.1", proxy.leads[host]), 5) as onward:
                self.send_response(200, "Connection established")
                self.end_headers()
                _piped(self.connection, onward)
            self.close_connection = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            proxy.asked.append(f"{self.command} {self.path}")
            if parts.hostname not in proxy.leads:
                self.send_error(403)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in OWN}
            onward = http.client.HTTPConnection("127.0.0.1", proxy.leads[parts.hostname], timeout=5)
            try:
                target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
                onward.request(self.command, target, body, headers)
                self._answer(onward.getresponse())
            finally:
                onward.close()

        do_POST = do_GET

        def _answer(self, answer: http.client.HTTPResponse) -> None:
            body = answer.read()
            self.send_response(answer.status)
            for name, value in _without_length(answer.headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    proxy.address = f"http://127.0.0.1:{server.server_port}"
    for host, url in servers.items():
        proxy.lead(host, url)
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _without_length(headers: Mapping[str, str]) -> dict[str, str]:
    own = ("content-length", "transfer-encoding", "connection", "date", "server")
    return {name: value for name, value in headers.items() if name.lower() not in own}


def _piped(one: socket.socket, other: socket.socket) -> None:
    """Until one of them ends."""
    with suppress(OSError):
        while True:
            for ready in select.select([one, other], [], [], 5)[0]:
                data = ready.recv(64 * 1024)
                if not data:
                    return
                (other if ready is one else one).sendall(data)
