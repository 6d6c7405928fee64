"""Deeds: what an operator does to one thing, after a page that says what follows.

Buttons lead to the page (GET), its form does it (POST): nothing changes by following a link.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from dashboard.forms.refusals import show_refusal
from platform_manager.errors import PlatformError, UserError

Thing = TypeVar("Thing", bound=Model)
MOST_AT_ONCE = 100


@dataclass(frozen=True)
class Deed(Generic[Thing]):
    """``do`` gives the sentence that tells of the success, and raises UserError where it can't be done."""

    slug: str
    title: str
    explain: Callable[[Thing], list[str]]
    do: Callable[[Thing, User, Mapping[str, Any]], str]
    offered: Callable[[Thing, Any], bool] = lambda thing, user: True
    form: type[forms.Form] = forms.Form
    danger: bool = False
    icon: str = "play_arrow"


def perform(admin: ModelAdmin[Any], request: HttpRequest, obj: Any, deed: Deed[Any]) -> HttpResponse:
    """The page of a deed, or what came of it."""
    back = reverse(f"admin:{admin.opts.app_label}_{admin.opts.model_name}_change", args=[obj.pk])
    if not deed.offered(obj, request.user):
        messages.warning(request, f"“{deed.title}” is not possible now: {obj} has changed meanwhile.")
        return HttpResponseRedirect(back)
    form = deed.form(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and _done(request, obj, deed, form):
        return HttpResponseRedirect(back)
    context = {
        **admin.admin_site.each_context(request),
        "title": f"{deed.title}: {obj}",
        "opts": admin.opts,
        "deed": deed,
        "object": obj,
        "consequences": deed.explain(obj),
        "form": form,
        "back": back,
    }
    return TemplateResponse(request, "admin/deed.html", context, status=422 if form.errors else 200)


def _done(request: HttpRequest, obj: Any, deed: Deed[Any], form: forms.Form) -> bool:
    if TYPE_CHECKING:
        assert isinstance(request.user, User)
    try:
        messages.success(request, deed.do(obj, request.user, form.cleaned_data))
    except UserError as error:
        show_refusal(form, error)
        return False
    return True


def each(request: HttpRequest, queryset: QuerySet[Any], do: Callable[[Any, Any], Any], done: str) -> None:
    """Do the same to all chosen rows, and say how many it was done to and what stood in the way of the others."""
    count, refusals = 0, []
    for obj in queryset[:MOST_AT_ONCE]:
        try:
            do(obj, request.user)
        except PlatformError as error:
            refusals.append(f"{obj}: {error}")
        else:
            count += 1
    if count:
        messages.success(request, f"{count} {done}.")
    for sentence in refusals[:10]:
        messages.error(request, sentence)
    if len(refusals) > 10:
        messages.error(request, f"And {len(refusals) - 10} more could not be done.")
    if queryset.count() > MOST_AT_ONCE and count:
        messages.warning(request, f"Only the first {MOST_AT_ONCE} were looked at: that is the most at once.")
