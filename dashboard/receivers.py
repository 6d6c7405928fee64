"""What Django and allauth do themselves, for the audit log: signing in, accounts, edits in the admin site.

What the platform does is recorded where it does it, in the flows.
"""

from __future__ import annotations

import json
from typing import Any

from allauth.account import signals as account
from allauth.account.models import EmailAddress
from allauth.account.signals import user_logged_out
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from allauth.socialaccount import signals as social
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest

from dashboard.models import AuditEntry
from dashboard.models.auditing import record

REFUSED = AuditEntry.Outcome.REFUSED
SHOWN_LETTERS = 3
NAME_CAP = 150
VERBS: dict[int, str] = {ADDITION: "create", CHANGE: "update", DELETION: "delete"}
# Accounts' own deeds that need no more words than their signal's name.
PLAIN = {
    "account.register": account.user_signed_up,
    "account.password_set": account.password_set,
    "account.password_change": account.password_changed,
    "account.password_reset": account.password_reset,
}
FACTORS = {
    "account.factor_add": mfa.authenticator_added,
    "account.factor_remove": mfa.authenticator_removed,
    "account.factor_reset": mfa.authenticator_reset,
}


@receiver(account.user_logged_in, dispatch_uid="audit.sign_in")
def signed_in(user: User, sociallogin: SocialLogin | None = None, **kwargs: Any) -> None:
    record("account.sign_in", user, by=user, method=sociallogin.account.provider if sociallogin else "local")


@receiver(user_logged_out, dispatch_uid="audit.sign_out")
def signed_out(user: User | None, **kwargs: Any) -> None:
    if isinstance(user, User):
        record("account.sign_out", user, by=user)


@receiver(user_login_failed, dispatch_uid="audit.sign_in_failed")
def sign_in_failed(credentials: dict[str, Any], **kwargs: Any) -> None:
    """The name as it was tried where somebody has it, else its beginning: it may be a password in the wrong box."""
    tried = str(credentials.get("username") or credentials.get("email") or "")[:NAME_CAP]
    known = (
        User.objects.filter(username__iexact=tried).first()
        or User.objects.filter(pk__in=EmailAddress.objects.filter(email__iexact=tried).values("user")).first()
    )
    shown = tried if known or len(tried) <= SHOWN_LETTERS else f"{tried[:SHOWN_LETTERS]}..."
    record("account.sign_in", known, name="".join(c for c in shown if c.isprintable()), outcome=REFUSED)


@receiver(mfa.authentication_failed, dispatch_uid="audit.factor_failed")
def factor_failed(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    record("account.factor", user, outcome=REFUSED, factor=str(authenticator.type))


@receiver(social.social_account_added, dispatch_uid="audit.connect")
def connected(sociallogin: SocialLogin, **kwargs: Any) -> None:
    record("account.connect", sociallogin.user, by=sociallogin.user, provider=sociallogin.account.provider)


@receiver(social.social_account_removed, dispatch_uid="audit.disconnect")
def disconnected(socialaccount: SocialAccount, **kwargs: Any) -> None:
    record("account.disconnect", socialaccount.user, by=socialaccount.user, provider=socialaccount.provider)


@receiver(account.email_added, dispatch_uid="audit.email_add")
def email_added(user: User, email_address: EmailAddress, **kwargs: Any) -> None:
    record("account.email_add", user, by=user, email=email_address.email)


@receiver(account.email_removed, dispatch_uid="audit.email_remove")
def email_removed(user: User, email_address: EmailAddress, **kwargs: Any) -> None:
    record("account.email_remove", user, by=user, email=email_address.email)


@receiver(account.email_changed, dispatch_uid="audit.email_change")
def email_changed(user: User, to_email_address: EmailAddress, **kwargs: Any) -> None:
    record("account.email_change", user, by=user, email=to_email_address.email)


@receiver(account.email_confirmed, dispatch_uid="audit.email_confirm")
def email_confirmed(request: HttpRequest, email_address: EmailAddress, **kwargs: Any) -> None:
    record("account.email_confirm", email_address.user, by=email_address.user, email=email_address.email)


def _connect_plain(action: str, signal: Any) -> None:
    def happened(user: User, **kwargs: Any) -> None:
        record(action, user, by=user)

    signal.connect(happened, weak=False, dispatch_uid=f"audit.{action}")


def _connect_factor(action: str, signal: Any) -> None:
    def happened(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
        record(action, user, by=user, factor=str(authenticator.type))

    signal.connect(happened, weak=False, dispatch_uid=f"audit.{action}")


for _action, _signal in PLAIN.items():
    _connect_plain(_action, _signal)
for _action, _signal in FACTORS.items():
    _connect_factor(_action, _signal)


@receiver(post_save, sender=LogEntry, dispatch_uid="audit.admin")
def edited(instance: LogEntry, created: bool, **kwargs: Any) -> None:
    """An edit on a page of the admin site that records nothing itself: which object and fields, never values."""
    model = instance.content_type.model_class() if instance.content_type else None
    page = admin.site._registry.get(model) if model else None
    if created and not hasattr(page, "audit"):
        _record_edit(instance)


def _record_edit(entry: LogEntry) -> None:
    kind = entry.content_type.model if entry.content_type else "object"
    what = _edited(entry)
    detail = _fields(entry) if what else {"id": entry.object_id}
    record(f"{kind}.{VERBS[entry.action_flag]}", what, by=entry.user, name=entry.object_repr, **detail)


def _edited(entry: LogEntry) -> Model | None:
    if entry.action_flag == DELETION or entry.content_type is None:
        return None
    try:
        found: Model = entry.get_edited_object()
    except ObjectDoesNotExist:
        return None
    return found


def _fields(entry: LogEntry) -> dict[str, Any]:
    """The names of what was changed, out of Django's message."""
    try:
        changes = json.loads(entry.change_message or "[]")
    except ValueError:
        return {}
    parts = [change.get("changed", {}) for change in changes if isinstance(change, dict)]
    named = [name for part in parts for name in part.get("fields", [])]
    return {"fields": named} if named else {}
