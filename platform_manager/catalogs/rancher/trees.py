"""YAML of Rancher catalogs as trees of text, and back to YAML that the Docker CLI reads alike.

Rancher reads what is not text by the field it is for: a version ``1.10`` stays ``1.10``. So every scalar here is its
text, except for true, false and nothing. Caps in bytes, depth and values are those of compose files.
"""

from typing import Any, TypeAlias

import yaml

from platform_manager.recipes.document import PLAIN, is_merge, nodes_of, pairs
from platform_manager.recipes.scalars import Timestamp, resolve

Tree: TypeAlias = dict[str, Any]


def read_tree(text: str) -> Tree:
    """Of a key that is there twice the last counts; raises :class:`~platform_manager.recipes.ComposeInvalid`."""
    tree = _value(nodes_of(text))
    return tree if isinstance(tree, dict) else {}


def _value(node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        merged = {key.value: _value(value) for key, value in pairs(node)}
        own = {key.value: _value(value) for key, value in node.value if _is_key(key)}
        return {**merged, **own}
    if isinstance(node, yaml.SequenceNode):
        return [_value(item) for item in node.value]
    resolved = resolve(node.value) if node.tag == PLAIN else node.value
    return resolved if resolved is None or isinstance(resolved, bool) else str(node.value)


def _is_key(key: yaml.Node) -> bool:
    return isinstance(key, yaml.ScalarNode) and not is_merge(key)


def plain(value: Any) -> str:
    """The text of a scalar, "" of anything else; true and false in small letters."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (str, int, float)) else ""


def mapping(value: Any) -> Tree:
    """A mapping whose entries are mappings; anything else in it counts as empty."""
    if not isinstance(value, dict):
        return {}
    return {key: item if isinstance(item, dict) else {} for key, item in value.items()}


def texts(value: Any) -> list[str]:
    """A list of text, also of one written without a list."""
    items = value if isinstance(value, list) else [value]
    return [text for text in map(plain, items) if text]


def settings(value: Any) -> dict[str, Any]:
    """``KEY: value`` or ``- KEY=value`` or ``- KEY: value`` as one mapping; what is left open is None."""
    if isinstance(value, dict):
        return {key: None if item is None else plain(item) for key, item in value.items()}
    found: dict[str, Any] = {}
    for entry in value if isinstance(value, list) else []:
        if isinstance(entry, dict):
            found.update(settings(entry))
        elif text := plain(entry):
            key, equals, item = text.partition("=")
            found[key.strip()] = item if equals else None
    return found


class _Dumper(yaml.CSafeDumper):
    """Quotes what another reader of YAML could take for something else than text."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    resolved = resolve(text)
    style = None
    if not isinstance(resolved, str) or isinstance(resolved, Timestamp):
        style = '"'
    elif "\n" in text:
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def write_tree(tree: Tree) -> str:
    return str(yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1 << 20))
