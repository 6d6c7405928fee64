"""The compose text and variables that are handed to the Docker CLI.

The CLI reads variables from its environment, which also steers the CLI itself (DOCKER_HOST, HOME ...). So
every variable gets a prefix in the text; the substitution and the type casts stay the CLI's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from platform_manager.recipes import checks, preflight, validation
from platform_manager.recipes.document import PLAIN, STR, is_merge, pairs, read, value_of
from platform_manager.recipes.facts import with_provided
from platform_manager.recipes.interpolation import PATTERN, find_variables, interpolate_tree
from platform_manager.recipes.preview import MTU_OPTION
from platform_manager.recipes.problems import ComposeInvalid, Problem, Severity, dotted
from platform_manager.recipes.recipe import Recipe, clean_path, leaves_recipe
from platform_manager.recipes.scalars import Timestamp, resolve
from platform_manager.recipes.schema import NEWEST

PREFIX = "PM_ANSWER_"
_MAP = "tag:yaml.org,2002:map"
_VERSIONS = (8, 9)


@dataclass(frozen=True)
class Prepared:
    """``variables`` is the whole environment the text needs; ``files`` go next to it, by relative path."""

    compose: str
    variables: dict[str, str]
    files: dict[str, bytes]


def unprefix(text: str) -> str:
    """A message of the CLI in the words of the recipe."""
    return text.replace(PREFIX, "")


def prepare(recipe: Recipe, answers: Mapping[str, str], *, mtu: int, stack_name: str) -> Prepared:
    """Raises :class:`ComposeInvalid` when the CLI would read a file that is not the recipe's."""
    given = with_provided(answers, stack_name=stack_name, mtu=mtu)
    value, _ = interpolate_tree(recipe.value, given)
    files = _files(recipe, value)
    root = _Prefixer().copy(recipe.document.root)
    assert isinstance(root, yaml.MappingNode)  # noqa: S101 - read() took nothing else
    filled = _fill_environment(root, value, given)
    _inject_mtu(root, value, mtu)
    if not recipe.value.get("version"):
        _set_version(root, value)
    names = dict.fromkeys([*(variable.name for variable in find_variables(recipe.value)), *filled])
    variables = {PREFIX + name: given[name] for name in names if name in given}
    return Prepared(_serialize(root), variables, files)


