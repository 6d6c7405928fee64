"""Templates that are made to hang the platform, to break what stores them, or to show a password."""

from __future__ import annotations

import time
from typing import Any

import pytest

from platform_manager.catalogs.rancher.gotemplate import MAX_OUTPUT, Secret, TemplateRefused, execute

# In seconds of the processor, for a machine that is slow; what these tests cause takes minutes, or for ever.
SOON = 5.0
DATA: dict[str, Any] = {"Values": {"password": Secret("hunter2", "${password}"), "other": "x"}}
BOTH = '{{$x := dict "a" 1}}{{$y := dict "a" 1}}'
GROWN = '{{range until 60}}{{$x = dict "a" $x "b" $x}}{{$y = dict "a" $y "b" $y}}{{end}}'

SLOW = {
    "mappings that hold each other many times over are compared": BOTH + GROWN + "{{has $x (list $y)}}",
    # The low byte of each mark is that of "a", at which a search for bytes stops.
    "each character is looked for in many": '{{trimAll (repeat 350000 "\u0161" | printf "%sa") (repeat 350000 "a")}}',
    "many variables are looked through": "".join(f"{{{{$v{n} := 1}}}}" for n in range(12_000))
    + "{{$x := and"
    + " $" * 20_000
    + "}}",
    "one action of very many words": "{{print" + " 1" * (MAX_OUTPUT // 2 - 10) + "}}",
    "very many actions": "{{1}}" * (MAX_OUTPUT // 5),
    "very many values for printf": "{{printf `" + "%d" * 40_000 + "`" + " 1" * 40_000 + "}}",
    "a string that is never closed": '{{"' + "\\a" * 500_000,
    "a comment that is never closed": "{{/*" + "*/ " * 300_000,
    "a comment before much space": "{{/* */" + " " * 900_000 + "-",
    "zeros before what is no verb": "{{printf `%" + "0" * 500_000 + "_` 1}}",
    "quotes within quotes": "{{$x := `\\`}}{{range until 90}}{{$x = quote $x}}{{end}}",
}


@pytest.mark.parametrize("what", SLOW)
def test_it_is_rendered_or_refused_soon(what: str) -> None:
    begun = time.process_time()
    try:
        execute(SLOW[what], DATA)
    except TemplateRefused as refused:
        assert len(str(refused)) < 200
    assert time.process_time() - begun < SOON


def test_half_a_character_is_no_text() -> None:
    with pytest.raises(TemplateRefused, match="can't be read"):
        execute(r'{{"\ud800"}}', DATA)


@pytest.mark.parametrize("text", ["{{\0}}", r'{{div "\x00" "\x00" | index (list "\x00\x1b")}}', "{{ \x1b[31m }}"])
def test_a_refusal_quotes_only_what_can_be_shown_and_stored(text: str) -> None:
    with pytest.raises(TemplateRefused) as refused:
        execute(text, DATA)
    assert str(refused.value).isprintable()


def test_a_comment_ends_where_go_ends_it() -> None:
    with pytest.raises(TemplateRefused):
        execute("{{/* a */ x}} what must not be swallowed {{/* b */}}", DATA)


@pytest.mark.parametrize(
    "text",
    [
        "{{.Values.password}}",
        "{{.Values.password | quote}}",
        '{{.Values.password | default "x" | squote}}',
        '{{printf "%s %v %q" .Values.password .Values.password .Values.password}}',
        '{{print "a" .Values.password}}{{println .Values.password}}',
        '{{join "," (list .Values.other .Values.password)}}',
        "{{list .Values.password}}{{.Values}}{{.}}",
        "{{range $name, $value := .Values}}{{$value}}{{end}}",
    ],
)
def test_a_password_that_is_only_written_down_stays_a_variable(text: str) -> None:
    shown = execute(text, DATA)
    assert "hunter2" not in shown
    assert "${password}" in shown


def test_a_template_still_reads_the_password_itself() -> None:
    assert execute('{{if eq .Values.password "hunter2"}}{{len .Values.password}}{{end}}', DATA) == "7"
    assert execute('{{printf "%.3s|%8s" .Values.password .Values.password}}', DATA) == "hun| hunter2"


@pytest.mark.parametrize(
    "text", ["{{eq .Values.password 1}}", "{{range .Values.password}}{{end}}", "{{first .Values.password}}"]
)
def test_a_refusal_does_not_tell_the_password(text: str) -> None:
    with pytest.raises(TemplateRefused) as refused:
        execute(text, DATA)
    assert "hunter" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "number"), [("+-5", "0"), ("--1", "0"), (" 12 ", "12"), ("9" * 30, "0"), ("\u0663", "0")]
)
def test_what_is_no_number_is_zero_as_with_sprig(text: str, number: str) -> None:
    assert execute("{{int .Values.n}}", {"Values": {"n": text}}) == number
