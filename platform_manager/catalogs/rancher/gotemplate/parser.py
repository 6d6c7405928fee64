"""Pieces of a template to the tree that is evaluated."""

import re
from collections.abc import Iterator

from platform_manager.catalogs.rancher.gotemplate.errors import MAX_NESTING, TemplateRefused
from platform_manager.catalogs.rancher.gotemplate.functions import FUNCTIONS
from platform_manager.catalogs.rancher.gotemplate.lexer import Piece, Token, pieces
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

_BLOCKS: dict[str, type[If]] = {"if": If, "with": With, "range": Range}
_UNSUPPORTED = ("define", "template", "block", "break", "continue")
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "nil": None}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "'": "'", "\\": "\\"}
_ESCAPE = re.compile(r"\\((?P<code>x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4})|.)")


def parse(text: str) -> Nodes:
    """Raises :class:`TemplateRefused`."""
    reader = _Reader(pieces(text))
    nodes, stopped = reader.body(0)
    if stopped:
        raise TemplateRefused(f"there is an '{stopped[0].text}' too many", stopped[0].line)
    return nodes


class _Reader:
    def __init__(self, found: Iterator[Piece]) -> None:
        self.pieces = found

    def body(self, depth: int) -> tuple[Nodes, tuple[Token, ...]]:
        """The nodes up to ``end``, ``else`` or the end of the text, and the tokens it stopped at."""
        nodes: list[Node] = []
        for piece in self.pieces:
            if not piece.is_action:
                nodes.append(Text(piece.text))
                continue
            if not piece.tokens:
                raise TemplateRefused("there is an action without anything in it", piece.line)
            word = piece.tokens[0].text if piece.tokens[0].kind == "word" else ""
            if word in ("end", "else"):
                return tuple(nodes), piece.tokens
            if word in _UNSUPPORTED:
                raise TemplateRefused(f"'{word}' is not supported", piece.line)
            if word in _BLOCKS:
                nodes.append(self._block(word, piece.tokens[1:], piece.line, depth + 1))
            else:
                nodes.append(Output(_Expression(piece.tokens, piece.line).whole()))
        return tuple(nodes), ()

    def _block(self, word: str, tokens: tuple[Token, ...], line: int, depth: int) -> If:
        if depth > MAX_NESTING:
            raise TemplateRefused(f"it is nested deeper than {MAX_NESTING} levels", line)
        pipeline = _Expression(tokens, line).whole(may_declare_two=word == "range")
        body, stopped = self.body(depth)
        otherwise: Nodes = ()
        if stopped and stopped[0].text == "else":
            following = stopped[1:]
            if following and following[0].text in ("if", "with"):
                nested = self._block(following[0].text, following[1:], following[0].line, depth + 1)
                return _BLOCKS[word](pipeline, body, (nested,))
            if following:
                raise TemplateRefused(f"'{following[0].text}' can't follow 'else'", following[0].line)
            otherwise, stopped = self.body(depth)
        if not stopped or stopped[0].text != "end":
            raise TemplateRefused(f"the '{word}' has no 'end'", line)
        if len(stopped) > 1:
            raise TemplateRefused(f"'{stopped[1].text}' can't follow 'end'", stopped[1].line)
        return _BLOCKS[word](pipeline, body, otherwise)


class _Expression:
    def __init__(self, tokens: tuple[Token, ...], line: int) -> None:
        self.tokens = tokens
        self.line = line
        self.position = 0
        self.depth = 0

    def whole(self, *, may_declare_two: bool = False) -> Pipeline:
        declared, anew = self._declared(may_declare_two)
        pipeline = self._pipeline(declared, anew)
        if self.position < len(self.tokens):
            raise TemplateRefused(f"'{self.tokens[self.position].text}' is not expected here", self.line)
        return pipeline

    def _declared(self, may_be_two: bool) -> tuple[tuple[str, ...], bool]:
        texts = [(token.kind, token.text) for token in self.tokens[:4]]
        kinds = ["$" if kind == "variable" else text for kind, text in texts]
        for names in (1, 2):
            pattern = ["$"] if names == 1 else ["$", ",", "$"]
            if kinds[: len(pattern)] == pattern and kinds[len(pattern) : len(pattern) + 1] in ([":="], ["="]):
                if names == 2 and not may_be_two:
                    raise TemplateRefused("only a 'range' fills two variables", self.line)
                self.position = len(pattern) + 1
                return tuple(texts[index][1][1:] for index in range(0, len(pattern), 2)), kinds[len(pattern)] == ":="
        return (), True

    def _pipeline(self, declared: tuple[str, ...] = (), anew: bool = True) -> Pipeline:
        commands = [self._command()]
        while self._next_is("|"):
            self.position += 1
            commands.append(self._command())
        return Pipeline(tuple(commands), self.line, declared, anew)

    def _command(self) -> tuple[Operand, ...]:
        operands: list[Operand] = []
        while self.position < len(self.tokens) and self.tokens[self.position].text not in ("|", ")"):
            operands.append(self._operand())
        if not operands:
            raise TemplateRefused("a value is missing", self.line)
        return tuple(operands)

    def _next_is(self, text: str) -> bool:
        return self.position < len(self.tokens) and self.tokens[self.position].text == text

    def _operand(self) -> Operand:
        token = self.tokens[self.position]
        self.position += 1
        operand = self._base(token)
        names: list[str] = [token.text[1:]] if token.kind == "field" else []
        while self.position < len(self.tokens):
            following = self.tokens[self.position]
            if following.kind != "field" or following.spaced:
                break
            names.append(following.text[1:])
            self.position += 1
        return Chain(operand, tuple(names)) if names else operand

    def _base(self, token: Token) -> Operand:
        if token.kind in ("field", "dot"):
            return Dot()
        if token.kind == "variable":
            return Variable(token.text[1:])
        if token.text == "(":
            return self._parenthesis(token)
        if token.kind == "word":
            if token.text in _CONSTANTS:
                return Literal(_CONSTANTS[token.text])
            if token.text not in FUNCTIONS:
                raise TemplateRefused(f"there is no function '{token.text[:40]}'", token.line)
            return Function(token.text)
        if token.kind == "mark":
            raise TemplateRefused(f"'{token.text}' is not expected here", token.line)
        return Literal(_constant(token))

    def _parenthesis(self, token: Token) -> Operand:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise TemplateRefused(f"it is nested deeper than {MAX_NESTING} levels", token.line)
        pipeline = self._pipeline()
        if not self._next_is(")"):
            raise TemplateRefused("a '(' is never closed", token.line)
        self.position += 1
        self.depth -= 1
        return pipeline


def _constant(token: Token) -> str | int | float:
    if token.kind == "raw":
        return token.text[1:-1]
    try:
        if token.kind == "number":
            return _number(token.text)
        text = _unescaped(token.text[1:-1])
        if token.kind == "char":
            return ord(text)
    except (ValueError, TypeError):
        raise TemplateRefused(f"{token.text[:40]} can't be read", token.line) from None
    return text


def _number(text: str) -> int | float:
    try:
        number = int(text, 0)
    except ValueError:
        return float(text)
    if not -(2**63) <= number < 2**63:
        raise ValueError(text)
    return number


def _unescaped(text: str) -> str:
    def replaced(match: re.Match[str]) -> str:
        if match["code"]:
            code = int(match["code"][1:], 16)
            if 0xD800 <= code < 0xE000:
                raise ValueError(text)
            return chr(code)
        return _ESCAPES[match[1]]

    try:
        return _ESCAPE.sub(replaced, text)
    except KeyError:
        raise ValueError(text) from None
