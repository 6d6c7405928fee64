"""What a measurement gives: a value, the bar it is held against, and whether it passes."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

STARTED = time.monotonic()


@dataclass(frozen=True)
class Figure:
    """``lower``: the value must not be above the bar; otherwise not below it. ``why`` explains a miss."""

    key: str
    value: float
    bar: float
    lower: bool = True
    why: str = ""

    @property
    def ok(self) -> bool:
        return self.value <= self.bar if self.lower else self.value >= self.bar

    def __str__(self) -> str:
        return f"{self.key} {self.value:.4g} {self.bar:g} {'ok' if self.ok else 'short'}"


def say(text: str) -> None:
    """Progress and details, on stderr; stdout has the figures alone."""
    sys.stderr.write(f"# {time.monotonic() - STARTED:5.0f} s  {text}\n")


def spread(name: str, values: Sequence[float], unit: str) -> float:
    """The median of the values, which are told one by one: they show how noisy the machine was."""
    found = median(values)
    say(f"{name}: median {found:.4g} {unit} of {', '.join(f'{value:.4g}' for value in values)}")
    return found


def p95(values: Sequence[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[-1]


def resident_mb(pid: int) -> float:
    """Memory a process holds."""
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(kilobytes) / 1024


def cpu_seconds(pid: int) -> float:
    """CPU a process used so far, user and system, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
