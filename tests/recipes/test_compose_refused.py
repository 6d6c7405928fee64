"""What the CLI refuses is refused before anything is created, with the line and what to do."""

from pathlib import Path

import pytest
from oracle import stack_config
from samples import ACCEPTED, FILES, REFUSED, REFUSED_EARLY

from platform_manager.recipes import ComposeInvalid, EnvironmentFacts, Problem, Severity, parse, preview

FACTS = EnvironmentFacts(stack_name="shop", mtu=1450, networks={"frontend"})


def errors(text: str) -> list[Problem]:
    try:
        found = preview(parse(text, FILES), {}, FACTS).problems
    except ComposeInvalid as invalid:
        found = invalid.problems
    return [problem for problem in found if problem.severity is Severity.ERROR]


@pytest.mark.parametrize("text", [*REFUSED, *REFUSED_EARLY])
def test_a_bad_file_is_refused_with_the_remedy(text: str) -> None:
    words = {**REFUSED, **REFUSED_EARLY}[text]

    said = [str(problem) for problem in errors(text)]

    assert any(words in sentence for sentence in said), said


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_good_file_has_no_errors(name: str) -> None:
    assert errors(ACCEPTED[name]) == []


@pytest.mark.parametrize("text", REFUSED)
def test_the_cli_refuses_the_same(text: str, tmp_path: Path) -> None:
    assert stack_config(tmp_path, text, {}, FILES)[0] is None


@pytest.mark.parametrize("name", ACCEPTED)
def test_the_cli_accepts_the_same(name: str, tmp_path: Path) -> None:
    assert stack_config(tmp_path, ACCEPTED[name], {}, FILES)[1] == ""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("services:\n  web:\n    image: x\n    foo: 1\n", 4),
        ("services:\n  web:\n    image: x\n    ports:\n      - 80\n      - 99999\n", 6),
        ("services:\n  web:\n    image: [\n", 4),
        ("x-a: &a\n  image: x\n  foo: 1\nservices:\n  web:\n    <<: *a\n", 3),
        ("services:\n  web:\n    image: x\n    image: y\n", 4),
    ],
)
def test_the_line_is_told(text: str, line: int) -> None:
    assert errors(text)[0].line == line


def test_all_errors_are_told_at_once() -> None:
    found = errors("services:\n  a: {image: x, foo: 1}\n  b: {image: y, bar: 2}\n  c: {}\n")

    assert {problem.path for problem in found} == {"services.a.foo", "services.b.bar", "services.c"}


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5_000,
        "a: " * 60 + "b",
        "a: &a [x]\n"
        + "".join(f"k{n}: &k{n} [{'*a,' * 9}*a]\n".replace("*a", f"*k{n - 1}" if n else "*a") for n in range(9)),
        "".join(f"k{n}: &k{n} [{f'*k{n - 1}' if n else 1}]\n" for n in range(2_000)),
        "a: &a {b: *a}\n",
        "a: " + "x" * 2**20,
        "a: \x00\n",
        "a: \ud800\n",
        "? [a]\n: b\n",
    ],
)
def test_hostile_text_is_refused_and_does_no_harm(text: str) -> None:
    with pytest.raises(ComposeInvalid):
        parse(text)
