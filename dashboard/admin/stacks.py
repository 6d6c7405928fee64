"""Stacks and their revisions; answers are never shown."""

from __future__ import annotations

from django.contrib import admin

from dashboard.models import Revision, Stack

from .readonly import Observed


@admin.register(Stack)
class StackAdmin(Observed[Stack]):
    list_display = ["name", "environment", "state", "recipe", "created_at"]
    list_filter = ["state"]
    list_select_related = ["environment"]
    search_fields = ["name", "environment__name", "sentence"]


@admin.register(Revision)
class RevisionAdmin(Observed[Revision]):
    list_display = ["stack", "n", "author", "state", "created_at"]
    list_filter = ["state"]
    list_select_related = ["stack", "author"]
    search_fields = ["stack__name"]
    exclude = ["answers"]
