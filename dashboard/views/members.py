"""The members of an environment, their roles, leaving, and handing the environment over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import Group, User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from dashboard.flows import members as flow
from dashboard.forms.members import GrantForm, GroupRoleForm, RoleForm, TransferForm
from dashboard.forms.refusals import show_refusal
from dashboard.models import GroupAccess, MemberRole, Membership, Right
from dashboard.pages.members import members_page
from dashboard.pages.viewer import Viewer
from platform_manager.errors import UserError

from .access import member, needs, show

# SQLite takes no larger number.
LARGEST_ID = 2**63 - 1


def tried(form: forms.Form, action: Callable[[], object]) -> bool:
    """Whether the flow did it; its refusal stands at the form's field otherwise."""
    try:
        action()
    except UserError as error:
        show_refusal(form, error)
        return False
    return True


def done(request: HttpRequest, viewer: Viewer, action: Callable[[], object], sentence: str) -> HttpResponse:
    """Back to the members with what happened, or with what stood in the way."""
    try:
        action()
    except UserError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, sentence)
    return redirect("members", viewer.environment.pk)


def ask(request: HttpRequest, viewer: Viewer, template: str, form: forms.Form, **context: Any) -> HttpResponse:
    return render(request, template, {**viewer.shared, "form": form, **context}, status=422 if form.is_bound else 200)


@member
def members(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    return show(request, viewer, members_page(viewer, request.GET.dict()))


def _membership(viewer: Viewer, user_id: int) -> Membership:
    known = viewer.environment.memberships.select_related("user")
    found = known.filter(user_id=user_id).first() if user_id <= LARGEST_ID else None
    if found is None:
        raise Http404("There is no such member in this environment.")
    return found


@needs(Right.MEMBERS)
def member_role(request: HttpRequest, viewer: Viewer, user_id: int) -> HttpResponse:
    membership = _membership(viewer, user_id)
    user, environment = membership.user, viewer.environment
    form = RoleForm(request.POST if request.method == "POST" else None, initial={"role": membership.role})
    if request.method == "POST" and form.is_valid():
        role: MemberRole = form.cleaned_data["role"]
        if tried(form, lambda: flow.change_role(environment, user, role, by=viewer.user)):
            messages.success(request, f"{user} is {role.label.lower()} now.")
            return redirect("members", environment.pk)
    last = flow.is_last_owner(environment, user)
    return ask(request, viewer, "members/member.html", form, member=user, membership=membership, last_owner=last)


@require_POST
@needs(Right.MEMBERS)
def member_remove(request: HttpRequest, viewer: Viewer, user_id: int) -> HttpResponse:
    user = _membership(viewer, user_id).user
    sentence = f"{user} is no member any more; their open pages close."
    return done(request, viewer, lambda: flow.remove_member(viewer.environment, user, by=viewer.user), sentence)


@member
def environment_leave(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    environment = viewer.environment
    refusal = flow.leave_refusal(environment, viewer.user)
    if request.method == "POST" and not refusal:
        try:
            flow.leave_environment(environment, viewer.user)
        except UserError as error:
            refusal = str(error)
        else:
            messages.success(request, f"You have left {environment.name}.")
            return redirect("environments")
    context = {**viewer.shared, "refusal": refusal, "groups": _own_groups(viewer)}
    return render(request, "members/leave.html", context, status=422 if request.method == "POST" else 200)


def _own_groups(viewer: Viewer) -> list[str]:
    """Groups through which the viewer stays when they leave."""
    found = viewer.environment.group_accesses.filter(group__user=viewer.user)
    return list(found.values_list("group__name", flat=True))


@needs(Right.MEMBERS)
def environment_transfer(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    environment = viewer.environment
    people = User.objects.filter(memberships__environment=environment, is_active=True)
    people = people.exclude(pk=environment.owner_id).order_by("username")
    initial = {"to": request.GET.get("to")}
    form = TransferForm(request.POST if request.method == "POST" else None, people=people, initial=initial)
    if request.method == "POST" and form.is_valid():
        to: User = form.cleaned_data["to"]

        def hand_over() -> None:
            flow.check_name(environment, form.cleaned_data["typed_name"])
            flow.transfer_environment(environment, to, by=viewer.user)

        if tried(form, hand_over):
            messages.success(request, f"{environment.name} belongs to {to} now.")
            return redirect("members", environment.pk)
    return ask(request, viewer, "members/transfer.html", form, people=people)


@needs(Right.MEMBERS)
def members_group(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    environment = viewer.environment
    groups = flow.groups_for(viewer.user).exclude(environment_accesses__environment=environment)
    form = GrantForm(request.POST if request.method == "POST" else None, groups=groups)
    if request.method == "POST" and form.is_valid():
        group, role = form.cleaned_data["group"], form.cleaned_data["role"]
        if tried(form, lambda: flow.grant_group(environment, group, role, by=viewer.user)):
            messages.success(request, f"Everybody in {group} is {role.label.lower()} here now.")
            return redirect("members", environment.pk)
    return ask(request, viewer, "members/grant.html", form, any_group=groups.exists())


def _access(viewer: Viewer, group_id: int) -> GroupAccess:
    known = viewer.environment.group_accesses.select_related("group")
    found = known.filter(group_id=group_id).first() if group_id <= LARGEST_ID else None
    if found is None:
        raise Http404("This group has no role in this environment.")
    return found


@needs(Right.MEMBERS)
def group_role(request: HttpRequest, viewer: Viewer, group_id: int) -> HttpResponse:
    access = _access(viewer, group_id)
    group: Group = access.group
    form = GroupRoleForm(request.POST if request.method == "POST" else None, initial={"role": access.role})
    if request.method == "POST" and form.is_valid():
        role: MemberRole = form.cleaned_data["role"]
        if tried(form, lambda: flow.change_group(viewer.environment, group, role, by=viewer.user)):
            messages.success(request, f"Everybody in {group} is {role.label.lower()} here now.")
            return redirect("members", viewer.environment.pk)
    people = group.user_set.count()
    return ask(request, viewer, "members/group.html", form, group=group, access=access, people=people)


@require_POST
@needs(Right.MEMBERS)
def group_remove(request: HttpRequest, viewer: Viewer, group_id: int) -> HttpResponse:
    group: Group = _access(viewer, group_id).group
    sentence = f"{group} has no role here any more; open pages of its people close."
    return done(request, viewer, lambda: flow.revoke_group(viewer.environment, group, by=viewer.user), sentence)
