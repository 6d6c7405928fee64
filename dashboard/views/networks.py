"""Networks, volumes, secrets and configs."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from dashboard.flows.shared_objects import KINDS, remove_shared
from dashboard.models import Right
from dashboard.pages.networks import networks_page
from dashboard.pages.viewer import Viewer
from platform_manager.errors import PlatformError

from .access import member, needs, show


@member
def networks(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    return show(request, viewer, networks_page(viewer, request.GET.dict()))


@needs(Right.DEPLOY)
def shared_remove(request: HttpRequest, viewer: Viewer, kind: str, name: str) -> HttpResponse:
    """A network, secret or config that belongs to no stack."""
    if kind not in KINDS:
        raise Http404("Only networks, secrets and configs are removed here.")
    refusal = ""
    if request.method == "POST":
        try:
            remove_shared(viewer.environment, viewer.user, kind, name)
        except PlatformError as error:
            refusal = str(error)
        else:
            messages.success(request, f"The {kind} {name} is removed.")
            return redirect("networks", viewer.environment.pk)
    context = {**viewer.shared, "kind": kind, "name": name, "refusal": refusal}
    return render(request, "services/remove.html", context, status=409 if refusal else 200)
