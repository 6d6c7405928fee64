"""Deploying a stack and updating one: the form, its preview while one types, and the plan."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from dashboard.flows.stacks import deploy_stack
from dashboard.forms.sources import Source
from dashboard.forms.stacks import StackForm
from dashboard.models import Right, Stack
from dashboard.pages.deploy import Draft, data_of, draft
from dashboard.pages.deploy_sources import cards, free_name, source_of, upgrade, version_choices
from dashboard.pages.plans import plan_context
from dashboard.pages.revisions import under_way
from dashboard.pages.viewer import Viewer
from platform_manager import recipes
from platform_manager.errors import UserError

from .access import needs
from .turns import by_turns


@sensitive_post_parameters()
@by_turns
@needs(Right.DEPLOY)
def stack_deploy(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """``?version=`` chooses a version of a catalog's recipe, ``?recipe=`` a built-in one."""
    if request.method == "POST":
        return _deploy(request, viewer, None)
    source = source_of(viewer, request.GET.dict(), None)
    form = StackForm(data_of({"name": free_name(viewer, source)}, source))
    return _form_page(request, viewer, draft(viewer, form, source, None, patient=True), None)


def _known(viewer: Viewer, name: str) -> Stack:
    found = viewer.environment.stacks.select_related("source").filter(name=name).first()
    if found is None:
        raise Http404("There is no such stack in this environment.")
    return found


@sensitive_post_parameters()
@by_turns
@needs(Right.DEPLOY)
def stack_update(request: HttpRequest, viewer: Viewer, name: str) -> HttpResponse:
    """``?version=`` chooses another version of the recipe that the stack came from."""
    known = _known(viewer, name)
    if request.method == "POST":
        return _deploy(request, viewer, known)
    source = source_of(viewer, request.GET.dict(), known)
    form = StackForm(data_of({"name": known.name}, source))
    return _form_page(request, viewer, draft(viewer, form, source, known, patient=True), known)


def _form_page(
    request: HttpRequest, viewer: Viewer, draft: Draft, known: Stack | None, status: int = 200, **more: Any
) -> HttpResponse:
    source = draft.given.source
    context = {
        **viewer.shared,
        **draft.context,
        **_about(viewer, source, known),
        "chosen": source.builtin,
        "recipes": [] if known or source.version else recipes.builtin(),
        "cards": [] if known or source.version else cards(viewer),
        "upgrade": upgrade(viewer, known) if known else None,
        "has_hosts": viewer.environment.hosts.exclude(node_id="").exists(),
        **more,
    }
    return render(request, "stacks/form.html", context, status=status)


def _about(viewer: Viewer, source: Source, known: Stack | None) -> dict[str, Any]:
    recipe = source.version.recipe if source.version else known.source if known else None
    return {
        "stack": known,
        "under_way": under_way(known),
        "of_recipe": recipe,
        "versions": version_choices(viewer, source, known),
    }


def _posted(request: HttpRequest, viewer: Viewer, known: Stack | None, *, patient: bool = False) -> Draft:
    data = request.POST.copy()
    if known is not None:
        data["name"] = known.name
    source = source_of(viewer, {name: data.get(name, "") for name in ("version", "recipe")}, known)
    return draft(viewer, StackForm(data, request.FILES), source, known, patient=patient)


def _deploy(request: HttpRequest, viewer: Viewer, known: Stack | None) -> HttpResponse:
    """``look`` only shows the preview and the plan: the button of browsers without scripts."""
    looks = "look" in request.POST
    try:
        made = _posted(request, viewer, known, patient=looks)
    except Http404 as gone:
        return _told(request, gone)
    if looks:
        ready = made.sound and not made.unnamed
        plan = plan_context(viewer.environment, made.wish, updating=known is not None) if ready else {}
        return _form_page(request, viewer, made, known, **plan)
    if made.sound:
        try:
            operation = deploy_stack(viewer.environment, viewer.user, made.wish, updating=known is not None)
        except UserError as error:
            made.errors[error.field or "form"] = str(error)
        else:
            address = reverse("operation", args=[viewer.environment.pk, operation.pk])
            return HttpResponseClientRedirect(address) if _htmx(request) else redirect(address)
    if made.empty:
        made.errors.setdefault("compose", "Paste or upload a compose file, or choose a recipe.")
        if not made.given.name:
            made.errors.setdefault("name", recipes.stack_name_problem(""))
    if _htmx(request):
        # What was typed, passwords too, stays in the browser; only the sentences come back.
        return _preview_answer(request, viewer, made, known)
    return _form_page(request, viewer, made, known, 422)


def _htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def _told(request: HttpRequest, gone: Http404) -> HttpResponse:
    """A catalog may lose a version while somebody fills in the form: what they typed stays before them."""
    if not _htmx(request):
        raise gone
    return render(request, "stacks/_preview.html", {"errors": {"form": str(gone)}, "wrong": True})


def _updated(request: HttpRequest, viewer: Viewer) -> Stack | None:
    return _known(viewer, request.POST["updating"]) if request.POST.get("updating") else None


@sensitive_post_parameters()
@by_turns
@needs(Right.DEPLOY)
@require_POST
def stack_preview(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """What deploying the form would do, while the user types; ``updating`` names a stack that exists."""
    try:
        known = _updated(request, viewer)
        made = _posted(request, viewer, known, patient=True)
    except Http404 as gone:
        return _told(request, gone)
    return _preview_answer(request, viewer, made, known)


def _preview_answer(request: HttpRequest, viewer: Viewer, made: Draft, known: Stack | None) -> HttpResponse:
    """What one types in is drawn again only where it became something else: typing must not lose its place."""
    context = {**viewer.shared, **made.context, **_about(viewer, made.given.source, known)}
    readable = made.given.failure is None or made.empty
    context["new_questions"] = readable and request.POST.get("question_names", "") != made.question_names
    context["new_asked"] = readable and request.POST.get("asked_names", "") != made.asked_names
    context["new_source"] = request.POST.get("source_mark", made.source_mark) != made.source_mark
    return render(request, "stacks/_answer.html", context)


@sensitive_post_parameters()
@by_turns
@needs(Right.DEPLOY)
@require_POST
def stack_plan(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """What would be created, changed and removed; nothing while the form is not in order."""
    known = _updated(request, viewer)
    made = _posted(request, viewer, known, patient=True)
    if not made.sound or made.unnamed:
        return HttpResponse()
    plan = plan_context(viewer.environment, made.wish, updating=known is not None)
    return render(request, "stacks/_plan.html", {**viewer.shared, **plan})
