"""Stacks as the user wants them, and each deployment of them."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from .environments import Environment
from .fields import EncryptedJSONField
from .ids import uuid7
from .operations import Operation
from .states import Look, StackState


class Stack(models.Model):
    """A stack the platform deployed into an environment."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="stacks")
    name = models.CharField(max_length=63)
    recipe = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=20, choices=StackState.choices, default=StackState.PLANNING)
    sentence = models.TextField(blank=True)
    settled_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Since when the watcher keeps the state; empty while a deployment does.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["environment", "name"], name="stack_name_once_per_environment")]

    def __str__(self) -> str:
        return self.name

    @property
    def look(self) -> Look:
        return StackState(self.state).look


class Revision(models.Model):
    """One recorded deployment of a stack."""

    stack = models.ForeignKey(Stack, on_delete=models.CASCADE, related_name="revisions")
    n = models.PositiveIntegerField()
    compose = models.TextField()
    answers = EncryptedJSONField(default=dict)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    operation = models.ForeignKey(Operation, null=True, on_delete=models.SET_NULL, related_name="revisions")
    state = models.CharField(max_length=20, choices=StackState.choices, default=StackState.PLANNING)
    sentence = models.TextField(blank=True)
    updates_before = models.JSONField(
        null=True,
        blank=True,
        help_text="Of each service of the stack, the update it told of before this deployment.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-n"]
        constraints = [models.UniqueConstraint(fields=["stack", "n"], name="one_row_per_revision")]

    def __str__(self) -> str:
        return f"{self.stack} revision {self.n}"

    @property
    def look(self) -> Look:
        return StackState(self.state).look
