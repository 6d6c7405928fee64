"""The pages shown when something went wrong: in the frame for who is signed in, plain for everybody else.

They name an environment to its members only; to others one that they may not see and one that is not there look the
same.
"""

from __future__ import annotations

import logging
import secrets
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseServerError
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse

from dashboard.pages.viewer import viewer_of

log = logging.getLogger("platform.pages")

FRAMED = "error_framed.html"


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    context = _frame(request)
    if "environment" in context and isinstance(exception, Http404):
        context["sentence"] = _sentence(exception)
    return render(request, "404.html", context, status=404)


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    sentence = str(exception) if isinstance(exception, PermissionDenied) else ""
    return render(request, "403.html", {**_frame(request), "exception": sentence}, status=403)


def _frame(request: HttpRequest) -> dict[str, Any]:
    """The layout, and the environment of the address where the user may see it."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    pk = _environment_id(request)
    viewer = viewer_of(user, pk) if pk else None
    return {"layout": FRAMED, **(viewer.shared if viewer else {})}


def _environment_id(request: HttpRequest) -> UUID | None:
    """Whose page it would be, by its address, which need not be one of a view."""
    start, _, rest = request.path_info.partition(reverse("environments"))
    try:
        return None if start else UUID(rest.partition("/")[0])
    except ValueError:
        return None


def _sentence(exception: Http404) -> str:
    """What a view says is missing. Django's own words about addresses and models are not for people."""
    words = exception.args[0] if exception.args else ""
    told = isinstance(words, str) and not words.endswith("matches the given query.")
    return words if told else ""


def server_error(request: HttpRequest) -> HttpResponseServerError:
    """Django's handler500; the trace itself is logged by Django under the same address and time."""
    reference = secrets.token_hex(4)
    log.error("reference %s: %s %s failed", reference, request.method, request.path, exc_info=True)
    # Without the request's context: what failed may be a context processor.
    page = render_to_string("500.html", {"reference": reference, "path": request.path})
    return HttpResponseServerError(page)
