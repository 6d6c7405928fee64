"""Consoles of machines that never called in, and what is guessed from them."""

from __future__ import annotations

import pytest

from platform_manager.clouds import guesses

SAID = "platform-manager: "


@pytest.mark.parametrize(
    ("console", "expected"),
    [
        ("", guesses.SILENT),
        (" \n\n", guesses.SILENT),
        (f"{SAID}the platform at https://p.example.org can't be reached (timed out), next try in 8 s", guesses.ROUTE),
        (f"{SAID}ERROR: the platform at https://p.example.org answered 503; run this again when it can", guesses.ROUTE),
        (f"{SAID}ERROR: Docker could not be installed; the last lines: E: Unable to fetch", guesses.MIRROR),
        ("Err:1 http://deb.example.org\n  Could not connect to deb.example.org:80", guesses.MIRROR),
        ("curl: (6) Could not resolve host: p.example.org", guesses.NAMES),
        ("---[ end Kernel panic - not syncing: VFS: Unable to mount root fs ]---", guesses.IMAGE),
        ("Booting from Hard Disk...\nBoot failed: not a bootable disk", guesses.IMAGE),
        ("Welcome\n\nfw-01 login: ", guesses.NO_CLOUD_INIT),
        (
            f"{SAID}ERROR: the kernel 3.2 is too old\nfw-01 login: ",
            "The bootstrap script stopped: the kernel 3.2 is too old.",
        ),
        (f"{SAID}enrolled\nfw-01 login: ", ""),
        ("[    1.0] random: crng init done", ""),
    ],
)
def test_the_guess(console: str, expected: str) -> None:
    assert guesses.guess(console) == expected
