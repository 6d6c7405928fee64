"""What happens when a sign-in is complete, and when an account is connected or disconnected."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import user_logged_in
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.signals import social_account_added, social_account_removed
from django.contrib.auth.models import User
from django.dispatch import receiver
from django.http import HttpRequest

from . import roles


@receiver(user_logged_in)
def signed_in(request: HttpRequest, user: User, sociallogin: SocialLogin | None = None, **kwargs: Any) -> None:
    if sociallogin is not None and sociallogin.account.provider == "fiware":
        request.session[roles.SESSION_KEY] = True
        roles.follow(user, roles.person_of(sociallogin.account))


@receiver(social_account_added)
def connected(request: HttpRequest, sociallogin: SocialLogin, **kwargs: Any) -> None:
    if sociallogin.account.provider == "fiware":
        roles.follow(sociallogin.user, roles.person_of(sociallogin.account))


@receiver(social_account_removed)
def disconnected(request: HttpRequest, socialaccount: SocialAccount, **kwargs: Any) -> None:
    if socialaccount.provider == "fiware":
        roles.follow(socialaccount.user, None)
