"""What the Dockerfile names is there."""

from __future__ import annotations

import re
from fnmatch import fnmatch

from django.core.management import get_commands

from tests.repository.checkout import ROOT, text


def copied() -> list[str]:
    """Files and folders of the checkout that go into the image."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", text("Dockerfile"), re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


def test_every_command_of_the_image_exists() -> None:
    promised = re.search(r"Commands: (.+)\.$", text("Dockerfile"), re.MULTILINE)
    assert promised
    words = set(re.findall(r"\b[a-z]+\b", re.sub(r"\(.*?\)", "", promised[1])))
    assert {"platform", "web", "worker", "hub"} <= words
    assert words <= get_commands().keys()
    default = re.search(r'^CMD \["(\w+)"\]$', text("Dockerfile"), re.MULTILINE)
    assert default
    assert default[1] in words


def test_everything_that_is_copied_is_there_and_not_ignored() -> None:
    let_in = [line[1:] for line in text(".dockerignore").splitlines() if line.startswith("!")]
    assert copied()
    for source in copied():
        assert (ROOT / source).exists(), source
        assert any(fnmatch(source, pattern) for pattern in let_in), source


def test_all_that_runs_is_copied() -> None:
    assert {"manage.py", "platform_manager", "dashboard", "templates", "static", "requirements/base.txt"} <= set(
        copied()
    )


def test_the_image_runs_without_root() -> None:
    users = re.findall(r"^USER (\S+)$", text("Dockerfile"), re.MULTILINE)
    assert users
    assert users[-1] not in ("root", "0")
