"""What a swarm fills in for each task, as ``{{.Node.Hostname}}``: texts that it would refuse.

It fills in variables, host names and mounts, and refuses the whole service where one of them names what it does
not know; commands and labels are never looked at.
"""

import re
from collections.abc import Iterator

from platform_manager.recipes.checks import Compose, read_mount, section
from platform_manager.recipes.problems import Path, dotted

Finding = tuple[Path, str]
Texts = Iterator[tuple[Path, str]]

KNOWN = {
    ".Service": ("ID", "Name", "Labels"),
    ".Node": ("ID", "Hostname", "Platform", "Platform.Architecture", "Platform.OS"),
    ".Task": ("ID", "Name", "Slot"),
}
_PATHS = frozenset({*KNOWN, *(f"{head}.{rest}" for head, all_rest in KNOWN.items() for rest in all_rest)})
_CALLS = ("and", "or", "not", "len", "index", "slice", "print", "printf", "println", "html", "js", "urlquery", "call")
_CLAUSES = ("if", "else", "end", "range", "with", "define", "template", "block")
_FUNCTIONS = frozenset([*_CALLS, *_CLAUSES, "eq", "ne", "lt", "le", "gt", "ge", "join", "true", "false", "nil"])
# From here on a dot means something else.
_MOVES = re.compile(r"\b(?:range|with|define|template|block)\b")
# What is not closed goes on to the end: looking for an end again and again takes hours in a long text.
_QUOTED = re.compile(r'"(?:[^"\\]|\\[\s\S]?)*(?:"|\Z)|`[^`]*(?:`|\Z)|\'(?:[^\'\\]|\\[\s\S]?)*(?:\'|\Z)')
_ACTION = re.compile(rf"\{{\{{((?:{_QUOTED.pattern}|(?!\}}\}}).)*)(\}}\}})?", re.DOTALL)
_WORD = re.compile(r"(?<![\w.$)])(\.[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*|[A-Za-z_]\w*)")


def check(value: Compose) -> Iterator[Finding]:
    """Works on an interpolated file that passed :mod:`platform_manager.recipes.validation`."""
    for name, service in section(value, "services").items():
        for path, text in _texts(service, ("services", name), section(value, "volumes")):
            if "{{" in text and (reason := problem(text)):
                yield path, f"{dotted(path)}: the swarm fills in what stands in {{{{ }}}}, {reason}"


def problem(text: str) -> str:
    """Why a swarm would refuse ``text``; "" when it takes it.

    Each label is refused too: it is looked for before the service has any. ``index`` finds it.
    """
    actions = list(_ACTION.finditer(text))
    moved = any(_MOVES.search(_QUOTED.sub('""', action[1])) for action in actions)
    for action in actions:
        if action[2] is None:
            return f"and these braces are not closed: '{action[0][:60]}'. {_REMEDY}"
        inner = action[1].strip().removeprefix("-").removesuffix("-").strip()
        if not inner:
            return f"and finds nothing in them. {_REMEDY}"
        if inner.startswith("/*"):
            continue
        for word in _WORD.findall(_QUOTED.sub('""', inner)):
            known = word in (_PATHS if word.startswith(".") else _FUNCTIONS)
            if not known and not (moved and word.startswith(".")):
                return f"and does not know '{word[:60]}'. It knows .Node.Hostname, .Task.Slot and the like. {_REMEDY}"
    return ""


_REMEDY = 'Two braces of your own are written {{"{{"}}.'


def _texts(service: Compose, path: Path, volumes: Compose) -> Texts:
    environment = service.get("environment") or {}
    if isinstance(environment, dict):
        yield from (((*path, "environment", key), text) for key, text in environment.items() if isinstance(text, str))
    else:
        yield from (((*path, "environment", n), str(one).partition("=")[2]) for n, one in enumerate(environment))
    if service.get("hostname"):
        yield (*path, "hostname"), service["hostname"]
    for index, entry in enumerate(service.get("volumes") or []):
        try:
            mount = read_mount(entry)
        except ValueError:
            continue
        yield (*path, "volumes", index), mount.target
        if mount.type != "volume":
            yield (*path, "volumes", index), mount.source
        elif mount.source in volumes:
            yield from _of_volume(volumes[mount.source], ("volumes", mount.source))


def _of_volume(declared: Compose, path: Path) -> Texts:
    yield (*path, "name"), str(declared.get("name") or "")
    for kind in ("labels", "driver_opts"):
        entries = declared.get(kind) or {}
        if isinstance(entries, dict):
            yield from (((*path, kind, key), str(text)) for key, text in entries.items())
        else:
            yield from (((*path, kind, n), str(text).partition("=")[2]) for n, text in enumerate(entries))
