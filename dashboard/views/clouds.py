"""The user's cloud accounts. They are their owner's alone; others use them without seeing them."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from dashboard.flows import clouds as flows
from dashboard.flows.cleanups import leftover_keys, unfinished
from dashboard.forms.clouds import ChangeAccountForm, CloudAccountForm, ShareForm
from dashboard.forms.refusals import show_refusal
from dashboard.models import CloudAccount, CloudPreset
from platform_manager.errors import PlatformError, UserError


def signed_in(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - login_required
    return request.user


def own_account(request: HttpRequest, account_id: UUID) -> CloudAccount:
    found = (
        CloudAccount.objects.select_related("preset", "owner").filter(owner=signed_in(request), pk=account_id).first()
    )
    if found is None:
        raise Http404("There is no such cloud account, or it is not yours.")
    return found


def show_failure(form: forms.Form, error: PlatformError) -> None:
    """The sentence at its field, or above the form."""
    show_refusal(form, error if isinstance(error, UserError) else UserError(str(error)))


@login_required
def cloud_accounts(request: HttpRequest) -> HttpResponse:
    found = signed_in(request).cloud_accounts.select_related("preset").prefetch_related("environments", "hosts")
    return render(request, "clouds/list.html", {"accounts": list(found)})


@sensitive_post_parameters()
@login_required
def cloud_account_new(request: HttpRequest) -> HttpResponse:
    """In the background only errors are sent back, so what was typed, secrets too, stays in the browser's fields."""
    posted = request.method == "POST"
    first = CloudPreset.objects.exclude(auth_url="").first()
    form = CloudAccountForm(request.POST, request.FILES) if posted else CloudAccountForm(initial={"preset": first})
    made = _added(request, form) if posted else None
    background = request.headers.get("HX-Request") == "true"
    if made is not None:
        there = redirect("cloud_account", made.pk) if not made.region else redirect("cloud_accounts")
        return HttpResponseClientRedirect(there.url) if background else there
    if background:
        return render(request, "clouds/_errors.html", {"form": form})
    return render(request, "clouds/new.html", {"form": form}, status=422 if posted else 200)


def _added(request: HttpRequest, form: CloudAccountForm) -> CloudAccount | None:
    if not form.is_valid():
        return None
    given = form.cleaned_data
    try:
        made = flows.add_account(signed_in(request), name=given["name"], account=form.account(), preset=given["preset"])
    except PlatformError as error:
        show_failure(form, error)
        return None
    if made.region:
        messages.success(request, f"{made.name} works. Choose it where you add hosts to an environment.")
    else:
        messages.info(request, "The cloud accepted the account. It has several regions: choose one.")
    return made


@sensitive_post_parameters()
@login_required
def cloud_account(request: HttpRequest, account_id: UUID) -> HttpResponse:
    row = own_account(request, account_id)
    initial = {"name": row.name, "region": row.region}
    by_credential = bool((row.secret or {}).get("credential_id"))
    data = request.POST if request.method == "POST" else None
    form = ChangeAccountForm(data, initial=initial, regions=row.regions, by_credential=by_credential)
    if request.method == "POST" and form.is_valid():
        try:
            flows.change_account(row, by=signed_in(request), **form.cleaned_data)
        except PlatformError as error:
            show_failure(form, error)
            row.refresh_from_db()
        else:
            messages.success(request, f"{row.name} is saved.")
            return redirect("cloud_account", row.pk)
    context = {"account": row, "form": form, "share": _share_form(row, signed_in(request)), **_hosts(row)}
    return render(request, "clouds/account.html", context, status=422 if form.errors else 200)


def _hosts(row: CloudAccount) -> dict[str, object]:
    hosts = row.hosts.select_related("environment").order_by("environment__name", "name")
    left = {"cleanup": unfinished(row), "leftover_keys": leftover_keys(row)}
    return {"hosts": list(hosts), "refusal": flows.why_kept(row), **left}


def _share_form(row: CloudAccount, user: User, data: object = None) -> ShareForm:
    shared = list(row.environments.all())
    known = {str(one.pk): one.name for one in [*flows.shareable_with(user), *shared]}
    initial = {"environments": [str(one.pk) for one in shared]}
    choices = sorted(known.items(), key=lambda pair: pair[1].lower())
    return ShareForm(data, initial=initial, choices=choices)


@login_required
@require_POST
def cloud_account_share(request: HttpRequest, account_id: UUID) -> HttpResponse:
    row = own_account(request, account_id)
    form = _share_form(row, signed_in(request), request.POST)
    if form.is_valid():
        chosen = [UUID(pk) for pk in form.cleaned_data["environments"]]
        flows.share_account(row, chosen, by=signed_in(request))
        count = row.environments.count()
        messages.success(request, f"{row.name} is shared with {count} environment{'' if count == 1 else 's'}.")
    else:
        messages.error(request, " ".join(str(sentence) for sentence in form.errors["environments"]))
    return redirect("cloud_account", row.pk)


@login_required
@require_POST
def cloud_account_check(request: HttpRequest, account_id: UUID) -> HttpResponse:
    row = own_account(request, account_id)
    problem = flows.check_account(row)
    if problem:
        messages.error(request, problem)
    else:
        messages.success(request, f"{row.name} works.")
    return redirect("cloud_account", row.pk)


@login_required
@require_POST
def cloud_account_delete(request: HttpRequest, account_id: UUID) -> HttpResponse:
    row = own_account(request, account_id)
    try:
        flows.delete_account(row, by=signed_in(request))
    except UserError as error:
        messages.error(request, str(error))
        return redirect("cloud_account", row.pk)
    messages.success(request, f"{row.name} is deleted. Nothing changed in the cloud.")
    return redirect("cloud_accounts")
