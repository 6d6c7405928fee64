"""Stacks: the list, one, and removing one."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from dashboard.flows.stacks import remove_stack
from dashboard.models import Right
from dashboard.pages import stacks as pages
from dashboard.pages.snapshot import read
from dashboard.pages.viewer import Viewer
from platform_manager.errors import UserError

from .access import member, needs, show


@member
def stacks(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    return show(request, viewer, pages.stacks_page(viewer, request.GET.dict()))


@member
def stack(request: HttpRequest, viewer: Viewer, name: str) -> HttpResponse:
    return show(request, viewer, pages.stack_page(viewer, {**request.GET.dict(), "name": name}))


@needs(Right.DEPLOY)
def stack_remove(request: HttpRequest, viewer: Viewer, name: str) -> HttpResponse:
    """Works for stacks that were deployed outside the platform too."""
    view = read(viewer.environment)
    services = view.services_by_stack.get(name, [])
    known = viewer.environment.stacks.filter(name=name).first()
    if known is None and not services:
        raise Http404("There is no such stack in this environment.")
    refusal = ""
    if request.method == "POST":
        try:
            operation = remove_stack(viewer.environment, viewer.user, name)
        except UserError as error:
            refusal = str(error)
        else:
            return redirect("operation", viewer.environment.pk, operation.pk)
    context = {
        **viewer.shared,
        "name": name,
        "services": services,
        "tasks": sum(service.running for service in services),
        "networks": [network for network in view.networks if network.stack == name],
        "volumes": [volume for volume in view.volumes if volume.stack == name],
        "refusal": refusal,
    }
    return render(request, "stacks/remove.html", context, status=422 if refusal else 200)
