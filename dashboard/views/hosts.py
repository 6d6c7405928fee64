"""Hosts: the list, one, adding, removing and promoting them."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from dashboard.flows.hosts import HostPlan, add_hosts, plan_hosts, promote_host, removal_plan, remove_host
from dashboard.forms.hosts import AddHostsForm
from dashboard.forms.refusals import show_refusal
from dashboard.models import Right
from dashboard.pages import hosts as pages
from dashboard.pages.viewer import Viewer
from platform_manager.errors import UserError

from .access import member, needs, show

PREFIX = "fw"


@member
def hosts(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    return show(request, viewer, pages.hosts_page(viewer, request.GET.dict()))


@member
def host(request: HttpRequest, viewer: Viewer, host_id: UUID) -> HttpResponse:
    return show(request, viewer, pages.host_page(viewer, {**request.GET.dict(), "host_id": str(host_id)}))


def _first_values(viewer: Viewer) -> dict[str, str | int]:
    """Names go on from the last host's; a new environment is offered as many hosts as it wants managers."""
    last = viewer.environment.hosts.order_by("-created_at").values_list("name", flat=True).first()
    prefix = last.rpartition("-")[0] if last else ""
    return {
        "driver": "local",
        "prefix": prefix or PREFIX,
        "quantity": 1 if last else viewer.environment.managers,
    }


def _planned(viewer: Viewer, form: AddHostsForm) -> HostPlan | None:
    """What the form would give; None with the error at its field."""
    if not form.is_valid():
        return None
    try:
        return plan_hosts(viewer.environment, form.cleaned_data["prefix"], form.cleaned_data["quantity"])
    except UserError as error:
        show_refusal(form, error)
        return None


@needs(Right.HOSTS)
def hosts_add(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    form = AddHostsForm(request.POST if request.method == "POST" else _first_values(viewer))
    plan = _planned(viewer, form)
    if request.method == "POST" and plan:
        try:
            operation = add_hosts(viewer.environment, viewer.user, **form.cleaned_data)
        except UserError as error:
            show_refusal(form, error)
        else:
            return redirect("operation", viewer.environment.pk, operation.pk)
    status = 422 if request.method == "POST" else 200
    context = {**viewer.shared, "form": form, "plan": plan}
    return render(request, "hosts/add.html", context, status=status)


@needs(Right.HOSTS)
def hosts_plan(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """What adding these hosts would give, while the user types."""
    form = AddHostsForm({"driver": "local", **request.GET.dict()})
    return render(request, "hosts/_planned.html", {**viewer.shared, "form": form, "plan": _planned(viewer, form)})


@needs(Right.HOSTS)
def host_remove(request: HttpRequest, viewer: Viewer, host_id: UUID) -> HttpResponse:
    found = pages.host_of(viewer, host_id)
    refusal = ""
    if request.method == "POST":
        try:
            operation = remove_host(found, viewer.user)
        except UserError as error:
            refusal = str(error)
        else:
            return redirect("operation", viewer.environment.pk, operation.pk)
    plan = removal_plan(found)
    context = {**viewer.shared, "host": found, "plan": plan, "refusal": "" if plan.refusal else refusal}
    return render(request, "hosts/remove.html", context, status=422 if refusal else 200)


@needs(Right.HOSTS)
@require_POST
def host_promote(request: HttpRequest, viewer: Viewer, host_id: UUID) -> HttpResponse:
    found = pages.host_of(viewer, host_id)
    try:
        operation = promote_host(found, viewer.user)
    except UserError as error:
        messages.error(request, str(error))
        return redirect("host", viewer.environment.pk, found.pk)
    return redirect("operation", viewer.environment.pk, operation.pk)
