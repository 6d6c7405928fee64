"""Other providers by settings alone, and settings that can't be meant."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests import factories
from tests.accounts.conftest import HOME, Visitor
from tests.accounts.fake_keyrock import FakeKeyrock, Handler, running_keyrock

ROOT = Path(__file__).resolve().parents[2]
SHOWN = """
import json, django
django.setup()
from django.conf import settings
from platform_manager.accounts.methods import form_origins
names = [n for n in dir(settings) if n.startswith(("SOCIALACCOUNT", "ACCOUNT", "EMAIL", "MFA", "ALLAUTH", "PM_FIWARE"))]
print(json.dumps({**{n: getattr(settings, n) for n in names}, "origins": form_origins()}, default=str))
"""


def started(tmp_path: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PM_")}
    words = {**plain, "PM_VAR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "platform_manager.settings", **environ}
    return subprocess.run([sys.executable, "-c", SHOWN], cwd=ROOT, env=words, capture_output=True, text=True)


def settings_of(tmp_path: Path, **environ: str) -> dict[str, Any]:
    done = started(tmp_path, **environ)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_all_providers_at_once(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from a file\n")
    found = settings_of(
        tmp_path,
        PM_FIWARE_CLIENT_ID="f",
        PM_FIWARE_CLIENT_SECRET_FILE=str(secret),
        PM_OIDC_SERVER="https://sso.example.org/realms/a/",
        PM_OIDC_ORIGINS="https://login.example.org",
        PM_OIDC_CLIENT_ID="o",
        PM_OIDC_CLIENT_SECRET="s",
        PM_OIDC_NAME="Our SSO",
        PM_GITHUB_CLIENT_ID="h",
        PM_GITHUB_CLIENT_SECRET="s",
        PM_GITLAB_SERVER="https://git.example.org",
        PM_GITLAB_CLIENT_ID="l",
        PM_GITLAB_CLIENT_SECRET="s",
    )
    apps = {name: provider["APPS"][0] for name, provider in found["SOCIALACCOUNT_PROVIDERS"].items()}
    assert apps["fiware"] == {"client_id": "f", "secret": "from a file"}
    assert apps["openid_connect"]["name"] == "Our SSO"
    assert apps["openid_connect"]["settings"] == {"server_url": "https://sso.example.org/realms/a"}
    assert apps["gitlab"]["settings"] == {"gitlab_url": "https://git.example.org"}
    assert found["PM_FIWARE_SERVER"] == "https://account.lab.fiware.org"
    assert found["origins"] == [
        "https://account.lab.fiware.org",
        "https://sso.example.org",
        "https://login.example.org",
        "https://github.com",
        "https://git.example.org",
    ]


@pytest.mark.parametrize(
    ("name", "environ"),
    [
        ("PM_FIWARE_CLIENT_SECRET", {"PM_FIWARE_CLIENT_ID": "x"}),
        ("PM_FIWARE_CLIENT_SECRET_FILE", {"PM_FIWARE_CLIENT_ID": "x", "PM_FIWARE_CLIENT_SECRET_FILE": "/none"}),
        ("PM_FIWARE_SERVER", {"PM_FIWARE_SERVER": "account.lab.fiware.org"}),
        ("PM_FIWARE_SERVER", {"PM_FIWARE_SERVER": "https://x; script-src *"}),
        ("PM_OIDC_ORIGINS", {"PM_OIDC_ORIGINS": "https://a.example.org; script-src *"}),
        ("PM_OIDC_SERVER", {"PM_OIDC_CLIENT_ID": "x", "PM_OIDC_CLIENT_SECRET": "y"}),
        ("PM_GITHUB_CLIENT_SECRET", {"PM_GITHUB_CLIENT_ID": "x"}),
        ("PM_LOCAL_ACCOUNTS", {"PM_LOCAL_ACCOUNTS": "no"}),
        ("PM_EMAIL_URL", {"PM_EMAIL_URL": "mail.example.org"}),
    ],
)
def test_what_can_not_be_meant_stops_the_start(tmp_path: Path, name: str, environ: dict[str, str]) -> None:
    done = started(tmp_path, **environ)
    assert done.returncode != 0
    assert done.stderr.startswith(f"{name}=")


def test_the_address_of_the_mail_server(tmp_path: Path) -> None:
    found = settings_of(tmp_path, PM_EMAIL_URL="smtp+tls://me%40x:p%2Fw@mail.example.org")
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"], found["EMAIL_USE_TLS"]) == ("mail.example.org", 587, True)
    assert (found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"]) == ("me@x", "p/w")
    assert found["ACCOUNT_EMAIL_VERIFICATION"] == "mandatory"


def test_a_bad_mail_address_does_not_show_its_password(tmp_path: Path) -> None:
    done = started(tmp_path, PM_EMAIL_URL="imap://me:hush@mail.example.org")
    assert done.returncode != 0
    assert "hush" not in done.stderr


def test_without_mail_nobody_waits_for_one(tmp_path: Path) -> None:
    found = settings_of(tmp_path, PM_REGISTRATION="yes")
    assert found["ACCOUNT_EMAIL_VERIFICATION"] == "none"
    assert found["EMAIL_BACKEND"].endswith("console.EmailBackend")


def test_a_proxy_is_believed_only_where_there_is_one(tmp_path: Path) -> None:
    assert settings_of(tmp_path)["ALLAUTH_TRUSTED_PROXY_COUNT"] == 0
    assert settings_of(tmp_path, PM_BEHIND_PROXY="yes")["ALLAUTH_TRUSTED_PROXY_COUNT"] == 1


@pytest.fixture
def oidc(settings: Any, db: None) -> Any:
    """Any OpenID Connect server: discovery, token and userinfo."""
    with running_keyrock() as server:
        base = server.base
        about = {
            "issuer": base,
            "authorization_endpoint": f"{base}/auth",
            "token_endpoint": f"{base}/token",
            "userinfo_endpoint": f"{base}/userinfo",
            "jwks_uri": f"{base}/certs",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }
        person = {"sub": "7", "preferred_username": "olga", "email": "olga@example.test", "email_verified": True}

        def says(value: Any) -> Any:
            def answer(handler: Handler) -> None:
                handler.json(value)

            return answer

        server.faults = {
            "/.well-known/openid-configuration": says(about),
            "/token": says({"access_token": "t0ken", "token_type": "Bearer"}),
            "/userinfo": says(person),
        }
        app = {"client_id": "o", "secret": "s", "provider_id": "oidc", "name": "Our SSO"}
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [{**app, "settings": {"server_url": base}}]}}
        settings.PM_OIDC_CLIENT_ID, settings.PM_OIDC_SERVER, settings.PM_URL = "o", base, HOME
        yield server


def through_oidc(visitor: Visitor) -> Any:
    address = visitor.client.post("/accounts/oidc/oidc/login/")["Location"]
    query = parse_qs(urlsplit(address).query)
    return visitor.arrives(f"{query['redirect_uri'][0]}?code=c0de&state={query['state'][0]}")


def test_any_openid_connect_server(oidc: FakeKeyrock, visitor: Visitor) -> None:
    page = visitor.client.get(reverse("account_login"))
    assert "Sign in with Our SSO" in page.content.decode()
    assert page["Content-Security-Policy"].endswith(f"form-action 'self' {oidc.base}")
    assert through_oidc(visitor)["Location"] == reverse("environments")
    assert visitor.user is not None
    assert visitor.user.username == "olga"
    assert visitor.client.post(reverse("account_logout"))["Location"] == reverse("account_login")


def test_a_confirmed_address_alone_takes_no_account_over(oidc: FakeKeyrock, visitor: Visitor) -> None:
    User.objects.create_user("ann", "olga@example.test", factories.PASSWORD)
    assert through_oidc(visitor)["Location"] == reverse("socialaccount_signup")
    assert visitor.user is None


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/userinfo"])
@pytest.mark.parametrize("body", [b'"a bare string"', b"[]", b"{}", b"<html>", b"x" * 5_000_000])
def test_nonsense_of_such_a_server_is_a_page_too(oidc: FakeKeyrock, visitor: Visitor, path: str, body: bytes) -> None:
    visitor.client.raise_request_exception = False
    address = visitor.client.post("/accounts/oidc/oidc/login/")["Location"]
    query = parse_qs(urlsplit(address).query)
    oidc.faults[path] = lambda handler: handler.send(200, "application/json", body)
    begun = visitor.client.post("/accounts/oidc/oidc/login/")
    assert begun.status_code == 302 or "Try again" in begun.content.decode()
    answer = visitor.arrives(f"{query['redirect_uri'][0]}?code=c0de&state={query['state'][0]}")
    assert answer.status_code == 502
    assert "Try again" in answer.content.decode()


def test_strangers_from_github_need_open_registration(settings: Any, rf: Any, db: None) -> None:
    from allauth.socialaccount.models import SocialAccount, SocialLogin

    from platform_manager.accounts.adapters import SocialAdapter

    stranger = SocialLogin(account=SocialAccount(provider="github", uid="1"))
    own = SocialLogin(account=SocialAccount(provider="oidc", uid="1"))
    assert [SocialAdapter().is_open_for_signup(rf.get("/"), each) for each in (stranger, own)] == [False, True]
    settings.PM_REGISTRATION = True
    assert SocialAdapter().is_open_for_signup(rf.get("/"), stranger)


def test_buttons_of_github_and_gitlab(settings: Any, db: None) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = {
        name: {"APPS": [{"client_id": "x", "secret": "y", "settings": {}}]} for name in ("gitlab", "github")
    }
    client = Client()
    page = client.get(reverse("account_login")).content.decode()
    assert page.index("Sign in with GitHub") < page.index("Sign in with GitLab")
    for name, server in (("github", "https://github.com/"), ("gitlab", "https://gitlab.com/")):
        assert client.post(f"/accounts/{name}/login/")["Location"].startswith(server)
