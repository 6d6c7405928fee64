"""What a template is made of."""

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True)
class Literal:
    value: str | int | float | bool | None


@dataclass(frozen=True)
class Variable:
    """``$name``; the name is "" for the data as a whole."""

    name: str


@dataclass(frozen=True)
class Dot:
    """What the template stands on: the data, or the item of a ``range`` or ``with``."""


@dataclass(frozen=True)
class Function:
    name: str


@dataclass(frozen=True)
class Chain:
    """Fields of a value, such as ``.Values.port``."""

    base: "Operand"
    names: tuple[str, ...]


@dataclass(frozen=True)
class Pipeline:
    """``commands`` are operands side by side; ``declared`` are the variables it fills, ``anew`` when it makes them."""

    commands: "tuple[tuple[Operand, ...], ...]"
    line: int
    declared: tuple[str, ...] = ()
    anew: bool = True


Operand: TypeAlias = Literal | Variable | Dot | Function | Chain | Pipeline


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Output:
    pipeline: Pipeline


@dataclass(frozen=True)
class If:
    pipeline: Pipeline
    body: "Nodes"
    otherwise: "Nodes" = field(default=())


@dataclass(frozen=True)
class With(If):
    pass


@dataclass(frozen=True)
class Range(If):
    pass


Node: TypeAlias = Text | Output | If
Nodes: TypeAlias = tuple[Node, ...]
