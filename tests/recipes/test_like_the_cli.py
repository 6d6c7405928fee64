"""What we make of a compose file is what the Docker CLI makes of it: substitution, casts and merging.

The CLI reads the raw file with the answers in its environment, and our text with no environment.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml
from generated import FILES, NUMBERS, Maker, answers, broken_phrases, phrases
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from oracle import knows_stack_config, understood

from platform_manager.recipes import ComposeInvalid, merged, parse, prepare
from platform_manager.recipes.rewriting import rewritten

# In each file, of 2,000 files in all.
SERVICES = 2
ONCE = [
    *("dns", "dns_search", "cap_add", "cap_drop", "env_file", "expose", "depends_on", "extra_hosts", "security_opt"),
    *("tmpfs", "links", "external_links", "devices"),
]
NO_MODEL = yaml.MappingNode("tag:yaml.org,2002:map", [])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cli")


def cases(count: int) -> settings:
    """An old CLI deploys to a recording engine, which takes longer."""
    return settings(
        derandomize=True,
        deadline=None,
        database=None,
        max_examples=count if knows_stack_config() else max(count // 10, 10),
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def prepared(texts: list[str], given_answers: dict[str, str]) -> list[str] | None:
    try:
        recipe = parse(texts[0], FILES, overlays=[(f"overlay-{n}.yml", text) for n, text in enumerate(texts[1:])])
        ready = prepare(recipe, given_answers, mtu=1400, stack_name="")
    except ComposeInvalid:
        return None
    return [ready.compose, *ready.overlays]


def environment(given_answers: dict[str, str]) -> dict[str, str]:
    return {"DOCKER_MTU": "1400", **{name: text for name, text in given_answers.items() if text}}


@cases(500)
@given(st.data(), answers())
def test_services_mean_the_same(place: Path, data: st.DataObject, given_answers: dict[str, str]) -> None:
    text = Maker(data.draw, phrases).file(SERVICES)
    wanted = understood(place, [text], environment(given_answers), FILES)
    if wanted is None and not knows_stack_config():
        return  # Plain "yes" is no text for CLIs before 23.
    assert wanted is not None, text

    ours = prepared([text], given_answers)

    assert ours is not None, text
    assert understood(place, ours, {}, FILES) == wanted, text


@cases(1_000)
@given(st.data(), answers(NUMBERS))
def test_what_one_refuses_the_other_refuses(place: Path, data: st.DataObject, given_answers: dict[str, str]) -> None:
    text = Maker(data.draw, broken_phrases, safe=False).file(1)
    wanted = understood(place, [text], environment(given_answers), FILES)

    ours = prepared([text], given_answers)

    if wanted is None and not knows_stack_config():
        return
    assert (understood(place, ours, {}, FILES) if ours else None) == wanted, text


@cases(500)
@given(st.data(), answers(), st.integers(2, 3))
def test_merged_files_mean_the_same(
    place: Path, data: st.DataObject, given_answers: dict[str, str], files: int
) -> None:
    maker = Maker(data.draw, phrases)
    texts = [maker.file(SERVICES), *(maker.file(SERVICES, overlay=True) for _ in range(files - 1))]
    wanted = understood(place, texts, environment(given_answers), FILES)

    ours = prepared(texts, given_answers)

    if wanted is None and not knows_stack_config():
        return
    assert wanted is not None and ours is not None, texts
    assert understood(place, ours, {}, FILES) == wanted, texts
    recipe = parse(texts[0], FILES, overlays=[("more.yml", text) for text in texts[1:]])
    value, problems = merged(recipe, environment(given_answers))
    assert problems == []
    if knows_stack_config():
        assert once(understood(place, [rewritten(value, NO_MODEL)], {}, FILES)) == once(wanted), texts


def once(value: dict[str, Any] | None) -> dict[str, Any]:
    """The CLI appends lists of which no single file may name an entry twice."""
    assert value is not None
    for service in value["services"].values():
        for key in ONCE:
            if key in service:
                service[key] = list(dict.fromkeys(service[key]))
    return value
