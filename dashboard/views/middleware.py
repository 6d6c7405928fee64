"""What every response carries: nothing inline, nothing from elsewhere, nothing for other sites."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from platform_manager.accounts.methods import form_origins

HEADER = "Content-Security-Policy"
# What pages of the platform never ask a browser for; passkeys are the platform's own.
UNUSED = ("camera", "display-capture", "geolocation", "microphone", "midi", "payment", "serial", "usb")
OTHERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join([*(f"{name}=()" for name in UNUSED), "publickey-credentials-get=(self)"]),
}

# Set on requests by pages of the admin site, whose widgets (Alpine.js) evaluate expressions in its templates.
EVALUATES = "evaluates"

Handler = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


def policy(request: HttpRequest) -> str:
    """The policy; websockets to the same host are named for older browsers.

    Forms may lead to the sign-in providers: signing in and out are forms that answer with a redirect to them, and
    browsers hold redirects to form-action as well.
    """
    try:
        host = request.get_host()
        sockets = f" ws://{host} wss://{host}"
    except DisallowedHost:
        sockets = ""
    evaluation = " 'unsafe-eval'" if hasattr(request, EVALUATES) else ""
    forms = " ".join(["'self'", *form_origins()])
    return (
        f"default-src 'self'; script-src 'self'{evaluation}; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self'{sockets}; object-src 'none'; frame-ancestors 'none'; "
        f"base-uri 'self'; form-action {forms}"
    )


class Middleware:
    """For both kinds of handlers: ``is_async`` says which kind ``get_response`` is."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        raise NotImplementedError


class ContentSecurityPolicy(Middleware):
    """The outermost, so that errors and static files are covered too."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self._async(request)
        response = self.get_response(request)
        assert isinstance(response, HttpResponseBase)  # noqa: S101 - the handler is not async
        return self._with_headers(request, response)

    async def _async(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        return self._with_headers(request, response if isinstance(response, HttpResponseBase) else await response)

    def _with_headers(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response.headers.setdefault(HEADER, policy(request))
        for name, value in OTHERS.items():
            response.headers.setdefault(name, value)
        return response
