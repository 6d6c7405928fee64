"""Templates of Rancher catalogs: rendered as Go renders them, refused with the line, and bounded."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_manager.catalogs.rancher.gotemplate import MAX_OUTPUT, TemplateRefused, execute

DATA: dict[str, Any] = {
    "Values": {"port": "80", "blank": "", "count": "3", "hosts": "a,b", "driver": "sqlite", "args": "-a 'x y' z"},
    "Stack": {"Name": "shop"},
    "Release": {"Version": "1.6"},
}

RENDERED = {
    "no braces { } at all": "no braces { } at all",
    "{{.Values.port}}": "80",
    "{{ .Values.unknown }}|{{ .Nothing }}": "|<no value>",
    "{{ .Stack.Name }}/{{ .Release.Version }}": "shop/1.6",
    "{{$.Values.port}}": "80",
    # White space
    "a \n {{- 1 -}} \n b": "a1b",
    "a {{1}} b": "a 1 b",
    "{{3}}{{-3}}": "3-3",
    "a {{- /* gone */ -}} b{{/* and\nthis */}}c": "abc",
    # Conditions
    "{{if .Values.port}}yes{{end}}{{if .Values.blank}}no{{end}}": "yes",
    "{{if .Values.blank}}a{{else if .Values.port}}b{{else}}c{{end}}": "b",
    "{{if .Values.blank}}a{{else}}c{{end}}": "c",
    '{{if (eq .Values.driver "mysql" "sqlite")}}y{{end}}': "y",
    '{{if and (ne .Values.driver "mysql") .Values.port}}y{{end}}': "y",
    "{{if or .Values.blank (not .Values.port)}}y{{else}}n{{end}}": "n",
    "{{and 1 0 (index .Nothing 1)}}{{or 0 2 (index .Nothing 1)}}": "02",
    "{{with .Values.port}}{{.}}{{end}}{{with .Values.blank}}{{.}}{{else}}none{{end}}": "80none",
    "{{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge 2 2}}": "true true false true",
    # Loops and variables
    "{{range $i, $e := atoi .Values.count | until}}{{$i}}{{$e}} {{end}}": "00 11 22 ",
    '{{range splitList "," .Values.hosts}}[{{.}}]{{end}}': "[a][b]",
    "{{range $e := list 1 2}}{{$e}}{{end}}": "12",
    "{{range until 0}}x{{else}}none{{end}}": "none",
    '{{range $k, $v := dict "b" 2 "a" 1}}{{$k}}={{$v}} {{end}}': "a=1 b=2 ",
    '{{$x := "1"}}{{if true}}{{$x = "2"}}{{end}}{{$x}}': "2",
    '{{$x := "1"}}{{if true}}{{$x := "2"}}{{end}}{{$x}}': "1",
    # Pipelines, text and printing
    '{{.Values.blank | default "d" | quote}}': '"d"',
    '{{ "raw" | printf "%s-%s" `a\\n` }}': "a\\n-raw",
    r'{{ "a\tb\"" }}{{ len "abc" }}{{ len .Values.hosts }}': 'a\tb"33',
    '{{printf "%.1s|%05d|%-4s|%q|%v|%%|%x|%.2f" "/data" 42 "ab" "c" true 255 1.5}}': '/|00042|ab  |"c"|true|%|ff|1.50',
    '{{print "a" 1 2 "b"}}{{println 1 "x"}}': "a1 2b1 x\n",
    "{{list 1 true nil}}": "[1 true <nil>]",
    '{{(dict "a" (list 1 2)).a}} {{index (list 1 2) 1}} {{index .Values "port"}}': "[1 2] 2 80",
    '{{splitPreserveQuotes .Values.args | join "|"}}': "-a|'x y'|z",
    '{{(split "," .Values.hosts)._1}}': "b",
    '{{trim " a "}}{{trimSuffix "b" "ab"}}{{trimPrefix "a" "ab"}}{{upper "a"}}{{lower "B"}}': "aabAb",
    '{{replace "a" "b" "aa"}}{{contains "a" "ba"}}{{hasPrefix "a" "ba"}}{{hasSuffix "a" "ba"}}': "bbtruefalsetrue",
    '{{squote "a"}}{{indent 2 "a\\nb"}}{{nindent 1 "a"}}': "'a'  a\n  b\n a",
    '{{int "7"}}{{int "x"}}{{toString 1}}{{add 1 "2"}}{{sub 5 2}}{{mul 2 3}}{{div -7 2}}{{mod -7 2}}': "701336-3-1",
    '{{ternary "y" "n" true}}{{first (list 1 2)}}{{last (list 1 2)}}{{rest (list 1 2 3)}}': "y12[2 3]",
    '{{empty ""}}{{coalesce "" "c"}}{{.Values.blank | empty | not}}': "truecfalse",
}


@pytest.mark.parametrize("text", RENDERED)
def test_rendered_as_go_does(text: str) -> None:
    assert execute(text, DATA) == RENDERED[text]


REFUSED = {
    "\n{{ foo 1 }}": "line 2: there is no function 'foo'",
    "{{if .Values.port}}\n\nx": "line 1: the 'if' has no 'end'",
    "x\n{{end}}": "line 2: there is an 'end' too many",
    "{{else}}": "line 1: there is an 'else' too many",
    "{{ .Values.port": "line 1: an action that '{{' opens is never closed",
    "{{ (1 }}": "line 1: a '(' is never closed",
    "{{ 1 | }}": "line 1: a value is missing",
    "{{}}": "line 1: there is an action without anything in it",
    '{{ "a }}': "line 1: '\"a }}' can't be read",
    '{{ "\\q" }}': 'line 1: "\\q" can\'t be read',
    "{{ $x }}": "line 1: there is no variable '$x'",
    "{{ $x = 1 }}": "line 1: there is no variable '$x'",
    "{{ .Values.port.deeper }}": "line 1: there is no '.deeper' in '80'",
    '{{if (ne .Values.driver "x") and 1}}{{end}}': "line 1: a value that is no function is given another value",
    "{{ eq .Values.port 80 }}": "line 1: '80' and '80' can't be compared: they differ in type",
    "{{ index (list 1) 5 }}": "line 1: there is no item 5 in a list of 1",
    "{{ div 1 0 }}": "line 1: it divides by zero",
    "{{ trim }}": "line 1: 'trim' does not take 0 values",
    '{{ template "x" }}': "line 1: 'template' is not supported",
    "{{range .Values.port}}{{end}}": "line 1: 'range' can't walk over '80'",
    '{{ printf "%d" "x" }}': "line 1: '%d' prints whole numbers only",
    '{{ printf "%s" }}': "line 1: '%s' has no value to print",
}


@pytest.mark.parametrize("text", REFUSED)
def test_refused_with_the_line_and_the_reason(text: str) -> None:
    with pytest.raises(TemplateRefused) as refused:
        execute(text, DATA)
    assert str(refused.value) == REFUSED[text]


GREEDY = {
    "a long text": "x" * (MAX_OUTPUT + 1),
    "a long list": "{{until 1000000}}",
    "a wide number": '{{printf "%0999999999d" 1}}',
    "many repeats": '{{repeat 1000000000 "x"}}',
    "a wide margin": '{{indent 1000000000 "x"}}',
    "loops in loops": "{{range until 1000}}{{range until 1000}}x{{end}}{{end}}",
    "a text that doubles": '{{$x := "ab"}}{{range until 90}}{{$x = printf "%s%s" $x $x}}{{end}}',
    "a text replaced by long ones": '{{$x := repeat 90000 "a"}}{{replace "a" $x $x}}',
    "a list of itself": "{{$x := list 1}}{{range until 500}}{{$x = list $x $x}}{{end}}{{$x}}",
    "a number that grows": "{{$x := 2}}{{range until 90}}{{$x = mul $x $x}}{{end}}",
    "deep blocks": "{{if 1}}" * 200 + "{{end}}" * 200,
    "deep parentheses": "{{" + "(" * 200 + "1" + ")" * 200 + "}}",
    "a chain of else": "{{if 0}}" + "{{else if 0}}" * 3000 + "{{end}}",
}


@pytest.mark.parametrize("what", GREEDY)
def test_refused_when_it_takes_too_much(what: str) -> None:
    with pytest.raises(TemplateRefused):
        execute(GREEDY[what], DATA)


WORDS = st.sampled_from(
    r"""
    {{ }} {{- -}} if else end range with $x $ := = | ( ) .Values.port . eq index printf until list dict split
    "%5.1s" `raw` 'c' 1 -2 1e5 , /* */ add div default join true nil
    """.split()  # noqa: SIM905 - a list of so many short words is unreadable
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(WORDS, st.text(max_size=5)), max_size=40).map(" ".join))
def test_any_text_is_rendered_or_refused(text: str) -> None:
    try:
        assert isinstance(execute(text, DATA), str)
    except TemplateRefused as refused:
        assert str(refused)


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=8).map(lambda words: "{{" + " ".join(words) + "}}"))
def test_any_action_is_rendered_or_refused(text: str) -> None:
    try:
        assert isinstance(execute(text, DATA), str)
    except TemplateRefused as refused:
        assert str(refused)
