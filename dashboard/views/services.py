"""Services and tasks."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from dashboard.pages import services as pages
from dashboard.pages.viewer import Viewer

from .access import member, show


@member
def services(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    return show(request, viewer, pages.services_page(viewer, request.GET.dict()))


@member
def service(request: HttpRequest, viewer: Viewer, service_id: str) -> HttpResponse:
    return show(request, viewer, pages.service_page(viewer, {**request.GET.dict(), "service_id": service_id}))


@member
def task(request: HttpRequest, viewer: Viewer, task_id: str) -> HttpResponse:
    return show(request, viewer, pages.task_page(viewer, {**request.GET.dict(), "task_id": task_id}))
