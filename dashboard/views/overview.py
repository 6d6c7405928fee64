"""An environment's first page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from dashboard.pages.overview import overview_page
from dashboard.pages.viewer import Viewer

from .access import member, show


@member
def environment(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    return show(request, viewer, overview_page(viewer, request.GET.dict()))
