"""A template's tree to text; counts its steps and what it writes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from platform_manager.catalogs.rancher.gotemplate.errors import (
    MAX_OUTPUT,
    MAX_STEPS,
    MAX_VARIABLES,
    STEP_CHARACTERS,
    TemplateRefused,
)
from platform_manager.catalogs.rancher.gotemplate.functions import call
from platform_manager.catalogs.rancher.gotemplate.nodes import (
    Chain,
    Dot,
    Function,
    If,
    Literal,
    Node,
    Nodes,
    Operand,
    Output,
    Pipeline,
    Range,
    Text,
    Variable,
    With,
)
from platform_manager.catalogs.rancher.gotemplate.values import Value, shown, size, truth


def evaluate(nodes: Nodes, data: Mapping[str, Any]) -> str:
    """Raises :class:`TemplateRefused`."""
    run = _Run(dict(data))
    run.nodes(nodes, run.data)
    return "".join(run.parts)


class _Run:
    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.parts: list[str] = []
        self.length = 0
        self.steps = 0
        self.variables: list[tuple[str, Value]] = [("", data)]

    def spend(self, amount: int, line: int) -> None:
        self.steps += 1 + amount // STEP_CHARACTERS
        if self.steps > MAX_STEPS:
            raise TemplateRefused("it takes too many steps", line)

    @contextmanager
    def scope(self) -> Iterator[None]:
        """What is declared in here is forgotten after it."""
        known = len(self.variables)
        yield
        del self.variables[known:]

    def nodes(self, nodes: Nodes, dot: Value) -> None:
        for node in nodes:
            self._node(node, dot)

    def _node(self, node: Node, dot: Value) -> None:
        if isinstance(node, Text):
            self._write(node.text, 0)
        elif isinstance(node, Output):
            value = self._pipeline(node.pipeline, dot)
            if not node.pipeline.declared:
                with _on_line(node.pipeline.line):
                    text = _written(value)
                self._write(text, node.pipeline.line)
        else:
            with self.scope():
                self._block(node, dot)

    def _write(self, text: str, line: int) -> None:
        self.spend(len(text), line)
        self.length += len(text)
        if self.length > MAX_OUTPUT:
            raise TemplateRefused(f"it writes more than {MAX_OUTPUT // 1024} KiB", line)
        self.parts.append(text)

    def _block(self, node: If, dot: Value) -> None:
        declared = node.pipeline.declared
        value = self._pipeline(node.pipeline, dot, assign=not isinstance(node, Range))
        if isinstance(node, Range):
            self._range(node, value, dot, declared)
        elif not truth(value):
            self.nodes(node.otherwise, dot)
        else:
            self.nodes(node.body, value if isinstance(node, With) else dot)

    def _range(self, node: Range, value: Value, dot: Value, declared: tuple[str, ...]) -> None:
        line = node.pipeline.line
        if isinstance(value, dict):
            items: list[tuple[Value, Value]] = sorted(value.items())
        elif isinstance(value, list):
            items = list(enumerate(value))
        elif value is None:
            items = []
        else:
            raise TemplateRefused(f"'range' can't walk over '{shown(value)[:40]}'", line)
        if not items:
            self.nodes(node.otherwise, dot)
        for key, item in items:
            self.spend(0, line)
            with self.scope():
                names = ((declared[0], key), (declared[1], item)) if len(declared) == 2 else ()
                for name, held in names or [(name, item) for name in declared]:
                    self._keep(name, held, node.pipeline)
                self.nodes(node.body, item)

    def _keep(self, name: str, value: Value, pipeline: Pipeline) -> None:
        if pipeline.anew:
            if len(self.variables) > MAX_VARIABLES:
                raise TemplateRefused(f"it has more than {MAX_VARIABLES} variables at once", pipeline.line)
            self.variables.append((name, value))
            return
        for place in range(len(self.variables) - 1, -1, -1):
            if self.variables[place][0] == name:
                self.variables[place] = (name, value)
                return
        raise TemplateRefused(f"there is no variable '${name[:40]}'", pipeline.line)

    def _pipeline(self, pipeline: Pipeline, dot: Value, *, assign: bool = True) -> Value:
        value: Value = None
        for place, command in enumerate(pipeline.commands):
            self.spend(size(value), pipeline.line)
            value = self._command(command, dot, pipeline.line, [value] if place else [])
        if assign:
            for name in pipeline.declared:
                self._keep(name, value, pipeline)
        return value

    def _command(self, command: tuple[Operand, ...], dot: Value, line: int, piped: list[Value]) -> Value:
        head, rest = command[0], command[1:]
        if not isinstance(head, Function):
            if rest or piped:
                raise TemplateRefused("a value that is no function is given another value", line)
            return self._operand(head, dot, line)
        if head.name in ("and", "or"):
            return self._short_circuit(head.name, rest, dot, line, piped)
        arguments = [*(self._operand(operand, dot, line) for operand in rest), *piped]
        self.spend(sum(map(size, arguments)), line)
        with _on_line(line):
            value = call(head.name, arguments)
        self.spend(size(value), line)
        return value

    def _short_circuit(
        self, name: str, operands: tuple[Operand, ...], dot: Value, line: int, piped: list[Value]
    ) -> Value:
        value: Value = None
        for operand in operands:
            value = self._operand(operand, dot, line)
            if truth(value) is (name == "or"):
                return value
        if not operands and not piped:
            raise TemplateRefused(f"'{name}' is given no value", line)
        return piped[0] if piped else value

    def _operand(self, operand: Operand, dot: Value, line: int) -> Value:
        self.spend(0, line)
        if isinstance(operand, Literal):
            return operand.value
        if isinstance(operand, Dot):
            return dot
        if isinstance(operand, Variable):
            for name, value in reversed(self.variables):
                if name == operand.name:
                    return value
            raise TemplateRefused(f"there is no variable '${operand.name[:40]}'", line)
        if isinstance(operand, Function):
            return self._command((operand,), dot, line, [])
        if isinstance(operand, Pipeline):
            return self._pipeline(operand, dot)
        return self._field(operand, dot, line)

    def _field(self, chain: Chain, dot: Value, line: int) -> Value:
        value = self._operand(chain.base, dot, line)
        for name in chain.names:
            if not isinstance(value, dict):
                raise TemplateRefused(f"there is no '.{name[:40]}' in '{_short(value)}'", line)
            value = value.get(name, None if value is self.data else "")
        return value


def _written(value: Value) -> str:
    return "<no value>" if value is None else shown(value)


def _short(value: Value) -> str:
    return shown(value)[:40] if not isinstance(value, (list, dict)) else "a list"


@contextmanager
def _on_line(line: int) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise TemplateRefused(str(error), line) from None
