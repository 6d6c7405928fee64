"""Stacks and their revisions; answers are never shown."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateFilter

from dashboard.models import Revision, Stack, StackState

from .base import Observed, ObservedInline
from .columns import linked, state


class RevisionInline(ObservedInline[Revision, Stack]):
    model = Revision
    fields = ["named", "author", "state", "sentence", "created_at"]
    ordering = ["-n"]
    related = ["author", "stack"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Revision]:
        return super().get_queryset(request).defer("answers", "compose")


@admin.register(Stack)
class StackAdmin(Observed[Stack]):
    list_display = ["name", "show_environment", "show_state", "recipe", "sentence", "created_at"]
    list_filter = ["state", ("created_at", RangeDateFilter)]
    list_select_related = ["environment"]
    search_fields = ["name", "environment__name", "recipe", "sentence"]
    fields = ["id", "name", "environment", "recipe", "state", "sentence", "settled_at", "created_at"]
    ordering = ["name", "pk"]
    inlines = [RevisionInline]
    show_environment = linked("environment", "environment")
    show_state = state(StackState)


@admin.register(Revision)
class RevisionAdmin(Observed[Revision]):
    list_display = ["show_stack", "n", "show_environment", "author", "show_state", "created_at"]
    list_filter = ["state", ("created_at", RangeDateFilter)]
    list_select_related = ["stack__environment", "author"]
    search_fields = ["stack__name", "stack__environment__name", "author__username"]
    fields = ["stack", "n", "author", "state", "sentence", "operation", "created_at", "compose"]
    ordering = ["-pk"]
    show_stack = linked("stack", "stack")
    show_state = state(StackState)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Revision]:
        return super().get_queryset(request).defer("answers")

    @admin.display(description="environment")
    def show_environment(self, row: Any) -> str:
        return str(row.stack.environment)
