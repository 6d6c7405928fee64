"""A page with the plan of what its button does; the plan comes by itself, for it may take seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from dashboard.models import Operation
from dashboard.pages.plans import asked_plan
from dashboard.pages.viewer import Viewer
from platform_manager.errors import UserError
from platform_manager.swarm.plan import Plan


def planned_first(
    request: HttpRequest,
    viewer: Viewer,
    template: str,
    context: dict[str, Any],
    *,
    plan: Callable[[], Plan],
    act: Callable[[], Operation],
) -> HttpResponse:
    """The page; ``?plan=part`` gives the plan alone, ``?plan=page`` the page with it, for browsers without scripts.

    POST acts and leads to the operation, or shows the page with why it was refused.
    """
    refusal = ""
    if request.method == "POST":
        try:
            operation = act()
        except UserError as error:
            refusal = str(error)
        else:
            return redirect("operation", viewer.environment.pk, operation.pk)
    wanted = request.GET.get("plan", "")
    if wanted == "part" and request.method == "GET":
        return render(request, "stacks/_plan.html", {**viewer.shared, **asked_plan(plan)})
    context = {**context, "refusal": refusal, "with_plan": wanted == "page"}
    if context["with_plan"]:
        context |= asked_plan(plan)
    return render(request, template, context, status=422 if refusal else 200)
