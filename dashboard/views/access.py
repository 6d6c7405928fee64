"""The one place where a view gets its environment: who may see it, and who may change it.

Visitors who are not signed in go to the sign-in page, outsiders get 404 (they shall not learn that the
environment exists), and members without the right get 403 with a sentence. Who has which right is said in
:mod:`dashboard.models.permissions`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django_htmx.http import HttpResponseClientRefresh

from dashboard.models import Right
from dashboard.models.auditing import record_refusal
from dashboard.models.permissions import refusal
from dashboard.pages.live import Page
from dashboard.pages.viewer import Viewer, viewer_of

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Viewer, P], HttpResponse]


def member(view: View[P]) -> Callable[..., HttpResponseBase]:
    """For pages that every member sees; the view gets a :class:`Viewer` instead of the environment's id."""
    return _guard(view, deleted=False)


def witness(view: View[P]) -> Callable[..., HttpResponseBase]:
    """Like :func:`member`, and after the environment was deleted too."""
    return _guard(view, deleted=True)


def _guard(view: View[P], *, deleted: bool) -> Callable[..., HttpResponseBase]:
    @wraps(view)
    def guarded(request: HttpRequest, pk: UUID, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            if request.headers.get("HX-Request"):
                return HttpResponseClientRefresh()
            return redirect_to_login(request.get_full_path())
        viewer = viewer_of(request.user, pk, deleted=deleted)
        if viewer is None:
            raise Http404("There is no such environment, or you are not a member of it.")
        return view(request, viewer, *args, **kwargs)

    return guarded


def needs(right: Right) -> Callable[[View[P]], Callable[..., HttpResponseBase]]:
    """For pages and actions that take a right of their own: who looks only is refused with a sentence."""

    def decorate(view: View[P]) -> Callable[..., HttpResponseBase]:
        def guarded(request: HttpRequest, viewer: Viewer, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            demand(viewer, right)
            return view(request, viewer, *args, **kwargs)

        return wraps(view)(member(guarded))

    return decorate


def demand(viewer: Viewer, right: Right) -> None:
    """PermissionDenied with a sentence for who lacks the right."""
    if not viewer.may(right):
        record_refusal(f"access.{right.value}", viewer.environment, by=viewer.user)
        raise PermissionDenied(refusal(viewer.role, right, viewer.environment.owner))


def live_url(viewer: Viewer, page: Page) -> str:
    """Where the browser gets the page's changes; ``seen`` says what it shows already."""
    query = urlencode({"page": page.name, **page.params, "seen": page.digest()})
    return f"/ws/environments/{viewer.environment.pk}/?{query}"


def show(request: HttpRequest, viewer: Viewer, page: Page, **extra: Any) -> HttpResponse:
    """The whole page as a response."""
    context = {**page.context, **extra, "live_url": live_url(viewer, page) if page.live else ""}
    return render(request, page.template, context)
