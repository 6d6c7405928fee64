"""The admin site's sign-in is everybody's."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode


def admin_sign_in(request: HttpRequest) -> HttpResponseRedirect:
    if request.user.is_authenticated:
        raise PermissionDenied("The admin site is for operators.")
    wanted = request.GET.get("next") or reverse("admin:index")
    return HttpResponseRedirect(f"{reverse('account_login')}?{urlencode({'next': wanted})}")
