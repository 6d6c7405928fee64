"""The log viewer's page; its lines come over a websocket."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from dashboard.pages.logs import subject_of
from dashboard.pages.snapshot import read
from dashboard.pages.viewer import Viewer

from .access import member


@member
def logs(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    environment = viewer.environment
    if not any(request.GET.get(kind) for kind in ("stack", "service", "task")):
        return redirect("services", environment.pk)
    subject = subject_of(environment, read(environment), request.GET.dict())
    if subject is None:
        raise Http404("This stack, service or task is not in the environment.")
    context = {
        "environment": environment,
        "viewer": viewer,
        "subject": subject,
        "logs_url": f"/ws/environments/{environment.pk}/logs/?{subject.query}",
    }
    return render(request, "logs/viewer.html", context)
