"""A changed value as compose text again, as close to the file it came from as can be.

What did not change keeps its spelling (``0777``, ``"a"``, ``|``), so that the CLI reads the same; aliases and
merges are written out, for one anchor may mean different things in different places.
"""

from collections.abc import Callable
from typing import Any

import yaml

from platform_manager.recipes.document import PLAIN, STR, children, is_merge, pairs, reread, scalar_of
from platform_manager.recipes.problems import ComposeInvalid, Problem, Severity
from platform_manager.recipes.scalars import Timestamp, resolve

MAX_CHARACTERS = 4 * 1024 * 1024

_MAP = "tag:yaml.org,2002:map"
_SEQ = "tag:yaml.org,2002:seq"
_RESOLVER = yaml.resolver.Resolver()
_QUOTED_OR_BLOCK = ("'", '"', "|", ">")


def escaped(text: str) -> str:
    """``text`` for a file whose variables the CLI substitutes."""
    return text.replace("$", "$$")


def rewritten(value: dict[str, Any], original: yaml.MappingNode, spell: Callable[[str], str] = escaped) -> str:
    """The YAML of ``value``, every text passed through ``spell``; raises :class:`ComposeInvalid`.

    Read back to be sure that it says the same, and quoted throughout where it does not.
    """
    writer = _Writer(spell)
    root = writer.node(value, original)
    wanted = _spelled(value, spell)
    for quoted in (False, True):
        if quoted:
            _quote(root)
        text = str(yaml.serialize(root, Dumper=yaml.CSafeDumper, allow_unicode=True, width=1 << 30))
        if reread(text) == wanted:
            return text
    raise _refusal("The file holds text that can't be passed on to Docker unchanged. Remove control characters.")


def _refusal(message: str) -> ComposeInvalid:
    return ComposeInvalid([Problem(Severity.ERROR, "", 0, message)])


class _Writer:
    """Makes nodes of values, with the nodes they came from as a model of style."""

    def __init__(self, spell: Callable[[str], str]) -> None:
        self.spell = spell
        self.left = MAX_CHARACTERS

    def node(self, value: Any, model: yaml.Node | None) -> yaml.Node:
        if isinstance(value, dict):
            return self._mapping(value, model)
        if isinstance(value, list):
            models = model.value if isinstance(model, yaml.SequenceNode) else []
            items = [self.node(item, models[n] if n < len(models) else None) for n, item in enumerate(value)]
            return yaml.SequenceNode(_SEQ, items, flow_style=_flow(model, yaml.SequenceNode))
        node = self._scalar(value, model)
        self.left -= len(node.value) + 1
        if self.left < 0:
            raise _refusal(f"With its answers and aliases written out the file passes {MAX_CHARACTERS:,} characters.")
        return node

    def _mapping(self, value: dict[str, Any], model: yaml.Node | None) -> yaml.Node:
        models = {key.value: (key, item) for key, item in pairs(model)} if isinstance(model, yaml.MappingNode) else {}
        entries = []
        for name, item in value.items():
            key, item_model = models.get(name, (None, None))
            self.left -= len(name)
            style = key.style if isinstance(key, yaml.ScalarNode) else None
            entries.append((_text(name, style), self.node(item, item_model)))
        return yaml.MappingNode(_MAP, entries, flow_style=_flow(model, yaml.MappingNode))

    def _scalar(self, value: Any, model: yaml.Node | None) -> yaml.ScalarNode:
        scalar = model if isinstance(model, yaml.ScalarNode) else None
        if isinstance(value, str) and not isinstance(value, Timestamp):
            return _text(self.spell(value), scalar.style if scalar else None)
        # A quoted number is one by its tag alone, which would not be written plainly again.
        if scalar and scalar.style not in _QUOTED_OR_BLOCK and _same(scalar_of(scalar), value):
            return yaml.ScalarNode(_tag(scalar), scalar.value or "null", style=scalar.style or None)
        text = str(value).lower() if isinstance(value, bool) else "null" if value is None else _number(value)
        return yaml.ScalarNode(str(_RESOLVER.resolve(yaml.ScalarNode, text, (True, False))), text)  # type: ignore[no-untyped-call]


def _flow(model: yaml.Node | None, kind: type[yaml.CollectionNode]) -> bool:
    return bool(isinstance(model, kind) and model.flow_style)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _number(value: Any) -> str:
    text = str(value)
    return text.replace("e", ".0e") if "e" in text and "." not in text else text


def _text(text: str, style: str | None) -> yaml.ScalarNode:
    """Text that someone could take for something else (``yes``, ``22:22``, ``0x1``) gets quotes."""
    if style not in _QUOTED_OR_BLOCK:
        plain = resolve(text)
        unclear = not isinstance(plain, str) or isinstance(plain, Timestamp) or "\n" in text
        style = '"' if unclear else None
    return yaml.ScalarNode(STR, text, style=style)


def _tag(node: yaml.ScalarNode) -> str:
    if node.tag != PLAIN:
        return str(node.tag)
    return str(_RESOLVER.resolve(yaml.ScalarNode, node.value or "null", (True, False)))  # type: ignore[no-untyped-call]


def _spelled(value: Any, spell: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: _spelled(item, spell) for key, item in value.items()}
    if isinstance(value, list):
        return [_spelled(item, spell) for item in value]
    return spell(value) if isinstance(value, str) else value


def _quote(node: yaml.Node) -> None:
    if isinstance(node, yaml.ScalarNode):
        if node.tag == STR and not is_merge(node):
            node.style = '"'
        return
    for child in children(node):
        _quote(child)
