"""What the frame of every page needs: the user's environments and the sections of the current one."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from dashboard.models import Announcement, Environment

SHOWN_ENVIRONMENTS = 50
SHOWN_ANNOUNCEMENTS = 5


class Section(NamedTuple):
    """One entry of an environment's navigation; ``key`` is pressed after "g"."""

    key: str
    title: str
    url: str
    icon: str
    pages: frozenset[str]
    active: bool = False


SECTIONS = [
    Section("o", "Overview", "environment", "layout-dashboard", frozenset({"environment"})),
    Section("g", "Catalog", "catalog", "books", frozenset({"catalog", "catalogs"})),
    Section("t", "Stacks", "stacks", "stack-2", frozenset({"stack"})),
    Section("s", "Services", "services", "box", frozenset({"service", "services", "task"})),
    Section("h", "Hosts", "hosts", "server-2", frozenset({"host", "hosts"})),
    Section(
        "n",
        "Networks, volumes, secrets",
        "networks",
        "network",
        frozenset({"networks", "shared_remove", "ports", "port"}),
    ),
    Section("p", "Operations", "operations", "terminal-2", frozenset({"operation", "operations", "activity"})),
    Section("m", "Members", "members", "users", frozenset({"members", "member", "group", "invitation"})),
    Section(
        "c",
        "Settings",
        "environment_settings",
        "settings",
        frozenset({"environment_settings", "registries", "registry"}),
    ),
]
FAMILIES = {
    "stacks": "stack",
    "environment_delete": "environment_settings",
    "environment_leave": "members",
    "registries": "registry",
    "environment_transfer": "members",
}


def family(url_name: str) -> str:
    """The page whose section a page belongs to: ``stack_update`` belongs with ``stack``."""
    if url_name in FAMILIES:
        return FAMILIES[url_name]
    whole = {page for section in SECTIONS for page in section.pages}
    return url_name if url_name in whole else url_name.split("_")[0]


def sections(url_name: str) -> list[Section]:
    page = family(url_name)
    return [section._replace(active=page in section.pages) for section in SECTIONS]


def _page(request: HttpRequest) -> str:
    """The name of the address; logs belong with whose they are."""
    match = request.resolver_match
    if match is None:
        return ""
    if match.url_name == "logs":
        return "stack" if request.GET.get("stack") else "service"
    return match.url_name or ""


def announcements(request: HttpRequest) -> list[Announcement]:
    """Those of now that this browser has not put away (static/js/announcements.js keeps that in a cookie)."""
    away = request.COOKIES.get("announcements", "").split("_")
    return [found for found in Announcement.objects.current()[:SHOWN_ANNOUNCEMENTS] if found.mark not in away]


def frame(request: HttpRequest) -> dict[str, Any]:
    """The context processor; the environments are read only by pages that show them."""
    user = getattr(request, "user", None)

    def environments() -> list[Environment]:
        if user is None:
            return []
        # A member's own only: operators find those of everybody in the list.
        return list(Environment.objects.of_member(user).alive().only("id", "name")[:SHOWN_ENVIRONMENTS])

    return {
        "frame": {
            "environments": SimpleLazyObject(environments),
            "announcements": SimpleLazyObject(lambda: announcements(request)),
            "sections": sections(_page(request)),
        }
    }
