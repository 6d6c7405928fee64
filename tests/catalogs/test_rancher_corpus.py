"""Real Rancher catalogs, where a copy lies at hand: all of it imports, and what is converted passes the Docker CLI."""

import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from platform_manager.catalogs import rancher
from platform_manager.catalogs.base import Entry, Found, Version
from platform_manager.recipes import EnvironmentFacts, Severity, parse, prepare, preview, variables

# A folder "shared" beside the project, or further up, may hold corpora that are too large for it.
CORPORA = [parent / "shared" / "data" / "rancher" for parent in Path(__file__).parents]
SAMPLE = {
    "templates/blog/0/docker-compose.yml.tpl": b"""
version: '2'
services:
  web:
    image: blog:${tag}
    links: ['db:mysql']
    volumes_from: [data]
  data: {image: busybox, command: 'true', volumes: [/srv]}
  db: {image: mariadb, volumes: ['rows:/var/lib/mysql'], mem_limit: 512m}
  lb: {image: 'rancher/lb-service-haproxy:v0.7.5', ports: ['${port}:80']}
{{- if eq .Values.cached "true"}}
  cache: {image: redis, labels: {io.rancher.scheduler.global: 'true'}}
{{- end}}
volumes: {rows: {driver: '${driver}'}}
""",
    "templates/blog/0/rancher-compose.yml": b"""
catalog:
  version: 1
  questions:
  - {variable: tag, default: latest}
  - {variable: port, type: int, default: 80}
  - {variable: cached, type: boolean, default: true}
  - {variable: driver, default: local}
services:
  web: {scale: 2}
  lb: {lb_config: {port_rules: [{source_port: 80, target_port: 2368, service: web}]}}
""",
}


def corpus() -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for folder in CORPORA
        for path in folder.rglob("*")
        if path.is_file()
    }


@cache
def found() -> Found:
    return rancher.read({**SAMPLE, **corpus()})


def versions() -> Iterator[tuple[Entry, Version]]:
    for entry in found().entries:
        for version in entry.versions:
            yield entry, version


def answers(version: Version) -> dict[str, str]:
    """The defaults, and something where there is none."""
    return {question.variable: question.default or "1" for question in version.questions}


def named(pair: tuple[Entry, Version]) -> str:
    return f"{pair[0].key}:{pair[1].label}"


def test_every_numbered_folder_is_a_version_or_told() -> None:
    tree = {**SAMPLE, **corpus()}
    folders = {Path(path).parents[1] for path in tree if Path(path).parent.name.isdecimal()}
    numbered = {Path(path).parent for path in tree if Path(path).parent.name.isdecimal()}
    told = {Path(skipped.path) for skipped in found().skipped}

    assert len(found().entries) == len(folders - told)
    assert len(list(versions())) == len([folder for folder in numbered if folder.parent not in told])


@pytest.mark.parametrize("pair", list(versions()), ids=named)
def test_a_version_is_converted_or_refused_with_a_sentence(pair: tuple[Entry, Version], tmp_path: Path) -> None:
    _, version = pair
    given = answers(version)
    result = rancher.rendered(version.files, given, stack_name="shop")
    assert result is not None
    if result.refusal:
        assert result.refusal.endswith(".")
        assert result.compose == ""
        return
    recipe = parse(result.compose)
    errors = [p for p in preview(recipe, given, EnvironmentFacts("shop")).problems if p.severity is Severity.ERROR]
    assert errors == []
    assert {variable.name for variable in variables(recipe)} <= (rancher.mentioned(version.files) or set())
    if knows_stack_config():
        ready = prepare(recipe, given, mtu=1450, stack_name="shop")
        asked = stack_config(ready.compose, {}, tmp_path)
        assert asked.returncode == 0, asked.stderr


def test_most_of_what_can_be_converted_is() -> None:
    converted = [version for _, version in versions() if not version.refusal]

    assert len(converted) / len(list(versions())) > 0.6


@cache
def knows_stack_config() -> bool:
    return stack_config("services: {a: {image: x}}", {}, Path()).returncode == 0


def stack_config(text: str, variables: dict[str, str], directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", "stack", "config", "-c", "-"],
        input=text,
        cwd=directory,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        timeout=30,
    )
