"""Hosts: the list, one, adding, removing, promoting, starting and recreating them."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from dashboard.flows.hosts import add_hosts, promote_host, removal_plan, remove_host
from dashboard.flows.recreate import recreate_host, recreation_plan, start_host
from dashboard.forms.hosts import AddHostsForm
from dashboard.forms.staying import LeaveForm
from dashboard.models import Host, Operation, Right
from dashboard.operations.clouds.drivers import OPENSTACK
from dashboard.operations.clouds.staying import offered
from dashboard.pages import hosts as pages
from dashboard.pages.add_hosts import AddHosts, first_values, opened, planned
from dashboard.pages.viewer import Viewer
from platform_manager.errors import PlatformError, UserError

from .access import member, needs, show


@member
def hosts(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    return show(request, viewer, pages.hosts_page(viewer, request.GET.dict()))


@member
def host(request: HttpRequest, viewer: Viewer, host_id: UUID) -> HttpResponse:
    return show(request, viewer, pages.host_page(viewer, {**request.GET.dict(), "host_id": str(host_id)}))


@needs(Right.HOSTS)
def hosts_add(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    if request.method != "POST":
        form = AddHostsForm(first_values(viewer))
        page = opened(viewer, form)
        return render(request, "hosts/add.html", {**viewer.shared, "form": form, "page": page})
    form = AddHostsForm(request.POST)
    page = planned(viewer, form, strict=True)
    if page.plan and not form.errors and not page.trouble:
        try:
            operation = _add(viewer, page)
        except PlatformError as error:
            page.fail(error)
        else:
            return redirect("operation", viewer.environment.pk, operation.pk)
    return render(request, "hosts/add.html", {**viewer.shared, "form": form, "page": page}, status=422)


def _add(viewer: Viewer, page: AddHosts) -> Operation:
    given, account = page.form.cleaned_data, page.account
    return add_hosts(
        viewer.environment,
        viewer.user,
        driver=OPENSTACK if account else given["driver"],
        prefix=given["prefix"],
        quantity=given["quantity"],
        account=account,
        choices=page.form.choices() if account else None,
    )


def _typed(request: HttpRequest) -> AddHostsForm:
    given = request.GET.copy()
    given.setdefault("driver", "local")
    return AddHostsForm(given)


@needs(Right.HOSTS)
def hosts_plan(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """What adding these hosts would give, while the user types."""
    form = _typed(request)
    page = planned(viewer, form, strict=False)
    return render(request, "hosts/_planned.html", {**viewer.shared, "form": form, "page": page})


@needs(Right.HOSTS)
def hosts_options(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The lists of the chosen cloud account, with what suits most chosen, and what that would give."""
    form = _typed(request)
    page = planned(viewer, form, strict=False)
    return render(request, "hosts/_options_chosen.html", {**viewer.shared, "form": form, "page": page})


@needs(Right.HOSTS)
def host_remove(request: HttpRequest, viewer: Viewer, host_id: UUID) -> HttpResponse:
    found = pages.host_of(viewer, host_id)
    form = LeaveForm(request.POST if request.method == "POST" else None)
    refusal = ""
    if request.method == "POST" and form.is_valid():
        try:
            operation = remove_host(found, viewer.user, leave=form.chosen)
        except UserError as error:
            refusal = str(error)
        else:
            return redirect("operation", viewer.environment.pk, operation.pk)
    plan = removal_plan(found)
    may_stay = offered(viewer.environment, [found])
    context = {**viewer.shared, "host": found, "plan": plan, "form": form, "may_stay": may_stay}
    context["refusal"] = "" if plan.refusal else refusal
    return render(request, "hosts/remove.html", context, status=422 if form.is_bound else 200)


@needs(Right.HOSTS)
def host_recreate(request: HttpRequest, viewer: Viewer, host_id: UUID) -> HttpResponse:
    found = pages.host_of(viewer, host_id)
    refusal = ""
    if request.method == "POST":
        try:
            operation = recreate_host(found, viewer.user)
        except UserError as error:
            refusal = str(error)
        else:
            return redirect("operation", viewer.environment.pk, operation.pk)
    plan = recreation_plan(found)
    context = {**viewer.shared, "host": found, "plan": plan, "refusal": "" if plan.refusal else refusal}
    return render(request, "hosts/recreate.html", context, status=422 if refusal else 200)


@needs(Right.HOSTS)
@require_POST
def host_start(request: HttpRequest, viewer: Viewer, host_id: UUID) -> HttpResponse:
    return _asked(request, viewer, host_id, start_host)


@needs(Right.HOSTS)
@require_POST
def host_promote(request: HttpRequest, viewer: Viewer, host_id: UUID) -> HttpResponse:
    return _asked(request, viewer, host_id, promote_host)


def _asked(
    request: HttpRequest, viewer: Viewer, host_id: UUID, flow: Callable[[Host, User], Operation]
) -> HttpResponse:
    """To the operation that the flow asks for, or back to the host with its refusal."""
    found = pages.host_of(viewer, host_id)
    try:
        operation = flow(found, viewer.user)
    except UserError as error:
        messages.error(request, str(error))
        return redirect("host", viewer.environment.pk, found.pk)
    return redirect("operation", viewer.environment.pk, operation.pk)
