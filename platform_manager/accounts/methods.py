"""The ways to sign in that the settings switch on, and the addresses that belong to them."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from django.conf import settings

OIDC_ID = "oidc"


def fiware_sign_out() -> str:
    """Where a browser goes to end Keyrock's session; Keyrock then sends it to the registered sign-out address."""
    query = urlencode({"_method": "DELETE", "client_id": settings.PM_FIWARE_CLIENT_ID})
    return f"{settings.PM_FIWARE_SERVER}/auth/external_logout?{query}"


def form_origins() -> list[str]:
    """Origins of other servers to which our forms lead by a redirect: those of the providers that are on."""
    servers = []
    if settings.PM_FIWARE_CLIENT_ID:
        servers.append(settings.PM_FIWARE_SERVER)
    if settings.PM_OIDC_CLIENT_ID:
        servers += [settings.PM_OIDC_SERVER, *settings.PM_OIDC_ORIGINS]
    if settings.PM_GITHUB_CLIENT_ID:
        servers.append("https://github.com")
    if settings.PM_GITLAB_CLIENT_ID:
        servers.append(settings.PM_GITLAB_SERVER)
    return list(dict.fromkeys(origin(server) for server in servers))


def origin(address: str) -> str:
    url = urlsplit(address)
    return f"{url.scheme}://{url.netloc}"
