"""Stacks: the list, one, deploying, updating and removing them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from dashboard.flows.stacks import Wish, deploy_stack, preview_stack, remove_stack
from dashboard.forms.stacks import StackForm, StackInput, read_input, typed_answers
from dashboard.models import Right, Stack
from dashboard.pages import stacks as pages
from dashboard.pages.snapshot import read
from dashboard.pages.viewer import Viewer
from platform_manager import recipes
from platform_manager.errors import UserError

from .access import member, needs, show

# Its address is taken by the page that deploys.
RESERVED = "deploy"


@member
def stacks(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    return show(request, viewer, pages.stacks_page(viewer, request.GET.dict()))


@member
def stack(request: HttpRequest, viewer: Viewer, name: str) -> HttpResponse:
    return show(request, viewer, pages.stack_page(viewer, {**request.GET.dict(), "name": name}))


@dataclass(frozen=True)
class Draft:
    """What the form holds, what deploying it would do, and which sentence stands at which field."""

    given: StackInput
    preview: recipes.Preview | None
    problems: list[recipes.Problem]
    errors: dict[str, str]
    unnamed: bool = False

    @property
    def sound(self) -> bool:
        return self.preview is not None and not self.errors and not any(p.severity == "error" for p in self.problems)

    @property
    def context(self) -> dict[str, Any]:
        given, preview = self.given, self.preview
        offers = [one.offer.partition(":")[2] for one in self.problems if one.offer.startswith("create-network:")]
        return {
            "given": given,
            "questions": given.questions,
            "question_names": " ".join(question.name for question in given.questions),
            "preview": preview,
            "problems": self.problems,
            "errors": self.errors,
            "deployable": self.sound and not self.unnamed,
            "unnamed": self.sound and self.unnamed,
            "missing_networks": offers,
            "empty": not given.compose.strip(),
        }


def _draft(viewer: Viewer, form: StackForm, earlier: Mapping[str, str], *, updating: bool) -> Draft:
    errors = {} if form.is_valid() else {name: str(found[0]) for name, found in form.errors.items()}
    given = read_input(form.cleaned_data, typed_answers(form.data), earlier)
    if given.failure is not None:
        if not given.compose.strip():
            return Draft(given, None, [], errors)
        errors.setdefault(given.failure.field or "compose", str(given.failure))
        if not given.questions:
            return Draft(given, None, list(getattr(given.failure, "problems", [])), errors)
    if not updating and given.compose.strip():
        taken = "This name is taken by the platform itself. Choose another one." if given.name == RESERVED else ""
        problem = recipes.stack_name_problem(given.name) or taken
        if problem:
            errors.setdefault("name", problem)
    try:
        wish = Wish(given.name, given.compose, given.answers)
        preview = preview_stack(viewer.environment, wish, updating=updating)
    except UserError as error:
        errors.setdefault(error.field or "compose", str(error))
        return Draft(given, None, list(getattr(error, "problems", [])), errors)
    named = next((one for one in preview.problems if one.path == "name"), None)
    if named:
        errors.setdefault("name", named.message)
    return Draft(given, preview, preview.problems, errors)


def _untyped(draft: Draft) -> Draft:
    """While one types, a name that is still to come is no mistake."""
    if draft.given.name or "name" not in draft.errors:
        return draft
    errors = {field: sentence for field, sentence in draft.errors.items() if field != "name"}
    problems = [problem for problem in draft.problems if problem.path != "name"]
    return replace(draft, errors=errors, problems=problems, unnamed=True)


def _builtin(name: str) -> recipes.BuiltinRecipe | None:
    return next((recipe for recipe in recipes.builtin() if recipe.name == name), None)


def _first_values(viewer: Viewer, chosen: recipes.BuiltinRecipe | None) -> dict[str, str]:
    if chosen is None:
        return {}
    name = recipes.suggest_stack_name(chosen.name)
    taken = {*viewer.environment.stacks.values_list("name", flat=True), *read(viewer.environment).services_by_stack}
    numbered = (f"{name}-{n}" for n in range(2, len(taken) + 3))
    free = next(one for one in (name, *numbered) if one not in taken)
    return {"name": free, "compose": chosen.compose, "recipe": chosen.name}


@needs(Right.DEPLOY)
def stack_deploy(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """``?recipe=`` chooses a built-in recipe."""
    if request.method == "POST":
        return _deploy(request, viewer, None)
    chosen = _builtin(request.GET.get("recipe", ""))
    form = StackForm(_first_values(viewer, chosen))
    return _form_page(request, viewer, _untyped(_draft(viewer, form, {}, updating=False)), None, chosen)


def _known(viewer: Viewer, name: str) -> Stack:
    found = viewer.environment.stacks.filter(name=name).first()
    if found is None:
        raise Http404("There is no such stack in this environment.")
    return found


def _last(known: Stack) -> tuple[str, dict[str, str]]:
    """The compose file and the answers of the newest revision."""
    revision = known.revisions.first()
    if revision is None:
        return "", {}
    answers = revision.answers if isinstance(revision.answers, dict) else {}
    return revision.compose, {str(name): str(value) for name, value in answers.items()}


@needs(Right.DEPLOY)
def stack_update(request: HttpRequest, viewer: Viewer, name: str) -> HttpResponse:
    known = _known(viewer, name)
    if request.method == "POST":
        return _deploy(request, viewer, known)
    compose, answers = _last(known)
    form = StackForm({"name": known.name, "compose": compose, "recipe": known.recipe})
    return _form_page(request, viewer, _draft(viewer, form, answers, updating=True), known, None)


def _form_page(
    request: HttpRequest,
    viewer: Viewer,
    draft: Draft,
    known: Stack | None,
    chosen: recipes.BuiltinRecipe | None,
    status: int = 200,
) -> HttpResponse:
    context = {
        **viewer.shared,
        **draft.context,
        "stack": known,
        "chosen": chosen,
        "recipes": [] if known else recipes.builtin(),
        "has_hosts": viewer.environment.hosts.exclude(node_id="").exists(),
    }
    return render(request, "stacks/form.html", context, status=status)


def _posted(request: HttpRequest, known: Stack | None) -> StackForm:
    data = request.POST.copy()
    if known is not None:
        data["name"], data["recipe"] = known.name, known.recipe
    return StackForm(data, request.FILES)


def _deploy(request: HttpRequest, viewer: Viewer, known: Stack | None) -> HttpResponse:
    earlier = _last(known)[1] if known else {}
    draft = _draft(viewer, _posted(request, known), earlier, updating=known is not None)
    given = draft.given
    if draft.preview is not None and not draft.errors:
        try:
            recipe = given.recipe if _builtin(given.recipe) else ""
            wish = Wish(given.name, given.compose, given.answers, recipe=recipe)
            operation = deploy_stack(viewer.environment, viewer.user, wish, updating=known is not None)
        except UserError as error:
            draft.errors[error.field or "form"] = str(error)
        else:
            address = reverse("operation", args=[viewer.environment.pk, operation.pk])
            return HttpResponseClientRedirect(address) if _htmx(request) else redirect(address)
    if not given.compose.strip():
        draft.errors.setdefault("compose", "Paste or upload a compose file, or choose a recipe.")
        if not given.name:
            draft.errors.setdefault("name", recipes.stack_name_problem(""))
    if _htmx(request):
        # What was typed, passwords too, stays in the browser; only the sentences come back.
        return _preview_answer(request, viewer, draft)
    return _form_page(request, viewer, draft, known, _builtin(given.recipe), 422)


def _htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


@needs(Right.DEPLOY)
@require_POST
def stack_preview(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """What deploying the form would do, while the user types; ``updating`` names a stack that exists."""
    known = _known(viewer, request.POST["updating"]) if request.POST.get("updating") else None
    earlier = _last(known)[1] if known else {}
    draft = _draft(viewer, _posted(request, known), earlier, updating=known is not None)
    return _preview_answer(request, viewer, _untyped(draft))


def _preview_answer(request: HttpRequest, viewer: Viewer, draft: Draft) -> HttpResponse:
    """The questions are drawn again only when they are others: typing must not lose its place."""
    context = {**viewer.shared, **draft.context}
    context["new_questions"] = request.POST.get("question_names", "") != context["question_names"]
    return render(request, "stacks/_answer.html", context)


@needs(Right.DEPLOY)
def stack_remove(request: HttpRequest, viewer: Viewer, name: str) -> HttpResponse:
    """Works for stacks that were deployed past the platform too."""
    view = read(viewer.environment)
    services = view.services_by_stack.get(name, [])
    known = viewer.environment.stacks.filter(name=name).first()
    if known is None and not services:
        raise Http404("There is no such stack in this environment.")
    refusal = ""
    if request.method == "POST":
        try:
            operation = remove_stack(viewer.environment, viewer.user, name)
        except UserError as error:
            refusal = str(error)
        else:
            return redirect("operation", viewer.environment.pk, operation.pk)
    context = {
        **viewer.shared,
        "name": name,
        "services": services,
        "tasks": sum(service.running for service in services),
        "networks": [network for network in view.networks if network.stack == name],
        "volumes": [volume for volume in view.volumes if volume.stack == name],
        "refusal": refusal,
    }
    return render(request, "stacks/remove.html", context, status=422 if refusal else 200)
