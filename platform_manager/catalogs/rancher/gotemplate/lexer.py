"""A template's text and the tokens of its actions."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from platform_manager.catalogs.rancher.gotemplate.errors import MAX_TOKENS, TemplateRefused

_TOKEN = re.compile(
    r"""
    (?P<string>"(?:[^"\\\n]|\\.)*") | (?P<raw>`[^`]*`) | (?P<char>'(?:[^'\\\n]|\\.)+')
    | (?P<number>[-+]?(?:0[xX][0-9a-fA-F]+|[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9]+))
    | (?P<variable>\$[A-Za-z0-9_]*) | (?P<field>\.[A-Za-z_][A-Za-z0-9_]*) | (?P<dot>\.)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*) | (?P<mark>:=|[=|(),])
    """,
    re.VERBOSE,
)
_SPACE = re.compile(r"[ \t\r\n]*")
_COMMENT = re.compile(r"\{\{(?:-[ \t\r\n]+)?/\*(?:(?!\*/).)*\*/(?P<right>[ \t\r\n]+-)?\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Token:
    """``kind`` is a group of the pattern above; ``spaced`` when white space stands before it."""

    kind: str
    text: str
    line: int
    spaced: bool


@dataclass(frozen=True)
class Piece:
    """Text as it stands, or the tokens between two pairs of braces."""

    line: int
    text: str = ""
    tokens: tuple[Token, ...] = ()
    is_action: bool = False


def pieces(text: str) -> Iterator[Piece]:
    """Comments are gone and white space is trimmed; raises :class:`TemplateRefused`."""
    position, line, trim, count = 0, 1, False, 0
    while True:
        start = text.find("{{", position)
        plain = text[position : start if start >= 0 else len(text)]
        left_trim = start >= 0 and text[start + 2 : start + 3] == "-" and text[start + 3 : start + 4].isspace()
        shown = plain.lstrip(" \t\r\n") if trim else plain
        shown = shown.rstrip(" \t\r\n") if left_trim else shown
        if shown:
            yield Piece(line, shown)
        if start < 0:
            return
        line += plain.count("\n")
        if comment := _COMMENT.match(text, start):
            end, trim = comment.end(), bool(comment["right"])
        else:
            tokens, end, trim = _action(text, start + (3 if left_trim else 2), line)
            count += 1 + len(tokens)
            if count > MAX_TOKENS:
                raise TemplateRefused("it has too many words", line)
            yield Piece(line, tokens=tuple(tokens), is_action=True)
        line += text.count("\n", start, end)
        position = end


def _action(text: str, position: int, line: int) -> tuple[list[Token], int, bool]:
    tokens: list[Token] = []
    while True:
        space = _SPACE.match(text, position)
        assert space is not None  # noqa: S101 - it matches nothing, too
        line += space[0].count("\n")
        position = space.end()
        if text.startswith("}}", position):
            return tokens, position + 2, False
        if space[0] and text.startswith("-}}", position):
            return tokens, position + 3, True
        match = _TOKEN.match(text, position)
        if not match:
            rest = text[position : position + 20].partition("\n")[0]
            raise TemplateRefused(
                f"'{rest}' can't be read" if rest else "an action that '{{' opens is never closed", line
            )
        if len(tokens) > MAX_TOKENS:
            raise TemplateRefused("it has too many words", line)
        tokens.append(Token(str(match.lastgroup), match[0], line, bool(space[0])))
        line += match[0].count("\n")
        position = match.end()
