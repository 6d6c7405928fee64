"""Every feature of recipes in the wild: the preview says the right thing, and the CLI is of the same mind."""

from pathlib import Path

import pytest
from features import CONFIGS, FEATURES, FILES, NETWORKS, SECRETS, Feature
from oracle import stack_config, without_mtu

from platform_manager.recipes import (
    ComposeInvalid,
    EnvironmentFacts,
    HostFacts,
    Problem,
    Severity,
    parse,
    prepare,
    preview,
)

HOSTS = [HostFacts("m1", "manager", arch="x86_64")]


def problems(feature: Feature) -> list[Problem]:
    facts = EnvironmentFacts(
        stack_name=feature.stack, mtu=1400, networks=NETWORKS, secrets=SECRETS, configs=CONFIGS, hosts=HOSTS
    )
    try:
        return preview(parse(feature.text, FILES), feature.answers, facts).problems
    except ComposeInvalid as invalid:
        return invalid.problems


@pytest.mark.parametrize("name", FEATURES)
def test_the_preview_says_what_it_should(name: str) -> None:
    feature = FEATURES[name]
    found = problems(feature)

    worst = next((level for level in Severity if any(problem.severity is level for problem in found)), "")
    if feature.says == "danger":
        worst = "danger" if worst in ("warning", "danger") else worst
    assert str(worst) == feature.says, found
    assert any(feature.words in str(problem) for problem in found) or not feature.words, found


@pytest.mark.parametrize("name", FEATURES)
def test_the_cli_is_of_the_same_mind(name: str, tmp_path: Path) -> None:
    feature = FEATURES[name]
    answers = {"STACK_NAME": feature.stack, "DOCKER_MTU": "1400", **feature.answers}
    raw, said = stack_config(tmp_path, feature.text, answers, FILES)
    if feature.says == "error" and not feature.early:
        assert raw is None
        return
    assert raw is not None, said
    if feature.early:
        return
    ready = prepare(parse(feature.text, FILES), feature.answers, mtu=1400, stack_name=feature.stack)

    ours, said = stack_config(tmp_path, ready.compose, {}, FILES)

    assert ours is not None, said
    assert without_mtu(ours) == without_mtu(raw)
