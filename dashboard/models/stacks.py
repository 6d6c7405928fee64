"""Stacks as the user wants them, and each deployment of them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from .catalogs import CatalogRecipe
from .environments import Environment
from .fields import EncryptedJSONField
from .ids import uuid7
from .operations import Operation
from .states import Look, StackState


class Origin(models.TextChoices):
    """Why there is a revision."""

    DEPLOY = "deploy", "Deployed"
    UPDATE = "update", "Updated"
    ROLLBACK = "rollback", "Rolled back"
    REDEPLOY = "redeploy", "Deployed again"
    ADOPTED = "adopted", "Adopted"


class Stack(models.Model):
    """A stack the platform deployed into an environment, or adopted there.

    ``recipe`` is the title of the recipe it came from; ``version`` and ``version_digest`` are what it came from there.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="stacks")
    name = models.CharField(max_length=63)
    recipe = models.CharField(max_length=200, blank=True)
    source = models.ForeignKey(CatalogRecipe, null=True, blank=True, on_delete=models.SET_NULL, related_name="stacks")
    version = models.CharField(max_length=100, blank=True)
    version_digest = models.CharField(max_length=64, blank=True)
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
    """One recorded deployment of a stack.

    ``files`` are base64 by path relative to the compose file, ``overlays`` ``[{"name", "compose"}]`` merged over it in
    order. ``wishes`` are what is made before: ``{"networks": [names], "volumes": [names]}``, with ``secret_names`` and
    ``anew`` (what runs is still to be removed first); ``contents`` what missing secrets and configs shall hold,
    ``{"secrets": {name: text}, "configs": {name: text}}``, with ``{"base64": text}`` for what is no text. ``pins`` are
    images by service that are deployed instead of the file's, ``digests`` those that were resolved, by service.
    ``plan`` is the plan as text. ``made`` is what the swarm holds of a deployment that stopped half way, ``failures``
    are ``{"service", "node", "error", "lines": [str]}`` of tasks that ended it. ``came_from`` is the number of the
    revision that this one repeats. ``version_digest`` is what its recipe's version held. ``held_before`` is what the
    swarm held of the stack before anything was changed, as :func:`platform_manager.swarm.held.held` tells it.
    """

    stack = models.ForeignKey(Stack, on_delete=models.CASCADE, related_name="revisions")
    n = models.PositiveIntegerField()
    compose = models.TextField()
    answers = EncryptedJSONField(default=dict)
    files = EncryptedJSONField(default=dict)
    overlays: models.JSONField[list[dict[str, str]]] = models.JSONField(default=list, blank=True)
    contents = EncryptedJSONField(default=dict)
    wishes: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True)
    pins: models.JSONField[dict[str, str]] = models.JSONField(default=dict, blank=True)
    digests: models.JSONField[dict[str, str]] = models.JSONField(default=dict, blank=True)
    version = models.CharField(max_length=100, blank=True)
    version_digest = models.CharField(max_length=64, blank=True)
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.DEPLOY)
    came_from = models.PositiveIntegerField(null=True, blank=True)
    plan = models.TextField(blank=True)
    made: models.JSONField[list[str]] = models.JSONField(default=list, blank=True)
    failures: models.JSONField[list[dict[str, Any]]] = models.JSONField(default=list, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    operation = models.ForeignKey(Operation, null=True, on_delete=models.SET_NULL, related_name="revisions")
    state = models.CharField(max_length=20, choices=StackState.choices, default=StackState.PLANNING)
    sentence = models.TextField(blank=True)
    updates_before = models.JSONField(
        null=True,
        blank=True,
        help_text="Of each service of the stack, the update it told of before this deployment.",
    )
    held_before: models.JSONField[dict[str, str] | None] = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-n"]
        constraints = [models.UniqueConstraint(fields=["stack", "n"], name="one_row_per_revision")]

    def __str__(self) -> str:
        return f"{self.stack} revision {self.n}"

    @property
    def look(self) -> Look:
        return StackState(self.state).look
