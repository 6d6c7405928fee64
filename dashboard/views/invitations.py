"""Invitations: sending them from an environment's members, and answering them."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from dashboard.flows import invitations as flow
from dashboard.forms.members import InviteForm
from dashboard.forms.refusals import show_refusal
from dashboard.models import Invitation, Right
from dashboard.pages.viewer import Viewer
from platform_manager.errors import UserError

from .access import needs
from .members import ask, done


@needs(Right.MEMBERS)
def members_invite(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    form = InviteForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            sent = flow.invite(viewer.environment, viewer.user, **form.cleaned_data)
        except UserError as error:
            show_refusal(form, error)
        else:
            return _sent(request, viewer, sent)
    return ask(request, viewer, "members/invite.html", form)


def _sent(request: HttpRequest, viewer: Viewer, sent: flow.Sent) -> HttpResponse:
    """The link is shown in this answer and never again: only its digest is stored."""
    answer = render(request, "members/sent.html", {**viewer.shared, "sent": sent, "invitation": sent.invitation})
    answer["Cache-Control"] = "no-store"
    return answer


def _of(viewer: Viewer, invitation_id: UUID) -> Invitation:
    found = Invitation.objects.open().filter(environment=viewer.environment, pk=invitation_id)
    invitation = found.select_related("environment", "user", "invited_by").first()
    if invitation is None:
        raise Http404("This invitation was answered or withdrawn, or is too old.")
    return invitation


@needs(Right.MEMBERS)
def invitation(request: HttpRequest, viewer: Viewer, invitation_id: UUID) -> HttpResponse:
    context = {**viewer.shared, "invitation": _of(viewer, invitation_id)}
    return render(request, "members/invitation.html", context)


@require_POST
@needs(Right.MEMBERS)
def invitation_again(request: HttpRequest, viewer: Viewer, invitation_id: UUID) -> HttpResponse:
    found = _of(viewer, invitation_id)
    try:
        return _sent(request, viewer, flow.invite_again(found, viewer.user))
    except UserError as error:
        messages.error(request, str(error))
        return redirect("invitation", viewer.environment.pk, found.pk)


@require_POST
@needs(Right.MEMBERS)
def invitation_withdraw(request: HttpRequest, viewer: Viewer, invitation_id: UUID) -> HttpResponse:
    found = _of(viewer, invitation_id)
    sentence = f"The invitation of {found.user or found.email} is withdrawn; its link ends."
    return done(request, viewer, lambda: flow.withdraw(found, viewer.user), sentence)


# For who is invited


@never_cache
@login_required
def invitation_link(request: HttpRequest, token: str) -> HttpResponse:
    """Where the link of an invitation leads. Who holds it may read who invites to what."""
    assert isinstance(request.user, User)  # noqa: S101 - login_required
    found = flow.invitation_of(token)
    if found is None:
        return render(request, "invitations/gone.html", {"text": flow.GONE}, status=404)
    if request.method == "POST":
        return _answered(request, found)
    other = found.user if found.user and found.user != request.user else None
    member_already = found.environment.memberships.filter(user=request.user).exists()
    context = {"invitation": found, "meant_for": other, "member_already": member_already}
    return render(request, "invitations/invitation.html", context)


@require_POST
@login_required
def invitation_answer(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """The answer from one's list of environments, for who is invited by name or by a proven address."""
    assert isinstance(request.user, User)  # noqa: S101 - login_required
    found = flow.invitations_for(request.user).filter(pk=invitation_id).first()
    if found is None:
        raise Http404("This invitation was answered or withdrawn, or is too old.")
    return _answered(request, found)


def _answered(request: HttpRequest, found: Invitation) -> HttpResponse:
    assert isinstance(request.user, User)  # noqa: S101 - login_required
    accepts = request.POST.get("answer") == "accept"
    try:
        if accepts:
            flow.accept(found, request.user)
        elif request.POST.get("answer") == "decline":
            flow.decline(found, request.user)
        else:
            raise UserError("Choose to accept or to decline.")
    except UserError as error:
        if request.headers.get("HX-Request"):
            messages.error(request, str(error))
            return HttpResponseClientRedirect(reverse("environments"))
        return render(request, "invitations/gone.html", {"text": str(error)}, status=422)
    if accepts:
        messages.success(request, f"Welcome to {found.environment.name}.")
        return _go(request, reverse("environment", args=[found.environment_id]))
    messages.success(request, f"You have declined the invitation to {found.environment.name}.")
    return _go(request, reverse("environments"))


def _go(request: HttpRequest, address: str) -> HttpResponse:
    """Buttons of live rows send background requests; then the page goes there, not the answer."""
    return HttpResponseClientRedirect(address) if request.headers.get("HX-Request") else redirect(address)
