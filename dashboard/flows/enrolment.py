"""A machine calls in for the first time, with its one-time token."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from dashboard.models import AuditEntry, EnrolmentToken, Host, HostState
from dashboard.models.auditing import record
from dashboard.models.facts import addresses_of, facts_of
from dashboard.models.hints import environment_group, hint
from platform_manager.errors import UserError

KEY_TYPE = "ssh-ed25519"
REFUSED = (
    "This token is unknown, used or expired. "
    "Ask for a new one on the environment's hosts page and run the command again."
)


class TokenUsed(UserError):
    """Another machine came with a token that was good for one."""

    def __init__(self, host: Host) -> None:
        super().__init__(REFUSED)
        self.host = host


def enrol(token: str, body: Mapping[str, Any]) -> Host:
    """Record the machine's key and facts; repeating it with the same key is fine, for an answer may get lost."""
    try:
        return _enrol(token, body)
    except TokenUsed as used:
        record("host.enrol", used.host, outcome=AuditEntry.Outcome.REFUSED)
        raise


@transaction.atomic
def _enrol(token: str, body: Mapping[str, Any]) -> Host:
    enrolment = (
        EnrolmentToken.objects.select_for_update(of=("self",))
        .select_related("host__environment")
        .filter(digest=EnrolmentToken.digest_of(token))
        .first()
    )
    if enrolment is None or enrolment.expires_at < timezone.now():
        raise UserError(REFUSED)
    fingerprint = fingerprint_of(body.get("public_key"))
    host = enrolment.host
    first = enrolment.used_at is None
    if enrolment.used_at is not None and fingerprint != host.key_fingerprint:
        raise TokenUsed(host)
    host.key_fingerprint = fingerprint
    host.facts = facts_of(body)
    addresses = addresses_of(body.get("addresses"))
    if addresses and not host.addresses:
        host.addresses = addresses
    if host.state in (HostState.REQUESTED, HostState.BUILDING, HostState.BOOTING):
        host.state = HostState.BOOTSTRAPPING
    host.save(update_fields=["key_fingerprint", "facts", "addresses", "state"])
    enrolment.used_at = enrolment.used_at or timezone.now()
    enrolment.save(update_fields=["used_at"])
    if first:
        record("host.enrol", host, fingerprint=fingerprint)
    hint(environment_group(host.environment_id), what="rows")
    return host


def fingerprint_of(key: object) -> str:
    """ "SHA256:..." of an ed25519 public key line, as ssh-keygen prints it."""
    words = key.split() if isinstance(key, str) and len(key) < 1000 else []
    try:
        blob = base64.b64decode(words[1], validate=True)
    except (IndexError, ValueError):
        blob = b""
    if not words or words[0] != KEY_TYPE or len(blob) != 51:
        raise UserError(f"public_key must be one {KEY_TYPE} line.", "public_key")
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
