"""Compose text as a tree: what the Docker CLI will read, and on which line each value stands.

Parsing stops at the YAML node level, so that text, quoting and line numbers survive; the values for
inspection are made here with the CLI's rules. Hostile text is capped in bytes, depth and nodes.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from platform_manager.recipes.problems import ComposeInvalid, Path, Problem, Severity, dotted
from platform_manager.recipes.scalars import Timestamp, resolve

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 50
MAX_NODES = 100_000

PLAIN = "!plain"
MERGE = "<<"
STR = "tag:yaml.org,2002:str"
_EXPLICIT = "tag:yaml.org,2002:"
_LINE = re.compile(r"\s+")


class _Loader(yaml.CSafeLoader):
    """Leaves unquoted scalars unresolved: they are tagged ``!plain`` and keep their text."""

    yaml_implicit_resolvers = {None: [(PLAIN, re.compile(""))], "": [(PLAIN, re.compile(""))]}


@dataclass(frozen=True)
class Document:
    """``value`` is made of dict, list, str, int, float, bool and None; nothing in it is interpolated yet."""

    text: str
    root: yaml.MappingNode
    value: dict[str, Any]
    lines: Mapping[Path, int]
    findings: tuple[Problem, ...] = field(default=())

    def line(self, path: Path) -> int:
        """The line of the value at ``path``, or of its nearest container; 0 when there is neither."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return 0


def read(text: str) -> Document:
    """Parse compose text; raises :class:`ComposeInvalid`."""
    root = nodes_of(text)
    builder = _Builder()
    value = builder.build(root, (), 1)
    if builder.errors:
        raise ComposeInvalid(builder.errors)
    return Document(text, root, value, builder.lines, tuple(builder.warnings))


def nodes_of(text: str) -> yaml.MappingNode:
    """The tree of text that is a mapping and stays within the caps; raises :class:`ComposeInvalid`."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        _refuse(f"The file is larger than {MAX_BYTES // 1024} KiB. Compose files are small: is it the right one?")
    try:
        root = yaml.compose(_first_document(text), Loader=_Loader)
    except yaml.YAMLError as error:
        _refuse(*_yaml_words(error))
    except UnicodeEncodeError:
        _refuse("The file is no text in UTF-8. Save it as UTF-8.")
    if not isinstance(root, yaml.MappingNode):
        _refuse("The file must start with keys such as 'services:'. It holds no mapping at the top level.", 1)
    _check_expansion(root)
    return root


def reread(text: str) -> Any:
    """The value of text that was written here; None for what can't be read."""
    try:
        root = yaml.compose(text, Loader=_Loader)
    except (yaml.YAMLError, UnicodeEncodeError):
        return None
    builder = _Builder()
    value = builder.build(root, (), 1) if isinstance(root, yaml.MappingNode) else None
    return None if builder.errors else value


def scalar_of(node: yaml.ScalarNode) -> Any:
    """The value of one scalar as the CLI reads it."""
    return _Builder().build(node, (), 1)


def _refuse(message: str, line: int = 0) -> NoReturn:
    raise ComposeInvalid([Problem(Severity.ERROR, "", line, message)])


def _yaml_words(error: yaml.YAMLError) -> tuple[str, int]:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reason = _LINE.sub(" ", str(getattr(error, "problem", None) or getattr(error, "reason", "") or "unreadable"))
    if mark is None:
        return f"This is not valid YAML: {reason[:200]}.", 0
    hint = " Indent with spaces, not tabs." if "token" in reason else ""
    return f"This is not valid YAML (column {mark.column + 1}): {reason[:200]}.{hint}", mark.line + 1


