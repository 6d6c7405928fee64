"""Operations with their steps and log lines, and the workers that run them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.db.models.functions import Left
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import display

from dashboard.flows import operations
from dashboard.models import Operation, OperationLog, OperationState, OperationStep, StepState, Worker

from .base import Observed
from .columns import KINDS, linked, moment, state
from .deeds import Deed, each

MOST_LINES = 500
LONGEST_LINE = 2_000


def _cancel(operation: Operation, by: User, given: Mapping[str, Any] | None = None) -> str:
    operations.cancel_operation(operation, by)
    return "It was cancelled; if it was running, it stops at its next safe point."


def _retry(operation: Operation, by: User, given: Mapping[str, Any] | None = None) -> str:
    operations.retry_operation(operation, by)
    return "It was queued again. What the first try finished is kept."


def _unfinished(operation: Operation, user: Any) -> bool:
    return not operation.finished and not operation.cancel_requested


def _can_be_repeated(operation: Operation, user: Any) -> bool:
    return operation.state in (OperationState.FAILED, OperationState.CANCELLED)


@admin.register(Operation)
class OperationAdmin(Observed[Operation]):
    list_display = ["title", "show_environment", "show_state", "kind", "requested_by", "created", "took"]
    list_filter = ["state", "kind", ("created_at", RangeDateFilter)]
    list_select_related = ["environment", "requested_by"]
    search_fields = ["title", "environment__name", "error", "requested_by__username"]
    # What it was asked with (args) is for workers.
    fields = [
        "id", "title", "environment", "kind", "state", "cancel_requested", "error", "result", "requested_by",
        "retry_of", "worker", "created", "started", "finished",
    ]  # fmt: skip
    change_form_outer_after_template = "admin/operation_log.html"
    readonly_fields = ["created", "started", "finished"]
    created = moment("created", "created_at")
    started = moment("started", "started_at")
    finished = moment("finished", "finished_at")
    show_environment = linked("environment", "environment")
    show_state = state(OperationState)
    actions = ["cancel", "retry"]
    deeds = [
        Deed[Operation](
            "cancel",
            "Cancel",
            lambda operation: [
                "Waiting, it ends at once; running, it stops at its next safe point.",
                "What it made until then stays.",
            ],
            _cancel,
            offered=_unfinished,
            danger=True,
            icon="cancel",
        ),
        Deed[Operation](
            "retry",
            "Retry",
            lambda operation: ["The same work is queued again in your name.", "Parts that are finished are kept."],
            _retry,
            offered=_can_be_repeated,
            icon="replay",
        ),
    ]

    @display(description="took")  # type: ignore[untyped-decorator]
    def took(self, row: Operation) -> str:
        return str(timedelta(seconds=int(row.elapsed.total_seconds()))) if row.elapsed else ""

    @admin.action(description="Cancel")
    def cancel(self, request: HttpRequest, queryset: QuerySet[Operation]) -> None:
        each(request, queryset, _cancel, "cancelled")

    @admin.action(description="Retry")
    def retry(self, request: HttpRequest, queryset: QuerySet[Operation]) -> None:
        each(request, queryset, _retry, "queued again")

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Operation | None = None,
    ) -> HttpResponse:
        if obj is not None:
            context["steps"] = [(step, KINDS[step.look.colour]) for step in obj.steps.all()[:MOST_LINES]]
            context["lines"] = last_lines(obj)
            context["most_lines"] = MOST_LINES
        return super().render_change_form(request, context, add, change, form_url, obj)

    def view_on_site(self, row: Operation) -> str:
        return reverse("operation", args=[row.environment_id, row.pk])


def last_lines(operation: Operation) -> list[Any]:
    """The end of the log, the oldest line first; neither many lines nor a long one make the page heavy."""
    newest = operation.logs.order_by("-id").annotate(line=Left("text", LONGEST_LINE))
    return list(newest.values("at", "step", "level", "line")[:MOST_LINES])[::-1]


@admin.register(OperationStep)
class OperationStepAdmin(Observed[OperationStep]):
    list_display = ["title", "show_operation", "n", "show_state", "attempt", "started_at", "finished_at"]
    list_filter = ["state"]
    list_select_related = ["operation"]
    search_fields = ["title", "error", "operation__title"]
    fields = ["operation", "n", "name", "title", "state", "attempt", "error", "started_at", "finished_at"]
    ordering = ["-pk"]
    show_operation = linked("operation", "operation")
    show_state = state(StepState)


@admin.register(OperationLog)
class OperationLogAdmin(Observed[OperationLog]):
    list_display = ["when", "show_operation", "step", "level", "line"]
    list_filter = ["level"]
    list_select_related = ["operation"]
    search_fields = ["text"]
    fields = ["operation", "step", "level", "when", "text"]
    readonly_fields = ["when"]
    when = moment("at", "at")
    ordering = ["-pk"]
    show_operation = linked("operation", "operation")

    @display(description="text")  # type: ignore[untyped-decorator]
    def line(self, row: OperationLog) -> str:
        return row.text[:200]


@admin.register(Worker)
class WorkerAdmin(Observed[Worker]):
    list_display = ["id", "machine", "pid", "show_alive", "started_at", "last_seen"]
    list_filter = ["gone"]
    search_fields = ["id", "machine"]
    fields = ["id", "machine", "pid", "started_at", "last_seen", "gone"]
    ordering = ["-last_seen", "pk"]

    @display(description="state", label={"alive": "success", "silent": "danger", "gone": "default"})  # type: ignore[untyped-decorator]
    def show_alive(self, row: Worker) -> tuple[str, str]:
        if row.gone:
            return "gone", "Gone"
        late = timezone.now() - row.last_seen > timedelta(seconds=settings.PM_WORKER_TTL)
        return ("silent", "Silent") if late else ("alive", "Alive")
