"""Hosts, their enrolment, and what the engines said last."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import RangeDateFilter

from dashboard.models import EnrolmentToken, Host, HostState, Snapshot

from .base import Observed
from .columns import linked, state, yes_no


@admin.register(Host)
class HostAdmin(Observed[Host]):
    list_display = [
        "name",
        "show_environment",
        "show_state",
        "role",
        "driver",
        "show_link",
        "show_engine",
        "created_at",
    ]
    list_filter = ["state", "machine", "role", "driver", "link_up", "engine_up", ("created_at", RangeDateFilter)]
    list_select_related = ["environment"]
    search_fields = ["name", "environment__name", "node_id", "provider_id"]
    # Options are the driver's, and may hold what it needs to sign in.
    fields = [
        "id", "name", "environment", "driver", "role", "state", "state_detail", "provider_id", "node_id", "addresses",
        "machine", "machine_detail", "machine_seen_at", "facts", "key_fingerprint", "link_up", "link_changed_at",
        "engine_up", "created_at",
    ]  # fmt: skip
    ordering = ["name", "pk"]
    show_environment = linked("environment", "environment")
    show_state = state(HostState)
    show_link = yes_no("link", "link_up", "up", "down")
    show_engine = yes_no("engine", "engine_up", "answers", "silent")


@admin.register(EnrolmentToken)
class EnrolmentTokenAdmin(Observed[EnrolmentToken]):
    list_display = ["host", "show_environment", "expires_at", "used_at"]
    list_select_related = ["host__environment"]
    search_fields = ["host__name"]
    fields = ["host", "expires_at", "used_at"]
    ordering = ["-pk"]

    @admin.display(description="environment")
    def show_environment(self, row: EnrolmentToken) -> str:
        return row.host.environment.name


@admin.register(Snapshot)
class SnapshotAdmin(Observed[Snapshot]):
    list_display = ["environment", "version", "read_at", "problem"]
    list_select_related = ["environment"]
    search_fields = ["environment__name", "problem"]
    fields = ["environment", "version", "read_at", "problem"]
    ordering = ["-pk"]
