"""Hosts: machines with a Docker engine, and the tokens with which they enrol."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.db import models
from django.utils import timezone

from .environments import Environment
from .ids import uuid7
from .states import HostRole, HostState

TOKEN_LIFE = timedelta(minutes=30)


class Host(models.Model):
    """One machine; it belongs to one environment and is a swarm manager or worker."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="hosts")
    name = models.CharField(max_length=63)
    driver = models.CharField(max_length=20, default="local")
    options = models.JSONField(default=dict, blank=True)
    role = models.CharField(max_length=10, choices=HostRole.choices, default=HostRole.WORKER)
    state = models.CharField(max_length=20, choices=HostState.choices, default=HostState.REQUESTED)
    state_detail = models.TextField(blank=True)
    provider_id = models.CharField(max_length=200, blank=True)
    node_id = models.CharField(max_length=64, blank=True, db_index=True)
    addresses = models.JSONField(default=list, blank=True)
    facts: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True)
    key_fingerprint = models.CharField(max_length=100, blank=True, db_index=True)
    link_up = models.BooleanField(default=False)
    link_changed_at = models.DateTimeField(null=True, blank=True)
    engine_up = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["environment", "name"], name="host_name_once_per_environment")]

    def __str__(self) -> str:
        return self.name

    @property
    def look(self) -> Any:
        return HostState(self.state).look

    @property
    def in_swarm(self) -> bool:
        return bool(self.node_id)


class EnrolmentToken(models.Model):
    """A one-time right to enrol one host; only the digest is stored."""

    host = models.OneToOneField(Host, on_delete=models.CASCADE, related_name="enrolment")
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"token of {self.host}"

    @staticmethod
    def digest_of(token: str) -> str:
        return hashlib.sha256(token.encode()).hexdigest()

    @classmethod
    def issue(cls, host: Host) -> str:
        """A new token for the host, replacing its older one; the token itself is returned once and never stored."""
        token = secrets.token_urlsafe(32)
        cls.objects.update_or_create(
            host=host,
            defaults={
                "digest": cls.digest_of(token),
                "expires_at": timezone.now() + TOKEN_LIFE,
                "used_at": None,
            },
        )
        return token
