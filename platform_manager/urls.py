"""Addresses: sign-in, the admin site, and everything else in the dashboard."""

from django.contrib import admin
from django.urls import include, path

handler500 = "dashboard.views.errors.server_error"

urlpatterns = [
    path("accounts/", include("allauth.account.urls")),
    path("admin/", admin.site.urls),
    path("", include("dashboard.urls")),
]
