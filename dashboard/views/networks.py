"""Networks and volumes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from dashboard.pages.networks import networks_page
from dashboard.pages.viewer import Viewer

from .access import member, show


@member
def networks(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    return show(request, viewer, networks_page(viewer, request.GET.dict()))
