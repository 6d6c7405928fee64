"""Fixtures of browser tests: a module has one platform with a database of its own, one browser and two users."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from selenium import webdriver

from tests.browser.chrome import chrome
from tests.browser.pages import Person
from tests.support.lab import ROOT, Lab, running_lab

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def platform() -> Iterator[Lab]:
    """Web, worker and hub in one process, as the demo runs them; ann and the outsider bob have accounts."""
    # No address of a database is the embedded default: a file in the platform's own folder.
    with running_lab(PM_DATABASE_URL="") as lab:
        lab.start_platform()
        for name in ("ann", "bob"):
            make_user(lab, name)
        yield lab


def make_user(lab: Lab, name: str) -> None:
    code = f"from django.contrib.auth.models import User; User.objects.create_user({name!r}, password={PASSWORD!r})"
    command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", code]
    subprocess.run(command, cwd=ROOT, env=lab.environ, check=True, capture_output=True)


@pytest.fixture(scope="module")
def driver() -> Iterator[webdriver.Chrome]:
    with chrome() as driver:
        yield driver


@pytest.fixture(scope="module")
def ann(platform: Lab, driver: webdriver.Chrome) -> Person:
    """Not signed in yet."""
    return Person(driver, platform.url)
