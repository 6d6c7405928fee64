"""What clouds let in to the hosts of environments, and the keys with which the platform dials hosts."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import RangeDateFilter

from dashboard.models import EnvironmentKey, OpenPort

from .base import Observed
from .columns import linked


@admin.register(OpenPort)
class OpenPortAdmin(Observed[OpenPort]):
    list_display = ["port", "protocol", "source", "show_environment", "opened_by", "opened_at"]
    list_filter = ["protocol", ("opened_at", RangeDateFilter)]
    list_select_related = ["environment", "opened_by"]
    search_fields = ["port", "source", "environment__name", "opened_by__username"]
    fields = ["environment", "protocol", "port", "source", "opened_by", "opened_at"]
    ordering = ["-pk"]
    show_environment = linked("environment", "environment")


@admin.register(EnvironmentKey)
class EnvironmentKeyAdmin(Observed[EnvironmentKey]):
    list_display = ["show_environment", "public_key", "created_at"]
    list_select_related = ["environment"]
    search_fields = ["environment__name", "public_key"]
    # Never its private half.
    fields = ["environment", "public_key", "created_at"]
    ordering = ["-pk"]
    show_environment = linked("environment", "environment")
