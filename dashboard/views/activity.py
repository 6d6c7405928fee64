"""Who did what in an environment."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from dashboard.pages.activity import activity_context
from dashboard.pages.viewer import Viewer

from .access import member


@member
def activity(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    return render(request, "activity/list.html", activity_context(viewer, request.GET.dict()))
