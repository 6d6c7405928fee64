"""The page of an unexpected error, with a reference that the operator finds in the log."""

from __future__ import annotations

import logging
import secrets

from django.http import HttpRequest, HttpResponseServerError
from django.template.loader import render_to_string

log = logging.getLogger("platform.pages")


def server_error(request: HttpRequest) -> HttpResponseServerError:
    """Django's handler500; the trace itself is logged by Django under the same address and time."""
    reference = secrets.token_hex(4)
    log.error("reference %s: %s %s failed", reference, request.method, request.path, exc_info=True)
    # Without the request's context: what failed may be a context processor.
    page = render_to_string("500.html", {"reference": reference, "path": request.path})
    return HttpResponseServerError(page)
