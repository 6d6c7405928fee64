"""With production settings Django's own check of a deployment has nothing to say, and responses are locked down."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository.checkout import ROOT

PRODUCTION = {"PM_URL": "https://platform.example.org", "PM_BEHIND_PROXY": "yes"}
ASK = """
import django; django.setup()
from django.test import Client
answer = Client(headers={"host": "platform.example.org", "x-forwarded-proto": "https"}).get("/accounts/login/")
for name, value in answer.headers.items(): print(f"{name}: {value}")
for cookie in answer.cookies.values(): print(f"Set-Cookie: {cookie.OutputString()}")
plain = Client(headers={"host": "platform.example.org", "x-forwarded-proto": "http"}).get("/accounts/login/")
print("plain:", plain.status_code, plain["Location"])
"""


def run(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PM_")}
    environment = {**kept, "DJANGO_SETTINGS_MODULE": "platform_manager.settings", "PM_VAR": str(folder), **settings}
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )


def test_the_deployment_check_is_clean(tmp_path: Path) -> None:
    done = run(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr
    assert "WARNINGS" not in done.stdout + done.stderr


def test_the_check_would_tell(tmp_path: Path) -> None:
    done = run(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION, PM_DEBUG="yes")
    assert done.returncode != 0
    assert "security.W018" in done.stderr


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("production")
    run(folder, "manage.py", "migrate", "--verbosity", "0", **PRODUCTION)
    done = run(folder, "-c", ASK, **PRODUCTION)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "line",
    [
        "Strict-Transport-Security: max-age=31536000; includeSubDomains\n",
        "Referrer-Policy: same-origin\n",
        "X-Frame-Options: DENY\n",
        "X-Content-Type-Options: nosniff\n",
        "Cross-Origin-Opener-Policy: same-origin\n",
        "Cross-Origin-Resource-Policy: same-origin\n",
        "frame-ancestors 'none'",
        "camera=()",
        "plain: 301 https://platform.example.org/accounts/login/",
    ],
)
def test_a_response_says(told: str, line: str) -> None:
    assert line in told


def test_cookies_belong_to_this_host_alone(told: str) -> None:
    cookies = [line for line in told.splitlines() if line.startswith("Set-Cookie: ")]
    assert cookies
    for cookie in cookies:
        assert cookie.startswith("Set-Cookie: __Host-")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
