"""What operators decide for the whole platform: settings, limits, announcements, and the page of sign-in methods."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.decorators import display

from dashboard.models import Announcement, PlatformSettings, UserLimits

from .base import PlatformAdmin
from .columns import label, linked
from .sign_in import sign_in_methods

LEVELS = {"info": "info", "warning": "warning", "danger": "danger"}


@admin.register(PlatformSettings)
class PlatformSettingsAdmin(PlatformAdmin[PlatformSettings]):
    autocomplete_fields = ["creators_group"]
    fieldsets = [
        ("Accounts", {"fields": ["registration"]}),
        ("Environments", {"fields": ["creators", "creators_group"]}),
        (
            "Limits",
            {
                "fields": ["environments_per_user", "hosts_per_user"],
                "description": "For everybody; a user's own page has limits for that user alone. "
                "What is there already stays when a limit falls below it.",
            },
        ),
        (
            "What recipes may not ask of hosts",
            {
                "fields": [
                    "forbid_docker_socket",
                    "forbid_host_network",
                    "forbid_host_folders",
                    "forbid_capabilities",
                ],
                "description": "Each is shown before a deployment. What is forbidden here is refused then, in every "
                "environment; what runs already goes on.",
            },
        ),
    ]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(sign_in_methods)
        return [path("sign-in-methods/", view, name="sign_in_methods"), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> PlatformSettings | None:
        """The one row, before anybody has changed anything too."""
        return PlatformSettings.current() if object_id == "1" else None

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:dashboard_platformsettings_change", args=[1]))

    def response_change(self, request: HttpRequest, obj: PlatformSettings) -> HttpResponse:
        super().response_change(request, obj)
        return HttpResponseRedirect(request.path)


@admin.register(UserLimits)
class UserLimitsAdmin(PlatformAdmin[UserLimits]):
    list_display = ["show_user", "environments", "hosts"]
    list_select_related = ["user"]
    search_fields = ["user__username", "user__email"]
    autocomplete_fields = ["user"]
    ordering = ["user__username"]
    show_user = linked("user", "user")
    list_display_links = ["environments", "hosts"]


@admin.register(Announcement)
class AnnouncementAdmin(PlatformAdmin[Announcement]):
    list_display = ["text", "show_level", "show_state", "starts_at", "ends_at"]
    list_filter = ["level"]
    search_fields = ["text"]
    show_level = label("level", "level", LEVELS)

    @display(description="state", label={"now": "success", "later": "info", "over": "default"})  # type: ignore[untyped-decorator]
    def show_state(self, row: Announcement) -> tuple[str, str]:
        now = timezone.now()
        if row.starts_at > now:
            return "later", "Later"
        return ("over", "Over") if row.ends_at and row.ends_at <= now else ("now", "Shown")
