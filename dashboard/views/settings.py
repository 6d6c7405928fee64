"""An environment's settings, and its deletion."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from dashboard.flows.environments import delete_environment, deletion_plan, rename_environment
from dashboard.forms.refusals import show_refusal
from dashboard.forms.settings import DeleteEnvironmentForm, EnvironmentSettingsForm
from dashboard.models import Right
from dashboard.pages.viewer import Viewer
from platform_manager.errors import UserError

from .access import demand, member, needs


@member
def environment_settings(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    environment = viewer.environment
    initial = {"name": environment.name, "description": environment.description}
    form = EnvironmentSettingsForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST":
        demand(viewer, Right.SETTINGS)
        if form.is_valid():
            try:
                rename_environment(environment, **form.cleaned_data)
            except UserError as error:
                show_refusal(form, error)
            else:
                messages.success(request, "The settings are saved.")
                return redirect("environment_settings", environment.pk)
    context = {**viewer.shared, "form": form}
    return render(request, "environment/settings.html", context, status=422 if form.is_bound else 200)


@needs(Right.DELETE)
def environment_delete(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    environment = viewer.environment
    form = DeleteEnvironmentForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            operation = delete_environment(environment, viewer.user, **form.cleaned_data)
        except UserError as error:
            show_refusal(form, error)
        else:
            return redirect("operation", environment.pk, operation.pk)
    context = {**viewer.shared, "form": form, "plan": deletion_plan(environment)}
    return render(request, "environment/delete.html", context, status=422 if form.is_bound else 200)