def _files(recipe: Recipe, value: dict[str, Any]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for path, name in preflight.file_references(_mappings_only(value)):
        if not isinstance(name, str) or leaves_recipe(name) or clean_path(name) not in recipe.files:
            message = f"{dotted(path)}: the recipe has no file '{name}'. Add it to the recipe."
            raise ComposeInvalid([recipe.problem(Severity.ERROR, path, message)])
        found[clean_path(name)] = recipe.files[clean_path(name)]
    return found


def _mappings_only(value: dict[str, Any]) -> dict[str, Any]:
    """What of a file that nobody validated has the shape of sections with entries."""
    return {
        name: {key: item for key, item in part.items() if isinstance(item, dict)}
        for name, part in value.items()
        if isinstance(part, dict)
    }


class _Prefixer:
    """Copies a node tree, with every variable renamed and every tag as the serializer expects it."""

    def __init__(self) -> None:
        self.copies: dict[tuple[int, bool], yaml.Node] = {}

    def copy(self, node: yaml.Node, *, is_key: bool = False) -> yaml.Node:
        mark = id(node), is_key
        if mark not in self.copies:
            self.copies[mark] = self._copy(node, is_key)
        return self.copies[mark]

    def _copy(self, node: yaml.Node, is_key: bool) -> yaml.Node:
        if isinstance(node, yaml.MappingNode):
            entries = [(self.copy(key, is_key=True), self.copy(value)) for key, value in node.value]
            return yaml.MappingNode(node.tag, entries, flow_style=node.flow_style)
        if isinstance(node, yaml.SequenceNode):
            items = [self.copy(item) for item in node.value]
            return yaml.SequenceNode(node.tag, items, flow_style=node.flow_style)
        assert isinstance(node, yaml.ScalarNode)  # noqa: S101 - there is no fourth kind
        text = node.value if is_key else _prefixed(node.value)
        if node.tag == PLAIN and not text:
            text = "null"  # Nothing at all can't be written everywhere.
        return yaml.ScalarNode(_tag(node), text, style=node.style or None)


def _prefixed(text: str) -> str:
    def rename(match: Any) -> str:
        group = "named" if match["named"] else "braced"
        if not match[group]:
            return str(match[0])
        start = match.start(group) - match.start()
        return f"{match[0][:start]}{PREFIX}{match[0][start:]}"

    return PATTERN.sub(rename, text)


def _tag(node: yaml.Node) -> str:
    """Text that PyYAML takes for something else (``yes``, ``22:22``) is tagged as text and so gets quotes."""
    if node.tag != PLAIN:
        return str(node.tag)
    value = resolve(node.value)
    if is_merge(node) or not isinstance(value, str) or isinstance(value, Timestamp):
        return str(_RESOLVER.resolve(yaml.ScalarNode, node.value, (True, False)))  # type: ignore[no-untyped-call]
    return STR


_RESOLVER = yaml.resolver.Resolver()


def _fill_environment(root: yaml.MappingNode, value: dict[str, Any], given: Mapping[str, str]) -> list[str]:
    """The CLI fills empty environment entries from its environment: name the prefixed variables there."""
    filled: list[str] = []
    for name, service in preflight.services(_mappings_only(value)).items():
        environment = service.get("environment")
        entries: list[tuple[str | int, str]] = []
        if isinstance(environment, dict):
            entries = [(key, key) for key, item in environment.items() if item is None or item == ""]
        elif isinstance(environment, list):
            split = [(index, str(item).partition("=")) for index, item in enumerate(environment)]
            entries = [(index, parts[0]) for index, parts in split if not parts[2]]
        wanted = [(place, key) for place, key in entries if key in given]
        filled += [key for _, key in wanted]
        if wanted:
            _rewrite(_own(_own(_own(root, "services"), name), "environment"), wanted)
    return filled


def _rewrite(environment: yaml.Node, wanted: list[tuple[str | int, str]]) -> None:
    for place, key in wanted:
        reference = f"${{{PREFIX}{key}}}"
        if isinstance(environment, yaml.MappingNode):
            _put(environment, str(place), yaml.ScalarNode(STR, reference, style='"'))
        else:
            environment.value[place] = yaml.ScalarNode(STR, f"{key}={reference}", style='"')


def _inject_mtu(root: yaml.MappingNode, value: dict[str, Any], mtu: int) -> None:
    """Swarm creates only the networks that services use; external ones keep the MTU they were made with."""
    sections = _mappings_only(value)
    declared = checks.section(sections, "networks")
    for name in preflight.used_networks(sections):
        network = declared.get(name, {})
        if preflight.is_external(network) or (network.get("driver") or "overlay") != "overlay":
            continue
        options = network.get("driver_opts")
        if MTU_OPTION in (options if isinstance(options, dict) else {}):
            continue
        options_node = _own(_own(_own(root, "networks"), name), "driver_opts")
        assert isinstance(options_node, yaml.MappingNode)  # noqa: S101
        _put(options_node, MTU_OPTION, yaml.ScalarNode(STR, str(mtu), style='"'))


def _set_version(root: yaml.MappingNode, value: dict[str, Any]) -> None:
    """The oldest version with what the file uses: CLIs before 24 know up to 3.9 and want one."""
    minor = next((minor for minor in _VERSIONS if not validation.validate(value, minor)), NEWEST)
    root.value = [(key, item) for key, item in root.value if key.value != "version"]
    root.value.insert(0, (yaml.ScalarNode(STR, "version"), yaml.ScalarNode(STR, f"3.{minor}", style='"')))


def _own(parent: yaml.Node, key: str) -> yaml.Node:
    """The child of ``parent`` at ``key`` as a copy that no alias and no merge shares; made when absent."""
    assert isinstance(parent, yaml.MappingNode)  # noqa: S101
    found = next((value for name, value in pairs(parent) if name.value == key), None)
    copy: yaml.Node
    if isinstance(found, yaml.SequenceNode):
        copy = yaml.SequenceNode(found.tag, list(found.value), flow_style=found.flow_style)
    else:
        entries = list(pairs(found)) if isinstance(found, yaml.MappingNode) else []
        copy = yaml.MappingNode(_MAP, entries, flow_style=bool(found and getattr(found, "flow_style", False)))
    _put(parent, key, copy)
    return copy


def _put(mapping: yaml.MappingNode, key: str, value: yaml.Node) -> None:
    for index, (name, _) in enumerate(mapping.value):
        if isinstance(name, yaml.ScalarNode) and name.value == key and not is_merge(name):
            mapping.value[index] = (name, value)
            return
    mapping.value.append((yaml.ScalarNode(STR, key), value))


def _serialize(root: yaml.MappingNode) -> str:
    """The text, read back to be sure that it says the same; quoted throughout where it does not."""
    wanted = value_of(root)
    for style in (None, '"'):
        if style:
            _quote(root, set())
        text = str(yaml.serialize(root, Dumper=yaml.CSafeDumper, allow_unicode=True, width=1 << 30))
        try:
            if read(text).value == wanted:
                return text
        except ComposeInvalid:
            continue
    message = "The file holds text that can't be passed on to Docker unchanged. Remove control characters."
    raise ComposeInvalid([Problem(Severity.ERROR, "", 0, message)])


def _quote(node: yaml.Node, done: set[int]) -> None:
    if id(node) in done:
        return
    done.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        if node.tag == STR:
            node.style = '"'
        return
    for child in node.value:
        for part in child if isinstance(child, tuple) else (child,):
            _quote(part, done)
