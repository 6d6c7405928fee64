"""What the sign-in page and the profile show of the ways to sign in."""

from __future__ import annotations

from typing import NamedTuple

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.mfa import app_settings as mfa_settings
from allauth.socialaccount.adapter import get_adapter
from allauth.utils import get_request_param
from django import template
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.template import RequestContext

register = template.Library()

ORDER = ["fiware", "openid_connect", "github", "gitlab"]
ICONS = {"fiware": "cloud", "openid_connect": "id", "github": "brand-github", "gitlab": "brand-gitlab"}

BROWSERS = [("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")]
SYSTEMS = ["Windows", "Android", "iPhone", "iPad", "Mac OS X", "CrOS", "Linux"]


class Way(NamedTuple):
    """A provider's button: a form to POST to."""

    name: str
    url: str
    icon: str
    first: bool


@register.simple_tag(takes_context=True)
def provider_ways(context: RequestContext, process: str = "login") -> list[Way]:
    """The providers that are on, FIWARE first; ``process`` is "login" or "connect"."""
    request = context["request"]
    words = {"process": process}
    wanted = get_request_param(request, REDIRECT_FIELD_NAME)
    if wanted:
        words[REDIRECT_FIELD_NAME] = wanted
    providers = sorted(get_adapter(request).list_providers(request), key=lambda one: ORDER.index(one.id))
    return [
        Way(one.name, one.get_login_url(request, **words), ICONS[one.id], number == 0)
        for number, one in enumerate(providers)
    ]


@register.simple_tag
def local_accounts() -> bool:
    return bool(settings.PM_LOCAL_ACCOUNTS)


@register.simple_tag
def passkeys() -> bool:
    return bool(settings.PM_LOCAL_ACCOUNTS and mfa_settings.PASSKEY_LOGIN_ENABLED)


@register.simple_tag
def fiware_name() -> str:
    return str(settings.PM_FIWARE_NAME)


@register.simple_tag(takes_context=True)
def registration(context: RequestContext) -> bool:
    """Whether the visitor may make a local account."""
    request = context["request"]
    return bool(get_account_adapter(request).is_open_for_signup(request))


@register.filter
def browser(user_agent: str) -> str:
    """A few words for what a browser says of itself."""
    name = next((word for mark, word in BROWSERS if mark in user_agent), "")
    system = next((word for word in SYSTEMS if word in user_agent), "")
    return " on ".join(filter(None, (name, system))) or user_agent[:60] or "Unknown"
