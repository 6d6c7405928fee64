"""Presets of clouds, which operators make, the accounts that users have there, and the clean-ups of their projects."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from dashboard.models import CloudAccount, CloudCleanup, CloudPreset, CloudSession, OperationState
from platform_manager.clouds.openstack.account import auth_url
from platform_manager.errors import UserError

from .base import Observed, PlatformAdmin
from .columns import linked, moment, state


class CloudPresetForm(forms.ModelForm[CloudPreset]):
    class Meta:
        model = CloudPreset
        fields = "__all__"  # noqa: DJ007 - all are for operators to set

    def clean_auth_url(self) -> str:
        given = str(self.cleaned_data["auth_url"]).strip()
        try:
            return auth_url(given) if given else ""
        except UserError as error:
            raise forms.ValidationError(str(error)) from None

    def clean_regions(self) -> list[str]:
        given = self.cleaned_data["regions"] or []
        if not isinstance(given, list) or not all(isinstance(one, str) and one for one in given):
            raise forms.ValidationError('Write a list of names, as ["Spain2"], or [] for any region.')
        return given


@admin.register(CloudPreset)
class CloudPresetAdmin(PlatformAdmin[CloudPreset]):
    form = CloudPresetForm
    list_display = ["name", "slug", "auth_url", "network", "pool", "private", "position"]
    search_fields = ["name", "auth_url"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(CloudAccount)
class CloudAccountAdmin(Observed[CloudAccount]):
    list_display = ["name", "show_owner", "project", "region", "preset", "show_hosts", "verified_at", "problem"]
    list_select_related = ["owner", "preset"]
    list_filter = ["preset"]
    search_fields = ["name", "owner__username", "project", "region", "auth_url"]
    # Never its secret.
    fields = [
        "id", "name", "owner", "preset", "auth_url", "region", "project", "user", "environments", "created_at",
        "verified_at", "problem", "leftovers", "watched_at",
    ]  # fmt: skip
    ordering = ["name", "pk"]
    show_owner = linked("owner", "owner")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CloudAccount]:
        return super().get_queryset(request).annotate(host_count=Count("hosts"))

    @display(description="hosts", ordering="host_count")  # type: ignore[untyped-decorator]
    def show_hosts(self, row: Any) -> int:
        return int(row.host_count)


@admin.register(CloudCleanup)
class CloudCleanupAdmin(Observed[CloudCleanup]):
    list_display = ["show_account", "show_owner", "requested_by", "show_state", "show_deleted", "created", "finished"]
    list_select_related = ["account__owner", "requested_by"]
    list_filter = ["state"]
    search_fields = ["account__name", "account__project", "requested_by__username"]
    fields = ["id", "account", "requested_by", "state", "show_things", "created", "finished"]
    readonly_fields = ["show_things", "created", "finished"]
    ordering = ["-pk"]
    show_account = linked("account", "account")
    show_state = state(OperationState)
    created = moment("created", "created_at")
    finished = moment("finished", "finished_at")

    @display(description="owner", ordering="account__owner__username")  # type: ignore[untyped-decorator]
    def show_owner(self, row: CloudCleanup) -> str:
        return str(row.account.owner)

    @display(description="deleted")  # type: ignore[untyped-decorator]
    def show_deleted(self, row: CloudCleanup) -> str:
        return f"{sum(thing['state'] == OperationState.SUCCEEDED for thing in row.things)} of {len(row.things)}"

    @display(description="things")  # type: ignore[untyped-decorator]
    def show_things(self, row: CloudCleanup) -> SafeString:
        told = ((f"{one['kind']} {one['name']}", one["state"], one["error"]) for one in row.things)
        return format_html_join(SafeString("<br>"), "{}: {} {}", told)


@admin.register(CloudSession)
class CloudSessionAdmin(Observed[CloudSession]):
    """Never its state."""

    list_display = ["account", "expires_at"]
    list_select_related = ["account"]
    search_fields = ["account__name"]
    fields = ["account", "expires_at"]
    ordering = ["-pk"]
