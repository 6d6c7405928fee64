"""Nothing inline on any page, and the policy that forbids it on every response."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

from dashboard.views import environments
from tests import factories
from tests.repository.checkout import ROOT
from tests.views.access_table import TABLE
from tests.views.test_access import World, undone

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
DATA = {"application/json", "application/ld+json", "text/template"}


class Inline(HTMLParser):
    """What a page says that our policy would refuse to run or to apply."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in given and given.get("type") not in DATA):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            inline = name == "style" or re.match(r"on[a-z]|hx-on", name) or (value or "").startswith("javascript:")
            if inline or (name in ("hx-vals", "hx-headers") and (value or "").startswith(("js:", "javascript:"))):
                self.found.append(f"<{tag} {name}>")


def test_the_scan_would_tell() -> None:
    links = '<p style="x" onclick="y"><a href="javascript:z"></a></p><hr hx-on:click="1">'
    page = f"{links}<script>1</script><style></style>"
    assert len(Inline(page).found) == 6
    assert Inline('<script src="/x.js"></script><script type="application/json">{}</script>').found == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_no_template_has_anything_inline(template: Any) -> None:
    source = re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", "", template.read_text(), flags=re.DOTALL)
    assert Inline(source).found == []


@pytest.mark.django_db
def test_no_address_answers_with_anything_inline() -> None:
    world = World()
    scanned = set()
    for row in TABLE:
        for who in ("visitor", "read-only", "operator"):
            with undone():
                client = world.client(who)
                client.raise_request_exception = False
                answer = getattr(client, row.method)(world.address(row), row.data)
            policy = answer.get("Content-Security-Policy", "")
            if row.where == "catalog_logo" and answer.status_code == 200:
                # A picture from anywhere: it runs and loads nothing, where a page of ours may load what is ours.
                assert policy == "sandbox; default-src 'none'; style-src 'unsafe-inline'"
                continue
            assert "default-src 'self'" in policy, (str(row), who)
            assert "unsafe" not in policy or row.where.startswith("/admin/"), (str(row), who)
            if "html" in answer.get("Content-Type", "") and not answer.streaming:
                assert Inline(answer.content.decode()).found == [], (str(row), who)
                scanned.add(str(row))
    assert len(scanned) > 50


def broken(*args: Any) -> None:
    raise RuntimeError


@pytest.mark.django_db
@pytest.mark.parametrize("case", ["missing", "host", "method", "csrf", "mistake", "static", "admin", "healthz", "join"])
def test_errors_and_files_have_the_policy_too(case: str, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.SERVESTATIC_USE_FINDERS = True
    client = Client(raise_request_exception=False, enforce_csrf_checks=case == "csrf")
    client.force_login(factories.user(is_staff=True))
    assert finders.find("css/platform.css")
    monkeypatch.setattr(environments, "environments_page", broken)
    status, answer = {
        "missing": lambda: (404, client.get("/nothing/here/")),
        "host": lambda: (400, client.get("/environments/", headers={"host": "evil.example.org"})),
        "method": lambda: (405, client.get("/join/token")),
        "csrf": lambda: (403, client.post(reverse("environment_new"))),
        "mistake": lambda: (500, client.get(reverse("environments"))),
        "static": lambda: (200, client.get("/static/css/platform.css")),
        "admin": lambda: (200, client.get(reverse("admin:index"))),
        "healthz": lambda: (200, client.get(reverse("healthz"))),
        "join": lambda: (403, client.post("/join/token", {}, content_type="application/json")),
    }[case]()
    assert answer.status_code == status
    for header in ("Content-Security-Policy", "Permissions-Policy", "Cross-Origin-Resource-Policy"):
        assert answer.headers[header]
    if not answer.streaming and "html" in answer["Content-Type"]:
        assert Inline(answer.content.decode()).found == []
    answer.close()
