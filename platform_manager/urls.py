"""Addresses: sign-in, the admin site, and everything else in the dashboard."""

from allauth.account.views import logout as sign_out
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from platform_manager.accounts.admin_sign_in import admin_sign_in

handler403 = "dashboard.views.errors.not_allowed"
handler404 = "dashboard.views.errors.not_found"
handler500 = "dashboard.views.errors.server_error"

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    # One door: the admin site's own forms know neither second factors nor limits of tries.
    path("admin/login/", admin_sign_in),
    path("admin/logout/", sign_out),
    path("admin/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    path("admin/", admin.site.urls),
    path("", include("dashboard.urls")),
]
