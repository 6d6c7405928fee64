"""What tests of clouds do alike: an account at the fake cloud, and rows changed behind the platform's pages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# The fake cloud is at home with the tests of the driver.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "clouds" / "openstack"))

from fake_openstack import PASSWORD as CLOUD_PASSWORD
from fake_openstack import FakeOpenStack

from tests.browser.pages import Person
from tests.support.lab import ROOT, Lab


def shell(platform: Lab, code: str) -> None:
    command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", code]
    subprocess.run(command, cwd=ROOT, env=platform.environ, check=True, capture_output=True)


def adds_account(ann: Person, cloud: FakeOpenStack) -> None:
    ann.opens("/clouds/new/")
    ann.types("Name", "Lab")
    ann.script("document.getElementById('id_preset').value = ''")
    ann.script("document.querySelector('[name=way][value=password]').click()")
    for label, text in (("Auth URL", cloud.url), ("User", "ann"), ("Password", CLOUD_PASSWORD), ("Project", "demo")):
        ann.types(label, text)
    ann.types("Region", "Spain2")
    ann.clicks("Check and add")
    ann.is_at("^/clouds/$")
