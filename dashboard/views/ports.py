"""Published ports: the list, opening one, closing one."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from dashboard.flows.ports import close_port, nothing_to_open, open_port, places
from dashboard.forms.ports import OpenPortForm
from dashboard.forms.refusals import show_refusal
from dashboard.models import Right
from dashboard.operations.clouds.open_ports import who
from dashboard.pages import ports as pages
from dashboard.pages.snapshot import read
from dashboard.pages.viewer import Viewer
from platform_manager.errors import UserError

from .access import member, needs, show


@member
def ports(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    return show(request, viewer, pages.ports_page(viewer, request.GET.dict()))


@needs(Right.HOSTS)
def ports_open(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    environment = viewer.environment
    initial = {"port": request.GET.get("port", ""), "protocol": request.GET.get("protocol", "tcp")}
    form = OpenPortForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        given = form.cleaned_data
        wish = {"protocol": given["protocol"], "port": given["port"], "source": form.chosen_source()}
        try:
            operation = open_port(environment, viewer.user, **wish)
        except UserError as error:
            show_refusal(form, error)
        else:
            return redirect("operation", environment.pk, operation.pk)
    context = {
        **viewer.shared,
        "form": form,
        "nothing": nothing_to_open(environment),
        "reach": pages.reach(environment),
        "outside": bool(places(environment)),
    }
    return render(request, "ports/open.html", context, status=422 if form.is_bound else 200)


@needs(Right.HOSTS)
def port_close(request: HttpRequest, viewer: Viewer, opening_id: int) -> HttpResponse:
    opening, refusal = pages.opening_of(viewer, opening_id), ""
    if request.method == "POST":
        try:
            operation = close_port(opening, viewer.user)
        except UserError as error:
            refusal = str(error)
        else:
            return redirect("operation", viewer.environment.pk, operation.pk)
    by = pages.publishers(read(viewer.environment)).get((opening.port, opening.protocol), [])
    context = {"opening": opening, "who": who(opening.source), "publishers": by, "refusal": refusal}
    return render(request, "ports/close.html", {**viewer.shared, **context}, status=422 if refusal else 200)
