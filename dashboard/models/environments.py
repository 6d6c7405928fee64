"""Environments (one isolated swarm each), the templates they start from, and who may see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower

from .ids import uuid7
from .states import MemberRole

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

MANAGER_COUNTS = [(1, "1: for trying things out"), (3, "3: one may fail"), (5, "5: two may fail")]
MTU_LIMITS = [MinValueValidator(576), MaxValueValidator(9000)]


class EnvironmentTemplate(models.Model):
    """Defaults for new environments."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=60, unique=True)
    description = models.CharField(max_length=200)
    managers = models.PositiveSmallIntegerField(choices=MANAGER_COUNTS, default=3)
    mtu = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=MTU_LIMITS,
        help_text="Bytes; empty: the lowest measured on the hosts.",
    )
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class EnvironmentQuerySet(models.QuerySet["Environment"]):
    def alive(self) -> EnvironmentQuerySet:
        return self.filter(deleted_at=None)

    def visible_to(self, user: User | AnonymousUser) -> EnvironmentQuerySet:
        """The environments this user is a member of; nobody sees any other."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return self.alive().filter(memberships__user=user)


class Environment(models.Model):
    """One Docker Swarm with its hosts, members, networks and stacks."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=60)
    description = models.CharField(max_length=200, blank=True)
    template = models.ForeignKey(EnvironmentTemplate, null=True, blank=True, on_delete=models.SET_NULL)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="owned_environments")
    managers = models.PositiveSmallIntegerField(choices=MANAGER_COUNTS, default=3)
    mtu = models.PositiveIntegerField(null=True, blank=True, validators=MTU_LIMITS)
    swarm_mtu = models.PositiveIntegerField(
        null=True, blank=True, editable=False, help_text="What the swarm's networks were made with."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    removing_since = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = EnvironmentQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                "owner",
                Lower("name"),
                condition=models.Q(deleted_at=None),
                name="environment_name_once_per_owner",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def role_of(self, user: User | AnonymousUser) -> MemberRole | None:
        """The user's role here, or None for an outsider."""
        if not user.is_authenticated:
            return None
        membership = self.memberships.filter(user=user).first()
        return MemberRole(membership.role) if membership else None


class Membership(models.Model):
    """A user's role in an environment."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=MemberRole.choices, default=MemberRole.MEMBER)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["environment", "user"], name="one_role_per_member")]

    def __str__(self) -> str:
        return f"{self.user} in {self.environment}: {self.get_role_display()}"
