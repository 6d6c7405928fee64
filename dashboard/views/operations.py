"""The operations of an environment: the list, one with its log, cancel and retry."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from dashboard.flows.operations import cancel_operation, plan_of_retry, retry_operation
from dashboard.models import Operation
from dashboard.models.permissions import right_for
from dashboard.pages.operations import log_text, may_retry, operation_context, operations_page
from dashboard.pages.viewer import Viewer
from platform_manager.errors import UserError

from .access import demand, member, show, witness
from .planned import planned_first
from .turns import by_turns


@member
def operations(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    return show(request, viewer, operations_page(viewer, request.GET.dict()))


def _of(viewer: Viewer, operation_id: UUID) -> Operation:
    mine = Operation.objects.filter(environment=viewer.environment)
    return get_object_or_404(mine.select_related("requested_by", "retry_of", "environment"), pk=operation_id)


@witness
def operation(request: HttpRequest, viewer: Viewer, operation_id: UUID) -> HttpResponse:
    """The page; ``?format=text`` downloads the whole log."""
    found = _of(viewer, operation_id)
    if request.GET.get("format") == "text":
        name = f'attachment; filename="operation-{found.pk}.log"'
        return HttpResponse(
            "".join(log_text(found)), content_type="text/plain; charset=utf-8", headers={"Content-Disposition": name}
        )
    return render(request, "operations/operation.html", operation_context(viewer, found))


@member
@require_POST
def operation_cancel(request: HttpRequest, viewer: Viewer, operation_id: UUID) -> HttpResponse:
    found = _of(viewer, operation_id)
    demand(viewer, right_for(found.kind))
    try:
        cancel_operation(found, viewer.user)
    except UserError as error:
        messages.error(request, str(error))
    return redirect("operation", viewer.environment.pk, found.pk)


@by_turns
@member
def operation_retry(request: HttpRequest, viewer: Viewer, operation_id: UUID) -> HttpResponse:
    """A deployment shows its plan first; other operations are repeated as they are."""
    found = _of(viewer, operation_id)
    demand(viewer, right_for(found.kind))
    if request.method != "POST":
        return _plan_of_retry(request, viewer, found)
    try:
        found = retry_operation(found, viewer.user)
    except UserError as error:
        messages.error(request, str(error))
    return redirect("operation", viewer.environment.pk, found.pk)


def _plan_of_retry(request: HttpRequest, viewer: Viewer, found: Operation) -> HttpResponse:
    revision = found.revisions.select_related("stack").first()
    if found.kind != "deploy_stack" or revision is None or not may_retry(found):
        return redirect("operation", viewer.environment.pk, found.pk)
    context = {**viewer.shared, "operation": found, "stack": revision.stack, "revision": revision}
    return planned_first(
        request,
        viewer,
        "stacks/retry.html",
        context,
        plan=lambda: plan_of_retry(found),
        act=lambda: retry_operation(found, viewer.user),
    )
