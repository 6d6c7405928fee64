"""The user's environments, and a new one."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from dashboard.flows.environments import create_environment
from dashboard.flows.limits import may_create
from dashboard.forms.environments import EnvironmentForm
from dashboard.forms.refusals import show_refusal
from dashboard.models import EnvironmentTemplate
from dashboard.pages.environments import environments_page
from platform_manager.errors import UserError


@login_required
def environments(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # noqa: S101 - login_required
    page = environments_page(request.user, request.GET.dict())
    query = urlencode({**page.params, "seen": page.digest()})
    context = {**page.context, "live_url": f"/ws/environments/?{query}"}
    return render(request, page.template, context)


@login_required
def environment_new(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # noqa: S101 - login_required
    refusal = may_create(request.user)
    if refusal:
        return render(request, "environments/not_allowed.html", {"text": refusal}, status=403)
    templates = list(EnvironmentTemplate.objects.all())
    first = templates[0] if templates else None
    initial = {"template": first.pk, "managers": first.managers, "mtu": first.mtu} if first else {}
    form = EnvironmentForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = create_environment(request.user, **form.cleaned_data)
        except UserError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"Environment {made.name} is ready for its first hosts.")
            return redirect("hosts_add", made.pk)
    status = 422 if form.is_bound else 200
    return render(request, "environments/new.html", {"form": form, "templates": templates}, status=status)
