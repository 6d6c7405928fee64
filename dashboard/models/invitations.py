"""Invitations to an environment: by user, or by e-mail for people who have no account yet."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from .environments import Environment, Membership
from .ids import uuid7
from .states import MemberRole

INVITATION_LIFE = timedelta(days=14)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> InvitationQuerySet:
        """Not answered, not withdrawn, not too old, to an environment that is there.

        It counts no longer than the right of whoever sent it: who is no owner any more has no offers out.
        """
        owner = Membership.objects.filter(
            environment=OuterRef("environment"), user=OuterRef("invited_by"), role=MemberRole.OWNER
        )
        return self.filter(
            Q(Exists(owner)) | Q(invited_by__is_staff=True),
            invited_by__is_active=True,
            answered_at=None,
            expires_at__gt=timezone.now(),
            environment__deleted_at=None,
            environment__removing_since=None,
        )


class Invitation(models.Model):
    """An offer of a role; it becomes a membership when it is accepted. It is withdrawn by deleting the row."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="invitations")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="invitations"
    )
    email = models.EmailField(blank=True)
    role = models.CharField(max_length=20, choices=MemberRole.choices, default=MemberRole.MEMBER)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="sent_invitations"
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    accepted = models.BooleanField(default=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.user or self.email} to {self.environment}"

    @staticmethod
    def digest_of(token: str) -> str:
        return hashlib.sha256(token.encode()).hexdigest()

    @staticmethod
    def new_token() -> str:
        """The secret of the invitation's link; only its digest is stored."""
        return secrets.token_urlsafe(24)
