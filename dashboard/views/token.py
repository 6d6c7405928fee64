"""The token of forms: it changes when somebody signs in in another tab, and pages that are open ask for it anew."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.views.csrf import csrf_failure
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

STALE = "X-Form-Token"


@never_cache
@require_GET
def token(request: HttpRequest) -> JsonResponse:
    """``{"token": ...}``, which goes with the cookie of this moment. Other sites can't read it."""
    return JsonResponse({"token": get_token(request)})


def refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW, with a header that tells scripts why."""
    response = csrf_failure(request, reason=reason)
    response.headers[STALE] = "refused"
    return response
