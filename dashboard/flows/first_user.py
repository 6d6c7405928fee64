"""The first user of a fresh platform."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.auth import get_user_model

from dashboard.models import AuditEntry
from dashboard.models.auditing import Origin, acting, record


def ensure_first_user(name: str) -> str | None:
    """A password for the first operator: new at each start until they choose their own, then None."""
    users = get_user_model()
    marker = settings.PM_VAR / "one-time-password"
    user = users.objects.filter(username=name).first()
    if user is not None and not (marker.exists() and marker.read_text() == user.password):
        return None
    if user is None:
        user = users(username=name, is_staff=True, is_superuser=True)
    password = secrets.token_urlsafe(9)
    user.set_password(password)
    user.save()
    with acting(Origin(AuditEntry.Via.COMMAND)):
        record("account.first_password", user)
    marker.touch(mode=0o600)
    marker.write_text(user.password)
    return password
