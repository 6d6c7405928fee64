"""What must not stand in any committed file."""

from __future__ import annotations

import re

import pytest

from tests.repository.checkout import BINARY, ROOT, committed

# In pieces, so that this file does not hold them.
REGISTRIES = [
    "pypi." + "org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "npm" + "js.com",
    "yarn" + "pkg.com",
    "deb.debian" + ".org",
    "archive.ubuntu" + ".com",
    "registry-1.docker" + ".io",
    "proxy.golang" + ".org",
]
MACHINE_PATH = re.compile(r"(?<![\w.$}])/(?:home/\w+|Users/\w+|ro" + r"ot)/[\w.]")
PRIVATE_KEY = re.compile("-----BEGIN [A-Z ]*PRIVATE" + " KEY-----")


def findings(pattern: re.Pattern[str]) -> list[str]:
    """ "file:line: text" of each match."""
    found = []
    for path in committed():
        if path.suffix in BINARY:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:160]}")
    return found


@pytest.mark.parametrize("registry", REGISTRIES)
def test_no_file_names_a_package_registry(registry: str) -> None:
    assert findings(re.compile(re.escape(registry))) == []


def test_no_file_holds_a_path_of_one_machine() -> None:
    assert findings(MACHINE_PATH) == []
    # A short path, such as that of a container's checkout, may well stand somewhere with another meaning.
    if len(ROOT.parts) > 2:
        assert findings(re.compile(re.escape(str(ROOT)) + r"\b")) == []


def test_no_file_holds_a_private_key() -> None:
    assert findings(PRIVATE_KEY) == []


def test_the_search_finds_what_it_is_for() -> None:
    assert MACHINE_PATH.search("cd /home/" + "ann/src")
    assert MACHINE_PATH.search('"/ro' + 'ot/.ssh"')
    assert not MACHINE_PATH.search("/dashboard/networks/home/")
    assert not MACHINE_PATH.search('"$work/root/app"')


def test_images_of_the_documentation_stay_small() -> None:
    sizes = {path.name: path.stat().st_size for path in committed() if path.suffix == ".png"}
    assert sizes
    assert {name: size for name, size in sizes.items() if size > 150_000} == {}
