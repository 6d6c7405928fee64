"""Texts of catalogs for pages: Markdown and HTML made safe, and a line of plain text of them.

Who wrote them nobody knows: no scripts, styles, pictures or forms, nothing that calls home, and links that tell
nothing of this site.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

MOST_CHARACTERS = 200_000
# Readers take the square of their number in time; no text that is meant to be read has as many.
MOST_BRACKETS = 5_000
MOST_BEFORE_SUMMARY = 5_000
MOST_OUTPUT = 1_000_000
MOST_SUMMARY = 300

_TAGS = {
    *("a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "details", "dl", "dt", "em", "h1", "h2", "h3", "h4"),
    *("h5", "h6", "hr", "i", "kbd", "li", "ol", "p", "pre", "q", "s", "samp", "small", "strong", "sub", "summary"),
    *("sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul", "var"),
}
_WITHOUT_CONTENT = {"script", "style", "template", "title", "noscript", "iframe", "object", "svg", "math", "textarea"}
_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags=_WITHOUT_CONTENT,
    attributes={"a": {"href", "title"}, "abbr": {"title"}, "ol": {"start"}, "td": {"colspan"}, "th": {"colspan"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)
_TEXT_ONLY = nh3.Cleaner(tags=set(), clean_content_tags=_WITHOUT_CONTENT, link_rel=None)
_PICTURE = re.compile(r"""<img\b(?:"[^"]{0,4000}+"|'[^']{0,4000}+'|[^'"<>])*+>""", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9])")
_SPACE = re.compile(r"\s+")


def safe_html(text: str, *, markdown: bool) -> str:
    """HTML that a page may hold as it stands. With ``markdown`` the text is Markdown, in which HTML may stand too."""
    shortened = _whole(text[:MOST_CHARACTERS])
    if max(shortened.count(bracket) for bracket in "[<") > MOST_BRACKETS:
        return f"<p>{html.escape(shortened)}</p>"
    made = _rendered(shortened) if markdown else shortened
    cleaned = _CLEANER.clean(made)
    return cleaned if len(cleaned) <= MOST_OUTPUT else f"<p>{html.escape(shortened)}</p>"


def summary(text: str) -> str:
    """The first sentence of Markdown or HTML as one line of plain text, at most 300 characters."""
    for block in _paragraphs(_whole(text[:MOST_BEFORE_SUMMARY])):
        line = _SENTENCE.split(block, maxsplit=1)[0]
        return line if len(line) <= MOST_SUMMARY else f"{line[: MOST_SUMMARY - 1].rstrip()}…"
    return ""


def heading(text: str) -> str:
    """The first heading of a Markdown text as plain text, "" when it starts with something else."""
    tokens = _reader().parse(_whole(text[:MOST_BEFORE_SUMMARY]))
    for before, token in pairwise(tokens):
        if before.type == "heading_open":
            return _plain([token])[:MOST_SUMMARY]
        if before.type == "paragraph_open":
            return ""
    return ""


def _whole(text: str) -> str:
    """Without halves of pairs, which JSON may hold and no cleaner takes."""
    return text.encode("utf-8", "replace").decode()


@cache
def _reader(*, references: bool = True) -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    made.add_render_rule("image", lambda renderer, tokens, index, *_: html.escape(tokens[index].content))
    return made if references else made.disable("reference")


def _rendered(text: str) -> str:
    text = _PICTURE.sub("", text)
    reader = _reader()
    tokens = reader.parse(text)
    # A long address that is named a thousand times would be written out a thousand times.
    if _length(tokens) > MOST_OUTPUT:
        reader = _reader(references=False)
        tokens = reader.parse(text)
    return str(reader.renderer.render(tokens, reader.options, {}))


def _length(tokens: list[Token]) -> int:
    return sum(
        len(token.content) + sum(len(str(value)) for value in token.attrs.values()) + _length(token.children or [])
        for token in tokens
    )


def _paragraphs(text: str) -> Iterator[str]:
    tokens = _reader().parse(_PICTURE.sub("", text))
    for before, token in zip([None, *tokens], tokens, strict=False):
        wanted = token.type == "html_block" or (before is not None and before.type == "paragraph_open")
        if wanted and (found := _plain([token])):
            yield found


def _plain(tokens: list[Token]) -> str:
    pieces = (piece for token in tokens for piece in _texts(token))
    return _SPACE.sub(" ", html.unescape(_TEXT_ONLY.clean("".join(pieces)))).strip()


def _texts(token: Token) -> Iterator[str]:
    if token.type == "image":
        return
    if token.children is None:
        tags = token.type in ("html_inline", "html_block")
        yield token.content if tags else " " if token.type.endswith("break") else html.escape(token.content)
    for child in token.children or ():
        yield from _texts(child)
