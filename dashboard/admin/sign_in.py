"""The page of sign-in methods: which are on, what to register where, and a test of the connection to FIWARE's."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from dashboard.models.auditing import record
from platform_manager.accounts import report


def sign_in_methods(request: HttpRequest) -> HttpResponse:
    """A test asks other machines and takes as long as they do; so it is asked for with a button."""
    findings = None
    if request.method == "POST":
        findings = report.check_fiware()
        record("sign_in.test", name="FIWARE", well=all(finding.ok for finding in findings))
    context = {
        **admin.site.each_context(request),
        "title": "Sign-in methods",
        "methods": report.sign_in_methods(),
        "findings": findings,
    }
    return TemplateResponse(request, "admin/sign_in_methods.html", context)
