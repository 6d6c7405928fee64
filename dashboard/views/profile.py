"""The user's own page: who they are, and how they sign in."""

from __future__ import annotations

from typing import NamedTuple

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from dashboard.forms.profile import ProfileForm
from platform_manager.accounts.methods import form_origins

FACTORS = {"totp": "app", "webauthn": "key"}


class Summary(NamedTuple):
    """One line for each part of the profile."""

    address: str
    address_note: str
    address_colour: str
    password: bool
    connections: str
    ways: bool
    factors: str
    factors_colour: str


@login_required
def profile(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # noqa: S101 - login_required
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Your name is saved.")
        return redirect("profile")
    context = {"form": form, "profile": _summary(request.user)}
    return render(request, "profile/profile.html", context, status=422 if form.errors else 200)


def _summary(user: User) -> Summary:
    address = EmailAddress.objects.filter(user=user).order_by("-primary", "pk").first()
    text = address.email if address else user.email or "None yet."
    note = "" if text == "None yet." else "Confirmed" if address and address.verified else "Not confirmed"
    kinds = set(Authenticator.objects.filter(user=user).values_list("type", flat=True)) & FACTORS.keys()
    factors = "On: " + " and ".join(FACTORS[kind] for kind in sorted(kinds)) if kinds else "Off"
    accounts = SocialAccount.objects.filter(user=user).order_by("pk")
    return Summary(
        address=text,
        address_note=note,
        address_colour="green" if note == "Confirmed" else "yellow",
        password=settings.PM_LOCAL_ACCOUNTS and user.has_usable_password(),
        connections=", ".join(f"{one.get_provider().name}: {one.get_provider_account()}" for one in accounts),
        ways=bool(form_origins()),
        factors=factors,
        factors_colour="green" if kinds else "secondary",
    )
