"""Revisions of a stack: one, two side by side, going back, deploying again, taking away; and adopted stacks."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from dashboard.flows import adoption, revisions
from dashboard.models import Right
from dashboard.pages import revisions as pages
from dashboard.pages.snapshot import read
from dashboard.pages.viewer import Viewer
from platform_manager.errors import PlatformError, UserError

from .access import member, needs
from .planned import planned_first
from .turns import by_turns


@member
def stack_revision(request: HttpRequest, viewer: Viewer, name: str, n: int) -> HttpResponse:
    return render(request, "stacks/revision.html", pages.revision_context(viewer, name, n))


@by_turns
@member
def stack_compare(request: HttpRequest, viewer: Viewer, name: str) -> HttpResponse:
    """``from`` and ``to`` are numbers of revisions; without them the newest and the one before."""
    return render(request, "stacks/compare.html", pages.compare_context(viewer, name, request.GET.dict()))


@by_turns
@needs(Right.DEPLOY)
def stack_roll_back(request: HttpRequest, viewer: Viewer, name: str, n: int) -> HttpResponse:
    context = pages.revision_context(viewer, name, n)
    stack, environment = context["stack"], viewer.environment
    return planned_first(
        request,
        viewer,
        "stacks/roll_back.html",
        context,
        plan=lambda: revisions.plan_of_roll_back(environment, stack, n),
        act=lambda: revisions.roll_back(environment, viewer.user, stack, n),
    )


@by_turns
@needs(Right.DEPLOY)
def stack_redeploy(request: HttpRequest, viewer: Viewer, name: str) -> HttpResponse:
    """The newest revision once more."""
    context = pages.redeployment_context(viewer, name)
    stack, environment = context["stack"], viewer.environment
    return planned_first(
        request,
        viewer,
        "stacks/redeploy.html",
        context,
        plan=lambda: revisions.plan_of_redeployment(environment, stack),
        act=lambda: revisions.redeploy(environment, viewer.user, stack),
    )


@by_turns
@needs(Right.DEPLOY)
def stack_export(request: HttpRequest, viewer: Viewer, name: str, n: int) -> HttpResponse:
    """A folder that plain ``docker stack deploy`` takes, as a zip archive; secret answers stay variables."""
    revision = pages.known_revision(pages.known_stack(viewer, name), n)
    try:
        data = revisions.export(revision)
    except UserError as error:
        messages.error(request, f"It can't be exported: {error}")
        return redirect("stack_revision", viewer.environment.pk, name, n)
    headers = {"Content-Disposition": f'attachment; filename="{name}-{n}.zip"'}
    return HttpResponse(data, content_type="application/zip", headers=headers)


@needs(Right.DEPLOY)
def stack_adopt(request: HttpRequest, viewer: Viewer, name: str) -> HttpResponse:
    """For a stack that was deployed outside the platform."""
    services = read(viewer.environment).services_by_stack.get(name, [])
    if not services or viewer.environment.stacks.filter(name=name).exists():
        raise Http404("There is no such stack in this environment that could be adopted.")
    refusal = ""
    if request.method == "POST":
        try:
            adoption.adopt(viewer.environment, viewer.user, name)
        except PlatformError as error:
            refusal = str(error)
        else:
            messages.success(request, f"{name} belongs to the platform now.")
            return redirect("stack", viewer.environment.pk, name)
    context = {**viewer.shared, "name": name, "services": services, "refusal": refusal}
    return render(request, "stacks/adopt.html", context, status=422 if refusal else 200)


@needs(Right.DEPLOY)
def stack_release(request: HttpRequest, viewer: Viewer, name: str) -> HttpResponse:
    """The platform forgets the stack, which goes on running."""
    stack = pages.known_stack(viewer, name)
    refusal = ""
    if request.method == "POST":
        try:
            adoption.release(viewer.environment, viewer.user, name)
        except UserError as error:
            refusal = str(error)
        else:
            messages.success(request, f"{name} was released: it goes on running, deployed outside the platform.")
            return redirect("stack", viewer.environment.pk, name)
    context = {**viewer.shared, "stack": stack, "revisions": stack.revisions.count(), "refusal": refusal}
    return render(request, "stacks/release.html", context, status=422 if refusal else 200)
