"""Operations: durable pieces of work, their resumable steps and log lines, and the workers that run them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from .environments import Environment
from .ids import uuid7
from .states import Look, OperationState, StepState


class Worker(models.Model):
    """A process that runs operations; it beats, and its work is taken over when it stops beating."""

    id = models.CharField(primary_key=True, max_length=120)
    machine = models.CharField(max_length=80)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField(auto_now_add=True)
    last_seen = models.DateTimeField()
    gone = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.id


class Operation(models.Model):
    """A durable piece of work in one environment; its id is the workflow's id."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="operations")
    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    args: models.JSONField[dict[str, Any]] = models.JSONField(default=dict)
    state = models.CharField(max_length=20, choices=OperationState.choices, default=OperationState.QUEUED)
    watching = models.BooleanField(
        default=False, help_text="It only looks at what came of it; others of its environment run meanwhile."
    )
    cancel_requested = models.BooleanField(default=False)
    error = models.TextField(blank=True)
    result = models.TextField(blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="operations"
    )
    retry_of = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="retries")
    worker = models.ForeignKey(Worker, null=True, blank=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["state", "id"])]
        constraints = [
            # The database itself keeps operations that change one environment from running side by side.
            models.UniqueConstraint(
                fields=["environment"],
                condition=models.Q(state="running", watching=False),
                name="one_running_operation",
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def look(self) -> Look:
        return OperationState(self.state).look

    @property
    def finished(self) -> bool:
        return OperationState(self.state).finished

    @property
    def elapsed(self) -> timedelta | None:
        if self.started_at is None:
            return None
        return (self.finished_at or timezone.now()) - self.started_at


class OperationStep(models.Model):
    """One resumable part of an operation."""

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="steps")
    n = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=20, choices=StepState.choices, default=StepState.PENDING)
    attempt = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["n"]
        constraints = [models.UniqueConstraint(fields=["operation", "n"], name="one_row_per_step")]

    def __str__(self) -> str:
        return self.title

    @property
    def look(self) -> Look:
        return StepState(self.state).look

    @property
    def elapsed(self) -> timedelta | None:
        if self.started_at is None:
            return None
        return (self.finished_at or timezone.now()) - self.started_at


class OperationLog(models.Model):
    """One line of an operation's log; append-only, and its id is the cursor of live viewers."""

    class Level(models.TextChoices):
        INFO = "info"
        WARNING = "warning"
        ERROR = "error"
        OUTPUT = "output"

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="logs")
    step = models.PositiveSmallIntegerField(default=0)
    level = models.CharField(max_length=10, choices=Level.choices, default=Level.INFO)
    text = models.TextField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text
