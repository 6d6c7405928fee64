"""What is left over in a cloud account's project, and its clean-up: for the account's owner alone."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from dashboard.flows import cleanups as flows
from dashboard.forms.clouds import CleanupForm
from dashboard.models import CloudAccount
from dashboard.pages.cleanup import cleanup_page, with_lists
from platform_manager.errors import PlatformError

from .clouds import own_account, show_failure, signed_in

# What the lists listen for: they are read anew once a clean-up has ended.
ENDED = "cleanup-ended"


@login_required
def cloud_cleanup(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """The page is there at once, the cloud's lists come after it; what is wrong with a choice stands beside it."""
    account = own_account(request, account_id)
    posted = request.method == "POST"
    form = CleanupForm(request.POST) if posted else CleanupForm()
    if posted and _asked(request, account, form):
        return redirect("cloud_cleanup", account.pk)
    page = cleanup_page(account, signed_in(request), form)
    if posted:
        with_lists(page)
    return render(request, "clouds/cleanup.html", {"account": account, "page": page}, status=422 if posted else 200)


def _asked(request: HttpRequest, account: CloudAccount, form: CleanupForm) -> bool:
    if not form.is_valid():
        return False
    given = form.cleaned_data
    try:
        flows.request_cleanup(account, given["chosen"], typed_name=given["typed_name"], by=signed_in(request))
    except PlatformError as error:
        show_failure(form, error)
        return False
    return True


@login_required
def cloud_cleanup_things(request: HttpRequest, account_id: UUID) -> HttpResponse:
    account = own_account(request, account_id)
    page = with_lists(cleanup_page(account, signed_in(request)))
    return render(request, "clouds/_cleanup_things.html", {"account": account, "page": page})


@login_required
def cloud_cleanup_progress(request: HttpRequest, account_id: UUID) -> HttpResponse:
    account = own_account(request, account_id)
    page = cleanup_page(account, signed_in(request))
    answer = render(request, "clouds/_cleanup_progress.html", {"account": account, "page": page})
    if not page.running:
        answer["HX-Trigger-After-Swap"] = ENDED
    return answer


@login_required
@require_POST
def cloud_leftovers_remove(request: HttpRequest, account_id: UUID) -> HttpResponse:
    account = own_account(request, account_id)
    shown = set(request.POST.getlist("chosen"))
    try:
        made = flows.request_leftovers_cleanup(account, shown, by=signed_in(request))
    except PlatformError as error:
        messages.error(request, str(error))
        return redirect("cloud_account", account.pk)
    if made is None:
        messages.info(request, "Nothing of what was listed is left over any more.")
        return redirect("cloud_account", account.pk)
    if len(made.things) < len(shown):
        messages.info(request, f"Only {len(made.things)} of {len(shown)} things listed are left over still.")
    return redirect("cloud_cleanup", account.pk)
