"""From where a request comes, for the audit log and for limits of tries."""

from __future__ import annotations

from collections.abc import Awaitable

from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from dashboard.models import AuditEntry
from dashboard.models.auditing import Origin, acting

from .middleware import Middleware

JOIN = "/join/"


def client_address(request: HttpRequest) -> str | None:
    """The client's address, as the limits of sign-in know it; behind a proxy the last one that it added."""
    try:
        address: str = get_adapter(request).get_client_ip(request)
    except PermissionDenied:
        return None
    # No database stores the name of a network card.
    return address.partition("%")[0]


def origin_of(request: HttpRequest) -> Origin:
    via = AuditEntry.Via.UI
    if request.path.startswith(reverse("admin:index")):
        via = AuditEntry.Via.ADMIN
    elif request.path.startswith(JOIN):
        via = AuditEntry.Via.HOST
    return Origin(via, client_address(request), lambda: getattr(request, "user", None))


class RequestOrigin(Middleware):
    """What a request does is recorded as its own."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self._async(request)
        with acting(origin_of(request)):
            return self.get_response(request)

    async def _async(self, request: HttpRequest) -> HttpResponseBase:
        with acting(origin_of(request)):
            response = self.get_response(request)
            return response if isinstance(response, HttpResponseBase) else await response
