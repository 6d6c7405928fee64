"""What django-unfold asks for on every page of the admin site: mark, files, navigation."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse


def mark(request: HttpRequest) -> str:
    return static("img/mark.svg")


def stylesheet(request: HttpRequest) -> str:
    return static("css/admin.css")


def script(request: HttpRequest) -> str:
    return static("js/admin.js")


def everywhere(request: HttpRequest) -> dict[str, Any]:
    """Without colours here: they would come as an inline style; css/admin.css has them.

    It runs for every page of the admin site and for no other, so it also asks for the policy that Alpine.js needs.
    """
    request.evaluates = True  # type: ignore[attr-defined]
    return {"colors": None}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    return [
        _group("", ("Overview", "dashboard", reverse("admin:index"))),
        _group(
            "People",
            ("Users", "person", _list("user", "auth")),
            ("Groups", "group", _list("group", "auth")),
            ("Sign-in methods", "key", reverse("admin:sign_in_methods")),
            ("Invitations", "mail", _list("invitation")),
        ),
        _group(
            "Environments",
            ("Environments", "stacks", _list("environment")),
            ("Members", "badge", _list("membership")),
            ("Groups let in", "groups", _list("groupaccess")),
            ("Hosts", "dns", _list("host")),
            ("Open ports", "door_open", _list("openport")),
            ("Keys of environments", "vpn_key", _list("environmentkey")),
            ("Stacks", "layers", _list("stack")),
            ("Revisions", "history", _list("revision")),
            ("Templates", "tune", _list("environmenttemplate")),
            ("Clouds", "cloud", _list("cloudpreset")),
            ("Cloud accounts", "cloud_circle", _list("cloudaccount")),
            ("Clean-ups", "cleaning_services", _list("cloudcleanup")),
        ),
        _group(
            "Recipes",
            ("Catalogs", "library_books", _list("catalog")),
            ("Recipes", "menu_book", _list("catalogrecipe")),
            ("Versions", "difference", _list("recipeversion")),
            ("Registry credentials", "passkey", _list("registrycredential")),
        ),
        _group(
            "Work",
            ("Operations", "terminal", _list("operation")),
            ("Steps", "checklist", _list("operationstep")),
            ("Log lines", "notes", _list("operationlog")),
            ("Workers", "engineering", _list("worker")),
            ("Snapshots", "photo_camera", _list("snapshot")),
            ("Enrolment tokens", "confirmation_number", _list("enrolmenttoken")),
        ),
        _group(
            "Platform",
            ("Settings", "settings", _list("platformsettings")),
            ("Announcements", "campaign", _list("announcement")),
            ("Limits of users", "speed", _list("userlimits")),
            ("Audit log", "policy", _list("auditentry")),
        ),
    ]


def _group(title: str, *items: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "title": title,
        "separator": bool(title),
        "items": [{"title": word, "icon": icon, "link": link} for word, icon, link in items],
    }


def _list(model: str, app: str = "dashboard") -> str:
    return reverse(f"admin:{app}_{model}_changelist")
