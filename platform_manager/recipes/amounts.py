"""Amounts of processors and memory, as the Docker CLI reads them and as people do."""

import re

_SIZE = re.compile(r"\+?([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,3})? ?([kmgtp]?)(?:i?b)?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_MOST = 2.0**63


def bytes_of(text: object) -> float:
    """``512m`` as bytes, with units of 1024; 0 for what is no size."""
    match = _SIZE.fullmatch(str(text))
    if not match:
        return 0.0
    return min(float(match[1] + (match[2] or "")) * 1024.0 ** _POWERS[match[3].lower()], _MOST)


_DURATION = re.compile("(?<![0-9.])([0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "\u00b5s": 1e-6, "\u03bcs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(text: str) -> float:
    """``1m30s`` as seconds; 0 for what is no duration."""
    total = sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(text))
    return -total if text.startswith("-") else total


def cpus_of(text: object) -> float:
    """``0.5`` as a number of cores; 0 for what is no number, or less than none."""
    try:
        number = float(str(text))
    except ValueError:
        return 0.0
    return min(number, _MOST) if number > 0 else 0.0


def byte_words(size: float, *, exact: bool = False) -> str:
    """``3.9 GiB of memory``; ``exact``: ``4,000 MiB of memory``, for two sizes that are nearly the same."""
    if exact:
        return f"{size / 1024**2:,.6g} MiB of memory"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            break
        size, unit = size / 1024, {"B": "KiB", "KiB": "MiB", "MiB": "GiB", "GiB": "TiB"}[unit]
    return f"{_short(size)} {unit} of memory"


def cpu_words(count: float, *, exact: bool = False) -> str:
    if exact:
        return f"{count:.9g} CPUs"
    return f"{_short(count)} CPU{'' if count == 1 else 's'}"


def _short(number: float) -> str:
    if number >= 10:
        return f"{number:,.0f}"
    return f"{number:.1f}".removesuffix(".0") if number >= 0.1 else f"{number:g}"
