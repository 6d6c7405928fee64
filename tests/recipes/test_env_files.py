"""Env files that the CLI does not read are refused before, with the line."""

from pathlib import Path

import pytest
from oracle import stack_config

from platform_manager.recipes import EnvironmentFacts, parse, preview

COMPOSE = "services: {web: {image: app, env_file: a.env}}"
FACTS = EnvironmentFacts(stack_name="shop", mtu=1400)
UNREADABLE = {
    b"A=1\nexport B=2\n": "line 2 of 'a.env' names a variable with a space in it: 'export B'",
    b"A =1\n": "names a variable with a space",
    b"A\t=1\n": "names a variable with a space",
    b"=1\n": "has no name before the '='",
    b"# caf\xe9\nA=1\n": "line 1 of 'a.env' is no text in UTF-8",
    b"A=" + b"x" * 65_534: "longer than 64 KiB",
}
READABLE = [
    b"",
    b"  A=1\r\n\r\n",
    b"\xef\xbb\xbfA=1\n",
    b"# a b = c\n",
    b" \n\t\nA\n",
    b"A=" + b"x" * 65_533,
    b"\x0bA=1\n",
]


def errors(content: bytes) -> list[str]:
    found = preview(parse(COMPOSE, {"a.env": content}), {}, FACTS)
    return [problem.message for problem in found.problems if problem.severity == "error"]


@pytest.mark.parametrize("content", UNREADABLE)
def test_a_line_that_can_not_be_read_is_named_and_the_cli_refuses_it(content: bytes, tmp_path: Path) -> None:
    (message,) = errors(content)

    assert UNREADABLE[content] in message
    assert stack_config(tmp_path, COMPOSE, {}, {"a.env": content})[0] is None


@pytest.mark.parametrize("content", READABLE)
def test_what_the_cli_reads_is_accepted(content: bytes, tmp_path: Path) -> None:
    assert errors(content) == []
    assert stack_config(tmp_path, COMPOSE, {}, {"a.env": content})[0] is not None
