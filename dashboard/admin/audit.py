"""The audit log: filtered, searched, exported; never changed."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern, path
from unfold.contrib.filters.admin import AllValuesCheckboxFilter, FieldTextFilter, RangeDateTimeFilter
from unfold.decorators import display

from dashboard.models import AuditEntry
from dashboard.models.auditing import record

from .base import Observed
from .columns import label, moment
from .export import FORMATS, export, told

OUTCOMES = {"done": "success", "requested": "info", "refused": "warning", "failed": "danger", "cancelled": "default"}


@admin.register(AuditEntry)
class AuditEntryAdmin(Observed[AuditEntry]):
    list_display = ["when", "who", "action", "what", "environment", "show_outcome", "via", "address"]
    list_display_links = ["when", "action"]
    list_filter = [
        ("actor", FieldTextFilter),
        ("environment", FieldTextFilter),
        ("action", AllValuesCheckboxFilter),
        "outcome",
        "via",
        ("at", RangeDateTimeFilter),
    ]
    search_fields = ["actor", "action", "object_name", "environment"]
    fields = [
        "when", "actor", "actor_id", "via", "address", "action", "outcome", "object_kind", "object_name", "object_id",
        "environment", "environment_id", "told",
    ]  # fmt: skip
    ordering = ["-id"]
    list_before_template = "admin/audit_export.html"
    readonly_fields = ["when", "told"]
    when = moment("at", "at")
    show_outcome = label("outcome", "outcome", OUTCOMES)

    @display(description="detail")  # type: ignore[untyped-decorator]
    def told(self, row: AuditEntry) -> str:
        return json.dumps(told(row.detail), ensure_ascii=False)

    @display(description="actor", ordering="actor")  # type: ignore[untyped-decorator]
    def who(self, row: AuditEntry) -> str:
        return row.actor or "the platform"

    @display(description="object")  # type: ignore[untyped-decorator]
    def what(self, row: AuditEntry) -> str:
        return f"{row.object_kind} {row.object_name}".strip()

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/<slug:word>/", view, name="dashboard_auditentry_export"), *super().get_urls()]

    def export_view(self, request: HttpRequest, word: str) -> HttpResponseBase:
        """What the list shows with the same query, whole."""
        if word not in FORMATS:
            raise Http404("The audit log is exported as csv or jsonl.")
        rows: Any = self.get_changelist_instance(request).get_queryset(request)
        record("audit.export", name=word, query=request.GET.urlencode()[:500])
        return export(rows, FORMATS[word])