def _first_document(text: str) -> str:
    """The CLI reads the first YAML document only. Walks events: depth can't exhaust the stack."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                _refuse(
                    f"The file is nested deeper than {MAX_DEPTH} levels.",
                    event.start_mark.line + 1 if event.start_mark else 0,
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.DocumentEndEvent):
            return text[: event.start_mark.index] if event.start_mark else text
    return text


def _check_expansion(root: yaml.Node) -> None:
    """Measure the tree with every alias written out; refuse alias bombs and aliases that hold themselves."""
    measured: dict[int, tuple[int, int]] = {}
    open_nodes: set[int] = set()

    def measure(node: yaml.Node) -> tuple[int, int]:
        if id(node) in measured:
            return measured[id(node)]
        line = line_of(node)
        if id(node) in open_nodes:
            _refuse("An anchor contains itself. Remove that alias.", line)
        open_nodes.add(id(node))
        parts = [measure(child) for child in children(node)]
        open_nodes.discard(id(node))
        size = 1 + sum(part[0] for part in parts)
        depth = 1 + max((part[1] for part in parts), default=0)
        if size > MAX_NODES or depth > MAX_DEPTH:
            _refuse(f"With its aliases written out the file is too large ({MAX_NODES:,} values at most).", line)
        measured[id(node)] = size, depth
        return size, depth

    measure(root)


def children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from pair
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def line_of(node: yaml.Node) -> int:
    """The line a node was read from; 0 for one that was made here."""
    return node.start_mark.line + 1 if node.start_mark else 0


def is_merge(key: yaml.Node) -> bool:
    return isinstance(key, yaml.ScalarNode) and key.value == MERGE and key.tag in (PLAIN, f"{_EXPLICIT}merge")


def pairs(node: yaml.MappingNode) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """The mapping's effective entries: its own, then those merged in with ``<<``, first come first kept."""
    seen: set[str] = set()
    for key, value in _all_pairs(node):
        if isinstance(key, yaml.ScalarNode) and key.value not in seen:
            seen.add(key.value)
            yield key, value


def _all_pairs(node: yaml.MappingNode) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    merged: list[yaml.Node] = []
    for key, value in node.value:
        if is_merge(key):
            merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
        else:
            yield key, value
    for other in merged:
        if isinstance(other, yaml.MappingNode):
            yield from _all_pairs(other)


class _Builder:
    """Makes values out of nodes, remembering lines and everything the CLI's decoder would refuse."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.errors: list[Problem] = []
        self.warnings: list[Problem] = []

    def build(self, node: yaml.Node, path: Path, line: int) -> Any:
        self.lines[path] = line
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, n), line_of(item)) for n, item in enumerate(node.value)]
        return self._scalar(node, path, line)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        self._check_keys(node, path)
        built = {}
        for key, value in pairs(node):
            name = self._key(key, path)
            if name is not None:
                built[name] = self.build(value, (*path, name), line_of(key))
        return built

    def _check_keys(self, node: yaml.MappingNode, path: Path) -> None:
        first: dict[str, int] = {}
        for key, value in node.value:
            line = line_of(key)
            if not isinstance(key, yaml.ScalarNode):
                self._error(path, line, "A key must be a word, not a list or a mapping.")
            elif key.value in first:
                self._error(
                    (*path, key.value),
                    line,
                    f"The key '{key.value}' is on line {first[key.value]} already. Remove one.",
                )
            elif is_merge(key) and not _mergeable(value):
                self._error(path, line, "'<<' can only merge a mapping or a list of mappings.")
            else:
                first[key.value] = line

    def _key(self, key: yaml.Node, path: Path) -> str | None:
        value = self._scalar(key, path, line_of(key))
        if isinstance(value, str) and not isinstance(value, Timestamp):
            return value
        self._error(path, line_of(key), f"The key {key.value!r} is not text. Put it in quotes.")
        return None

    def _scalar(self, node: yaml.Node, path: Path, line: int) -> Any:
        text: str = node.value
        if node.tag == f"{_EXPLICIT}binary":
            try:
                return base64.b64decode(text).decode()
            except (binascii.Error, UnicodeDecodeError):
                self._error(path, line, f"{dotted(path)} is marked !!binary but is no base64 text.")
                return ""
        resolved = node.tag == PLAIN or (node.tag.startswith(_EXPLICIT) and node.tag != STR)
        value = resolve(text) if resolved else text
        if isinstance(value, float) and value - value != 0:
            self._error(path, line, f"{dotted(path)}: {text} is not a usable number. Put it in quotes if it is text.")
        if isinstance(value, Timestamp):
            message = f"{dotted(path)}: {text} is read as a date and changes its form. Put it in quotes."
            self.warnings.append(Problem(Severity.WARNING, dotted(path), line, message))
        return value

    def _error(self, path: Path, line: int, message: str) -> None:
        self.errors.append(Problem(Severity.ERROR, dotted(path), line, message))


def _mergeable(value: yaml.Node) -> bool:
    if isinstance(value, yaml.SequenceNode):
        return all(isinstance(item, yaml.MappingNode) for item in value.value)
    return isinstance(value, yaml.MappingNode)
