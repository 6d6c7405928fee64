"""Where machines call in, and where a load balancer asks whether we live."""

from __future__ import annotations

import json

from allauth.core import ratelimit
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from dashboard.flows.enrolment import enrol
from platform_manager.errors import UserError

from .origin import client_address

BODY_CAP = 16 * 1024
LIMIT = "join_failed"


@csrf_exempt
@never_cache
@require_POST
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Enrol a machine; errors are plain text, shown by the bootstrap script as they stand.

    An address that came with wrong tokens too often waits a minute; the bootstrap script tries again by itself.
    """
    # Without an address, such as behind a socket of this machine, there is nobody to slow down.
    counted = client_address(request) is not None
    if counted and not ratelimit.consume(request, action=LIMIT, dry_run=True):
        return _refused("Too many wrong tokens came from this address. Try again in a minute.", 429)
    if int(request.headers.get("Content-Length") or 0) > BODY_CAP:
        return _refused("The machine's facts are longer than 16 KiB.", 413)
    # A body that comes in chunks has no length beforehand.
    content = request.read(BODY_CAP + 1)
    if len(content) > BODY_CAP:
        return _refused("The machine's facts are longer than 16 KiB.", 413)
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return _refused("The machine's facts are not JSON.", 400)
    if not isinstance(body, dict):
        return _refused("The machine's facts are not a JSON object.", 400)
    try:
        host = enrol(token, body)
    except UserError as error:
        if counted:
            ratelimit.consume(request, action=LIMIT)
        return _refused(str(error), 403)
    return JsonResponse({"host": str(host.pk), "name": host.name})


def _refused(sentence: str, status: int) -> HttpResponse:
    return HttpResponse(sentence + "\n", status=status, content_type="text/plain; charset=utf-8")


@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 when the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")
