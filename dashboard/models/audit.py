"""The audit log: who did what to which object, from where, with what outcome."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models
from django.utils import timezone


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    def update(self, **values: Any) -> NoReturn:
        raise TypeError("Audit entries are never changed.")

    def delete(self) -> NoReturn:
        raise TypeError("Audit entries are removed by their retention only.")

    def drop_before(self, moment: Any, *, most: int = 5_000) -> int:
        """Remove at most ``most`` entries older than ``moment``, oldest first; how many went."""
        oldest = list(self.filter(at__lt=moment).order_by("id").values_list("pk", flat=True)[:most])
        return models.QuerySet.delete(self.filter(pk__in=oldest))[0] if oldest else 0


class AuditEntry(models.Model):
    """One deed. Append-only: it names people and things as they were called, and refers to no other row."""

    class Via(models.TextChoices):
        UI = "ui", "Web pages"
        ADMIN = "admin", "Admin site"
        KEY = "key", "API key"
        HOST = "host", "Host"
        COMMAND = "command", "Command"
        SYSTEM = "system", "System"

    class Outcome(models.TextChoices):
        DONE = "done", "Done"
        REQUESTED = "requested", "Requested"
        REFUSED = "refused", "Refused"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    at = models.DateTimeField(default=timezone.now, db_index=True)
    actor_id = models.BigIntegerField(null=True, blank=True)
    actor = models.CharField(max_length=150, blank=True, help_text="The name then; empty: the platform itself.")
    via = models.CharField(max_length=10, choices=Via.choices, default=Via.SYSTEM)
    address = models.GenericIPAddressField(null=True, blank=True)
    action = models.CharField(max_length=60, help_text="Noun and verb, such as environment.create.")
    object_kind = models.CharField(max_length=40, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    object_name = models.CharField(max_length=200, blank=True)
    environment_id = models.UUIDField(null=True, blank=True)
    environment = models.CharField(max_length=60, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.DONE)
    detail: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True)

    objects = AuditQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "audit log"
        indexes = [
            models.Index(fields=["actor_id", "-id"], name="audit_actor"),
            models.Index(fields=["environment_id", "-id"], name="audit_environment"),
            models.Index(fields=["action", "-id"], name="audit_action"),
        ]

    def __str__(self) -> str:
        return f"{self.actor or 'the platform'}: {self.action} {self.object_name}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("Audit entries are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("Audit entries are removed by their retention only.")
