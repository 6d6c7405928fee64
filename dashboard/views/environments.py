"""The user's environments, and a new one."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from dashboard.flows.environments import create_environment
from dashboard.forms.environments import EnvironmentForm
from dashboard.models import (
    Environment,
    EnvironmentTemplate,
    Host,
    HostState,
    MemberRole,
    Membership,
    OperationState,
    Stack,
    StackState,
)
from platform_manager.errors import UserError

UNWELL_STACKS = [StackState.DEGRADED, StackState.FAILED, StackState.ROLLED_BACK]
UNWELL_HOSTS = [HostState.DISCONNECTED, HostState.FAILED]


def _count(rows: QuerySet[Host] | QuerySet[Stack]) -> Subquery:
    of_one = rows.filter(environment=OuterRef("pk")).order_by().values("environment")
    return Subquery(of_one.annotate(n=Count("pk")).values("n"))


def _listed(user: User) -> QuerySet[Environment]:
    """The user's environments with the numbers of their cards, in one query."""
    role = Membership.objects.filter(environment=OuterRef("pk"), user=user).values("role")[:1]
    return (
        Environment.objects.visible_to(user)
        .select_related("template", "owner")
        .annotate(
            my_role=Subquery(role),
            host_count=_count(Host.objects.all()),
            active_hosts=_count(Host.objects.filter(state=HostState.ACTIVE)),
            unwell_hosts=_count(Host.objects.filter(state__in=UNWELL_HOSTS)),
            stack_count=_count(Stack.objects.all()),
            unwell_stacks=_count(Stack.objects.filter(state__in=UNWELL_STACKS)),
            busy=Count("operations", filter=Q(operations__state=OperationState.RUNNING)),
        )
    )


@login_required
def environments(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # noqa: S101 - login_required
    found = list(_listed(request.user))
    for one in found:
        one.role_word = MemberRole(one.my_role).label  # type: ignore[attr-defined]
    return render(request, "environments/list.html", {"environments": found})


@login_required
def environment_new(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # noqa: S101 - login_required
    templates = list(EnvironmentTemplate.objects.all())
    first = templates[0] if templates else None
    initial = {"template": first.pk, "managers": first.managers, "mtu": first.mtu} if first else {}
    form = EnvironmentForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = create_environment(request.user, **form.cleaned_data)
        except UserError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        else:
            messages.success(request, f"Environment {made.name} is ready for its first hosts.")
            return redirect("environment", made.pk)
    status = 422 if form.is_bound else 200
    return render(request, "environments/new.html", {"form": form, "templates": templates}, status=status)
