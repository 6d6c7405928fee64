"""Middleware: pages about passwords answer only where, and for whom, there are passwords."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin

from . import roles

LOCAL_PAGES = frozenset(
    {
        "account_signup",
        "account_change_password",
        "account_set_password",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key",
        "account_reset_password_from_key_done",
        "mfa_login_webauthn",
    }
)


class LocalAccounts(MiddlewareMixin):
    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        name = request.resolver_match.url_name if request.resolver_match else ""
        if not settings.PM_LOCAL_ACCOUNTS and (
            name in LOCAL_PAGES or (name == "account_login" and request.method == "POST")
        ):
            return render(request, "account/local_off.html", status=403)
        if name == "account_set_password" and isinstance(request.user, User) and roles.comes_from_fiware(request.user):
            return render(request, "account/only_fiware.html", status=403)
        return None
