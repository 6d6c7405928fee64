"""stalled_growth_mb: memory of the process with four log viewers that take nothing while containers print."""

from __future__ import annotations

import base64
import secrets
import socket
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

from .bed import Bed
from .figures import Figure, resident_mb, say

BARS = {"stalled_growth_mb": 20}
CLIENTS = 4
ROUNDS = (30, 10, 10)
# Each container has half a core, for the machine's sake; rotation keeps its disk.
COMPOSE = """\
version: "3.8"
services:
  ticker:
    image: 127.0.0.1:1/ticker:1
    environment: {RATE: "0"}
    logging: {driver: json-file, options: {max-size: 50m, max-file: "2"}}
    deploy: {mode: global, resources: {limits: {cpus: "0.5"}}}
"""


def measure(bed: Bed) -> list[Figure]:
    """All rounds count from the memory before the first, so what one leaves behind is seen in the next."""
    with bed.stack("stall", COMPOSE, 3):
        before = resident_mb(bed.pid)
        grown = [_stalled(bed, seconds, before) for seconds in ROUNDS]
    say(f"{before:.0f} MB before; grown {', '.join(f'{value:.1f}' for value in grown)} MB")
    return [Figure("stalled_growth_mb", max(grown), BARS["stalled_growth_mb"])]


def _stalled(bed: Bed, seconds: float, before: float) -> float:
    """The most it grew by within ``seconds``."""
    most = 0.0
    with ExitStack() as clients:
        for _ in range(CLIENTS):
            clients.enter_context(_client(bed))
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.5)
            most = max(most, resident_mb(bed.pid) - before)
    return most


def _client(bed: Bed) -> socket.socket:
    """A websocket that is opened and never read again; a library's client would read ahead."""
    address = urlsplit(bed.browser.url)
    connected = socket.create_connection((address.hostname, address.port), timeout=10)
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    head = {
        "Host": address.netloc,
        "Origin": bed.browser.url,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": key,
        **bed.browser.headers,
    }
    lines = [f"GET /ws{bed.path}/logs/?stack=stall&tail=all HTTP/1.1", *(f"{k}: {v}" for k, v in head.items())]
    connected.sendall("\r\n".join([*lines, "", ""]).encode())
    answer = connected.recv(12)
    assert answer == b"HTTP/1.1 101", answer
    return connected
