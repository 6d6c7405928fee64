"""What an interpolated value becomes: ``replicas: ${N}`` is a number once N is known."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from platform_manager.recipes.problems import Path


def _to_int(text: str) -> int:
    match = re.fullmatch(r"([-+]?)0*([0-9]{1,19})", text)
    value = int(match[1] + match[2]) if match else 2**63
    if not -(2**63) <= value < 2**63:
        raise ValueError(text)
    return value


_DIGITS = "[0-9](?:_?[0-9])*"
_DECIMAL = re.compile(rf"[-+]?(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][-+]?{_DIGITS})?")
_HEXADECIMAL = re.compile(r"[-+]?0[xX](?:_?[0-9a-fA-F])+(?:\.[0-9a-fA-F]*)?[pP][-+]?[0-9]+")


def _to_float(text: str) -> float:
    try:
        value = float.fromhex(text.replace("_", "")) if _HEXADECIMAL.fullmatch(text) else float(text)
    except OverflowError:
        raise ValueError(text) from None
    if not (_DECIMAL.fullmatch(text) or _HEXADECIMAL.fullmatch(text)) or math.isinf(value):
        raise ValueError(text)
    return value


def _to_bool(text: str) -> bool:
    word = text.lower()
    if word in ("y", "yes", "true", "on"):
        return True
    if word in ("n", "no", "false", "off"):
        return False
    raise ValueError(text)


@dataclass(frozen=True)
class Cast:
    """``convert`` raises ValueError; ``words`` say what it wanted."""

    convert: Callable[[str], Any]
    words: str


_INT = Cast(_to_int, "a whole number")
_FLOAT = Cast(_to_float, "a number")
_BOOL = Cast(_to_bool, "true or false")

_SERVICE_CASTS: dict[str, Cast] = {
    **dict.fromkeys(
        (
            "configs.[].mode",
            "secrets.[].mode",
            "healthcheck.retries",
            "deploy.replicas",
            "deploy.update_config.parallelism",
            "deploy.rollback_config.parallelism",
            "deploy.restart_policy.max_attempts",
            "deploy.placement.max_replicas_per_node",
            "ports.[].target",
            "ports.[].published",
            "ulimits.*",
            "ulimits.*.hard",
            "ulimits.*.soft",
            "oom_score_adj",
        ),
        _INT,
    ),
    "deploy.update_config.max_failure_ratio": _FLOAT,
    "deploy.rollback_config.max_failure_ratio": _FLOAT,
    **dict.fromkeys(
        (
            "healthcheck.disable",
            "privileged",
            "read_only",
            "stdin_open",
            "tty",
            "volumes.[].read_only",
            "volumes.[].volume.nocopy",
        ),
        _BOOL,
    ),
}
_CASTS: dict[str, Cast] = {
    **{f"services.*.{path}": cast for path, cast in _SERVICE_CASTS.items()},
    **dict.fromkeys(
        (
            "networks.*.external",
            "networks.*.internal",
            "networks.*.attachable",
            "volumes.*.external",
            "secrets.*.external",
            "configs.*.external",
        ),
        _BOOL,
    ),
}


def cast_for(path: Path) -> Cast | None:
    """What the CLI turns an interpolated value at ``path`` into, if anything but text.

    It matches paths joined by dots, so nothing is cast below a key that has a dot itself.
    """
    parts = ".".join("[]" if isinstance(part, int) else part for part in path).split(".")
    if len(parts) > 1:
        parts[1] = "*"
    if len(parts) > 3 and parts[2] == "ulimits":
        parts[3] = "*"
    return _CASTS.get(".".join(parts))
