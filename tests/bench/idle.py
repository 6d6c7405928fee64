"""idle_cpu_pct: CPU of the platform's process with three linked hosts and nothing happening."""

from __future__ import annotations

import time

from .bed import Bed
from .figures import Figure, cpu_seconds, spread

BARS = {"idle_cpu_pct": 3}
ROUNDS = 3
SECONDS = 10
SETTLE_SECONDS = 5


def measure(bed: Bed) -> list[Figure]:
    time.sleep(SETTLE_SECONDS)
    found = [_percent(bed.pid) for _ in range(ROUNDS)]
    return [Figure("idle_cpu_pct", spread("idle process", found, "% of one core"), BARS["idle_cpu_pct"])]


def _percent(pid: int) -> float:
    used, begun = cpu_seconds(pid), time.monotonic()
    time.sleep(SECONDS)
    return 100 * (cpu_seconds(pid) - used) / (time.monotonic() - begun)
