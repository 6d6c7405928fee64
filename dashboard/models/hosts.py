"""Hosts: machines with a Docker engine, and the tokens with which they enrol."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac

from .clouds import CloudAccount
from .environments import Environment
from .ids import uuid7
from .states import HostRole, HostState, LinkKind, Look, MachineState

TOKEN_LIFE = timedelta(minutes=30)
# In place of a host's SSH key: its cloud tells none, so the one it shows first counts.
FIRST_SEEN = "?"


class Host(models.Model):
    """One machine; it belongs to one environment and is a swarm manager or worker."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="hosts")
    name = models.CharField(max_length=63)
    driver = models.CharField(max_length=20, default="local")
    # The account in whose project the machine is; kept while there is one.
    account = models.ForeignKey(CloudAccount, null=True, blank=True, on_delete=models.PROTECT, related_name="hosts")
    options = models.JSONField(default=dict, blank=True)
    role = models.CharField(max_length=10, choices=HostRole.choices, default=HostRole.WORKER)
    state = models.CharField(max_length=20, choices=HostState.choices, default=HostState.REQUESTED)
    state_detail = models.TextField(blank=True)
    provider_id = models.CharField(max_length=200, blank=True)
    node_id = models.CharField(max_length=64, blank=True, db_index=True)
    addresses = models.JSONField(default=list, blank=True)
    facts: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True)
    key_fingerprint = models.CharField(max_length=100, blank=True, db_index=True)
    link = models.CharField(max_length=10, choices=LinkKind.choices, default=LinkKind.REVERSE)
    # Of its SSH server, "ssh-ed25519 AAAA...", for links that the platform dials; empty until it is known.
    host_key = models.TextField(blank=True)
    link_up = models.BooleanField(default=False)
    link_changed_at = models.DateTimeField(null=True, blank=True)
    engine_up = models.BooleanField(default=False)
    # What its cloud says of the machine, as of the last look; empty where nobody has looked.
    machine = models.CharField(max_length=10, choices=MachineState.choices, blank=True)
    machine_detail = models.TextField(blank=True)
    machine_seen_at = models.DateTimeField(null=True, blank=True)
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
    def machine_look(self) -> Look | None:
        """How what its cloud says is shown; None where there is nothing to say."""
        known = self.machine and self.machine != MachineState.RUNNING
        return MachineState(self.machine).look if known else None

    @property
    def in_swarm(self) -> bool:
        return bool(self.node_id)


class EnrolmentToken(models.Model):
    """A short-lived right to enrol one host once; only the digest is stored."""

    host = models.OneToOneField(Host, on_delete=models.CASCADE, related_name="enrolment")
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"token of {self.host}"

    @staticmethod
    def digest_of(token: str) -> str:
        return hashlib.sha256(token.encode()).hexdigest()

    @staticmethod
    def of(host: Host) -> str:
        """The host's token: made from its id with the platform's secret key, so it need not be stored."""
        return salted_hmac("dashboard.enrolment", str(host.pk), algorithm="sha256").hexdigest()

    @classmethod
    def issue(cls, host: Host, *, anew: bool = True) -> str:
        """The host's token, good for :data:`TOKEN_LIFE` from now.

        It is the same each time: a machine made with it before a crash, or too late, is not locked out.
        ``anew``: for a new machine, so one that used the token before no longer counts.
        """
        token = cls.of(host)
        values = {"digest": cls.digest_of(token), "expires_at": timezone.now() + TOKEN_LIFE}
        used = {"used_at": None} if anew else {}
        cls.objects.update_or_create(host=host, defaults={**values, **used}, create_defaults=values)
        return token
