"""Where an environment's recipes come from: its catalogs, adding, changing, reading and removing them."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from dashboard.flows import catalogs as flows
from dashboard.forms.catalogs import CatalogForm, initial_of
from dashboard.forms.refusals import show_refusal
from dashboard.models import Catalog, CatalogKind, Right
from dashboard.pages import catalog_sources as pages
from dashboard.pages.viewer import Viewer
from platform_manager.errors import UserError

from .access import member, needs


@member
def catalogs(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    return render(request, "catalog/sources.html", pages.sources_page(viewer))


@sensitive_post_parameters()
@needs(Right.SETTINGS)
def catalog_new(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """``?kind=`` chooses what the form asks for."""
    asked = request.GET.get("kind", "")
    kind = next((one for one in flows.KINDS if one.value == asked), CatalogKind.GIT)
    posted = request.method == "POST"
    form = CatalogForm(request.POST, request.FILES, kind=kind) if posted else CatalogForm(kind=kind)
    if posted and form.is_valid() and _tried(form, lambda: _add(viewer, kind, form)):
        messages.success(request, f"{form.cleaned_data['name']} is added and read now.")
        return redirect("catalogs", viewer.environment.pk)
    context = {**viewer.shared, "form": form, "kind": kind.value, "kinds": flows.KINDS}
    return render(request, "catalog/new.html", context, status=422 if posted else 200)


def _add(viewer: Viewer, kind: CatalogKind, form: CatalogForm) -> Catalog:
    given = form.cleaned_data
    return flows.add_catalog(
        viewer.environment, viewer.user, kind=kind, name=given["name"], place=form.place, upload=given.get("upload")
    )


def _tried(form: CatalogForm, action: Callable[[], object]) -> bool:
    """Whether the flow did it; its refusal stands at the form's field otherwise."""
    try:
        action()
    except UserError as error:
        show_refusal(form, error)
        return False
    return True


@sensitive_post_parameters()
@needs(Right.SETTINGS)
def catalog_edit(request: HttpRequest, viewer: Viewer, catalog_id: UUID) -> HttpResponse:
    row = pages.own_catalog(viewer, catalog_id)
    posted, kind = request.method == "POST", CatalogKind(row.kind)
    data = (request.POST, request.FILES) if posted else ()
    form = CatalogForm(*data, kind=kind, row=row, initial=initial_of(row))
    if posted and form.is_valid() and _tried(form, lambda: _change(viewer, row, form)):
        messages.success(request, f"{form.cleaned_data['name']} is saved.")
        return redirect("catalogs", viewer.environment.pk)
    context = {**viewer.shared, "form": form, "catalog": row}
    return render(request, "catalog/edit.html", context, status=422 if posted else 200)


def _change(viewer: Viewer, row: Catalog, form: CatalogForm) -> None:
    given = form.cleaned_data
    place = form.place if "address" in given else None
    flows.change_catalog(row, viewer.user, name=given["name"], place=place, upload=given.get("upload"))


@require_POST
@needs(Right.SETTINGS)
def catalog_refresh(request: HttpRequest, viewer: Viewer, catalog_id: UUID) -> HttpResponse:
    row = pages.refreshable(viewer, catalog_id)
    flows.refresh_catalog(row, viewer.user)
    messages.info(request, f"{row.name} is read now.")
    return redirect("catalogs", viewer.environment.pk)


@needs(Right.SETTINGS)
def catalog_remove(request: HttpRequest, viewer: Viewer, catalog_id: UUID) -> HttpResponse:
    row = pages.own_catalog(viewer, catalog_id)
    if request.method == "POST":
        flows.remove_catalog(row, viewer.user)
        messages.success(request, f"{row.name} is removed. Stacks that came from it stay.")
        return redirect("catalogs", viewer.environment.pk)
    context = {**viewer.shared, "catalog": row, **pages.leaving(row)}
    return render(request, "catalog/remove.html", context)
