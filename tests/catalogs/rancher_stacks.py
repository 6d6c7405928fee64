"""Stacks for Rancher in tests: rendered and converted as the catalog does it, and checked by our own preview."""

from collections.abc import Mapping
from textwrap import dedent
from typing import Any

import yaml

from platform_manager.catalogs import rancher
from platform_manager.recipes import EnvironmentFacts, Severity, parse, preview


def render(compose: str, about: str = "", answers: Mapping[str, str] | None = None) -> rancher.Converted:
    template = rancher.Template(dedent(compose), dedent(about))
    return rancher.render(template, answers or {}, stack_name="shop")


def converted(compose: str, about: str = "", answers: Mapping[str, str] | None = None) -> tuple[dict[str, Any], str]:
    """The new file, which our own checks find deployable, and its notes."""
    result = render(compose, about, answers)
    assert not result.refusal
    problems = preview(parse(result.compose), answers or {}, EnvironmentFacts("shop")).problems
    assert [str(problem) for problem in problems if problem.severity is Severity.ERROR] == []
    made: dict[str, Any] = yaml.safe_load(result.compose)
    return made, "\n".join(result.notes)


def service(keys: str, about: str = "", answers: Mapping[str, str] | None = None) -> tuple[dict[str, Any], str]:
    """One service with these keys, converted, and the notes."""
    compose = "web:\n  image: nginx\n" + "".join(f"  {line}\n" for line in dedent(keys).strip().splitlines())
    made, notes = converted(compose, about, answers)
    return made["services"]["web"], notes
