"""What an engine would refuse half way is refused before; tests/deployments asks a real one about the same files."""

import pytest
from refused import ACCEPTED, FILES, REFUSED

from platform_manager.recipes import EnvironmentFacts, parse, preview

FACTS = EnvironmentFacts(stack_name="shop", mtu=1400)


def errors(text: str) -> list[str]:
    found = preview(parse(text, FILES), {}, FACTS)
    return [problem.message for problem in found.problems if problem.severity == "error"]


@pytest.mark.parametrize("text", REFUSED)
def test_what_an_engine_refuses_is_refused_before_anything_is_made(text: str) -> None:
    assert any(REFUSED[text] in message for message in errors(text)), errors(text)


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_an_engine_takes_is_not_refused(text: str) -> None:
    assert errors(text) == []


def test_an_answer_that_is_no_text_is_refused_before_it_is_deployed() -> None:
    recipe = parse("services: {web: {image: app, labels: {a: '${A}'}}}")

    found = preview(recipe, {"A": "a\0b"}, FACTS)

    assert any("The answer A holds characters that are not text" in problem.message for problem in found.problems)
