"""Operations with their steps and log lines, and the workers that run them."""

from __future__ import annotations

from django.contrib import admin

from dashboard.models import Operation, OperationLog, OperationStep, Worker

from .readonly import Observed


@admin.register(Operation)
class OperationAdmin(Observed[Operation]):
    list_display = ["title", "environment", "kind", "state", "requested_by", "created_at", "finished_at"]
    list_filter = ["state", "kind", "created_at"]
    list_select_related = ["environment", "requested_by"]
    search_fields = ["title", "environment__name", "error", "id"]
    exclude = ["args"]


@admin.register(OperationStep)
class OperationStepAdmin(Observed[OperationStep]):
    list_display = ["operation", "n", "title", "state", "attempt", "started_at", "finished_at"]
    list_filter = ["state", "name"]
    list_select_related = ["operation"]
    search_fields = ["operation__id", "error"]


@admin.register(OperationLog)
class OperationLogAdmin(Observed[OperationLog]):
    list_display = ["at", "operation", "step", "level", "text"]
    list_filter = ["level"]
    list_select_related = ["operation"]
    search_fields = ["operation__id", "text"]


@admin.register(Worker)
class WorkerAdmin(Observed[Worker]):
    list_display = ["id", "machine", "pid", "started_at", "last_seen", "gone"]
    list_filter = ["gone"]
