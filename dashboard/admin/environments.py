"""Environments, their templates, members, hosts and snapshots."""

from __future__ import annotations

from django.contrib import admin

from dashboard.models import EnrolmentToken, Environment, EnvironmentTemplate, Host, Membership, Snapshot

from .readonly import Observed


@admin.register(EnvironmentTemplate)
class EnvironmentTemplateAdmin(admin.ModelAdmin[EnvironmentTemplate]):
    list_display = ["name", "managers", "mtu", "position"]
    prepopulated_fields = {"slug": ["name"]}


class MembershipInline(admin.TabularInline[Membership, Environment]):
    model = Membership
    autocomplete_fields = ["user"]
    extra = 0


@admin.register(Environment)
class EnvironmentAdmin(admin.ModelAdmin[Environment]):
    list_display = ["name", "owner", "managers", "mtu", "swarm_mtu", "created_at", "deleted_at"]
    list_filter = ["managers", "template", "deleted_at"]
    list_select_related = ["owner"]
    search_fields = ["name", "description", "owner__username", "id"]
    readonly_fields = ["swarm_mtu", "removing_since", "deleted_at", "created_at"]
    autocomplete_fields = ["owner"]
    inlines = [MembershipInline]

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        """Deleting a row would leave its machines behind; the environment's own page deletes both."""
        return False


@admin.register(Host)
class HostAdmin(Observed[Host]):
    list_display = ["name", "environment", "driver", "role", "state", "link_up", "engine_up", "created_at"]
    list_filter = ["state", "role", "driver", "link_up"]
    list_select_related = ["environment"]
    search_fields = ["name", "environment__name", "node_id", "provider_id", "id"]


@admin.register(EnrolmentToken)
class EnrolmentTokenAdmin(Observed[EnrolmentToken]):
    list_display = ["host", "expires_at", "used_at"]
    list_select_related = ["host"]
    exclude = ["digest"]


@admin.register(Snapshot)
class SnapshotAdmin(Observed[Snapshot]):
    list_display = ["environment", "version", "read_at", "problem"]
    list_select_related = ["environment"]
    fields = ["environment", "version", "read_at", "problem"]
