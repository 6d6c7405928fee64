"""The image registries of an environment: the list, adding, changing, checking and removing one."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from dashboard.flows import registries as flows
from dashboard.forms.refusals import show_refusal
from dashboard.forms.registries import ChangeRegistryForm, RegistryForm
from dashboard.models import RegistryCredential, Right
from dashboard.pages.viewer import Viewer
from platform_manager.errors import PlatformError, UserError

from .access import member, needs

TAKES_ANYBODY = "{server} takes anybody, so nobody knows whether the user and the password are right."


def known(viewer: Viewer, registry_id: UUID) -> RegistryCredential:
    found = viewer.environment.registries.select_related("environment").filter(pk=registry_id).first()
    if found is None:
        raise Http404("This environment has no such registry (any more).")
    return found


def show_failure(form: forms.Form, error: PlatformError) -> None:
    show_refusal(form, error if isinstance(error, UserError) else UserError(str(error)))


@member
def registries(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    rows = viewer.environment.registries.select_related("created_by")
    return render(request, "registries/list.html", {**viewer.shared, "registries": list(rows)})


@sensitive_post_parameters()
@needs(Right.SETTINGS)
def registry_add(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    form = RegistryForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made = flows.add_registry(viewer.environment, viewer.user, **form.cleaned_data)
        except PlatformError as error:
            show_failure(form, error)
        else:
            said = TAKES_ANYBODY if made.checked_at is None else "{server} takes these credentials."
            messages.success(request, f"{said.format(server=made.server)} Deployments use them from now on.")
            return redirect("registries", viewer.environment.pk)
    context = {**viewer.shared, "form": form, "registry": None}
    return render(request, "registries/form.html", context, status=422 if form.is_bound else 200)


@sensitive_post_parameters()
@needs(Right.SETTINGS)
def registry(request: HttpRequest, viewer: Viewer, registry_id: UUID) -> HttpResponse:
    row = known(viewer, registry_id)
    form = ChangeRegistryForm(request.POST if request.method == "POST" else None, initial={"username": row.username})
    if form.is_valid():
        try:
            flows.change_registry(row, viewer.user, **form.cleaned_data)
        except PlatformError as error:
            show_failure(form, error)
        else:
            said = TAKES_ANYBODY if row.checked_at is None else "{server} takes them."
            messages.success(request, f"{said.format(server=row.server)} They are saved.")
            return redirect("registries", viewer.environment.pk)
    context = {**viewer.shared, "form": form, "registry": row}
    return render(request, "registries/form.html", context, status=422 if form.is_bound else 200)


@needs(Right.SETTINGS)
@require_POST
def registry_check(request: HttpRequest, viewer: Viewer, registry_id: UUID) -> HttpResponse:
    row = known(viewer, registry_id)
    if problem := flows.check_registry(row):
        messages.error(request, problem)
    elif row.checked_at is None:
        messages.warning(request, TAKES_ANYBODY.format(server=row.server))
    else:
        messages.success(request, f"{row.server} takes the credentials.")
    return redirect("registries", viewer.environment.pk)


@needs(Right.SETTINGS)
@require_POST
def registry_remove(request: HttpRequest, viewer: Viewer, registry_id: UUID) -> HttpResponse:
    row = known(viewer, registry_id)
    try:
        flows.remove_registry(row, viewer.user)
    except UserError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"The credentials for {row.server} are forgotten.")
    return redirect("registries", viewer.environment.pk)
