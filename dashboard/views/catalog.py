"""The catalog: its recipes, one of them, and their logos."""

from __future__ import annotations

from hashlib import blake2b
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

from dashboard.catalogs.logos import kind_of
from dashboard.pages.catalog import catalog_page
from dashboard.pages.catalog_recipe import recipe_of, recipe_page
from dashboard.pages.viewer import Viewer

from .access import member
from .middleware import HEADER

# A picture that is opened alone may hold scripts: it runs none, and loads nothing.
LOGO_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'"


@member
def catalog(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    return render(request, "catalog/list.html", catalog_page(viewer, request.GET.dict()))


@member
def catalog_recipe(request: HttpRequest, viewer: Viewer, recipe_id: UUID) -> HttpResponse:
    """``?version=`` chooses one by its label."""
    return render(request, "catalog/recipe.html", recipe_page(viewer, recipe_id, request.GET.dict()))


@member
def catalog_logo(request: HttpRequest, viewer: Viewer, recipe_id: UUID) -> HttpResponse:
    logo = bytes(recipe_of(viewer, recipe_id).logo or b"")
    kind = kind_of(logo)
    if not kind:
        raise Http404("This recipe has no logo.")
    etag = quote_etag(blake2b(logo, digest_size=12).hexdigest())
    response = HttpResponse(logo, content_type=kind)
    response[HEADER] = LOGO_POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=3600"
    response["ETag"] = etag
    found = get_conditional_response(request, etag=etag, response=response)
    return found if isinstance(found, HttpResponse) else response
