"""Texts that are made to be read again and again are read once: each of these would take minutes to days."""

import json

import pytest

from platform_manager.recipes import ComposeInvalid, EnvironmentFacts, parse, placeholders, preview
from platform_manager.recipes.amounts import bytes_of, seconds_of

FACTS = EnvironmentFacts(stack_name="shop", mtu=1400)
LONG = 300_000


def told(service: str) -> list[str]:
    """What stands against a file with this service."""
    try:
        return [problem.message for problem in preview(parse(f"services: {{{service}}}"), {}, FACTS).problems]
    except ComposeInvalid as error:
        return [problem.message for problem in error.problems]


@pytest.mark.parametrize(
    ("service", "sentence"),
    [
        (f"{'a' * 60}.: {{image: app}}", "can't name a service"),
        (f"web: {{image: app, stop_grace_period: '{'0' * LONG}'}}", "is no duration"),
        (f"web: {{image: app, deploy: {{resources: {{limits: {{memory: '{'0' * LONG}x'}}}}}}}}", "is no size"),
        (f"web: {{image: app, labels: {{a: '{'${A:-' * (LONG // 5)}'}}}}", "stray '$'"),
        (f"web: {{image: app, hostname: {json.dumps('{{' + chr(34) + '}} ' * LONG)}}}", "not closed"),
        (
            f"web: {{image: app, deploy: {{placement: {{constraints: ['node.id=={' ' * LONG}!']}}}}}}",
            "is no constraint",
        ),
        (f"web: {{image: {'1' * 5_000}}}", "image"),
        (f"web: {{image: app, ports: ['{'8' * 5_000}:80']}}", "is no port (0 to 65535)"),
    ],
    ids=["name", "duration", "size", "open braces", "open quote", "constraint", "number", "port"],
)
def test_a_file(service: str, sentence: str) -> None:
    assert any(sentence in message for message in told(service)), [message[:200] for message in told(service)]


def test_a_version() -> None:
    with pytest.raises(ComposeInvalid, match="does not exist for a swarm"):
        parse(f"version: '3.{'9' * 5_000}'\nservices: {{web: {{image: app}}}}")


@pytest.mark.parametrize("piece", ['"\\"', "'\\'", '"\\', "`'", "{{"])
def test_a_placeholder_without_an_end(piece: str) -> None:
    assert "not closed" in placeholders.problem("{{ " + piece * LONG)


def test_amounts() -> None:
    assert seconds_of("0" * LONG) == bytes_of("0" * LONG + "x") == 0
    assert seconds_of("1h1.5m.5s") == 3690.5
