"""Parse what an engine says, trusting none of it: bytes, depth and number of values are capped."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from platform_manager.engines.errors import EngineAnswerTooLarge, EngineError

MIB = 1024 * 1024
Param = str | int | float | bool | None | Mapping[str, Any] | Sequence[str]

# Lone surrogates and NUL pass a JSON parser but no database: a sane engine never sends either escaped.
UNSTORABLE = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")


@dataclass(frozen=True)
class Limits:
    """Caps on everything one engine may send or withhold.

    ``answer_bytes`` and ``answer_seconds`` bound one whole answer, ``line_bytes`` one event or progress line,
    ``frame_bytes`` one frame of a log, ``depth`` and ``values`` the nesting and size of parsed JSON,
    ``connections`` the requests and streams open at once.
    """

    answer_bytes: int = 32 * MIB
    answer_seconds: float = 30
    connect_seconds: float = 5
    line_bytes: int = MIB
    frame_bytes: int = MIB
    depth: int = 64
    values: int = 2_000_000
    connections: int = 256


def parse_json(body: bytes, limits: Limits) -> Any:
    """Parsed JSON, or EngineError; text in it can be stored and encoded."""
    # 32 MiB of "[],[],..." would become a gigabyte of Python objects: count before parsing.
    if body.count(b",") + body.count(b"[") + body.count(b"{") > limits.values:
        raise EngineAnswerTooLarge(f"The Docker engine's answer holds more than {limits.values} values.")
    try:
        value = json.loads(body)
    except RecursionError:
        raise _too_deep(limits) from None
    except ValueError:
        raise EngineError("The Docker engine's answer is not valid JSON.") from None
    _check_depth(value, limits)
    return _storable(value) if UNSTORABLE.search(body) else value


def _check_depth(value: Any, limits: Limits) -> None:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(limits.depth):
        children = chain.from_iterable(node.values() if isinstance(node, dict) else node for node in level)
        level = [child for child in children if isinstance(child, dict | list)]
        if not level:
            return
    raise _too_deep(limits)


def _too_deep(limits: Limits) -> EngineError:
    return EngineAnswerTooLarge(f"The Docker engine's answer is nested deeper than {limits.depth} levels.")


def _storable(value: Any) -> Any:
    """A copy without lone surrogates and NUL; the depth is already known to be sane."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return value


def query(params: Mapping[str, Param]) -> list[tuple[str, str]]:
    """Docker's way with query values: JSON for mappings, a repeated name for lists, nothing for None."""
    pairs: list[tuple[str, str]] = []
    for name, value in params.items():
        if value is None:
            continue
        if isinstance(value, bool):
            pairs.append((name, "true" if value else "false"))
        elif isinstance(value, Mapping):
            pairs.append((name, json.dumps(value)))
        elif isinstance(value, Sequence) and not isinstance(value, str):
            pairs.extend((name, str(item)) for item in value)
        else:
            pairs.append((name, str(value)))
    return pairs
