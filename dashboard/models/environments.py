"""Environments (one isolated swarm each), the templates they start from, and who may see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef
from django.db.models.functions import Lower
from django.utils import timezone

from .ids import uuid7
from .permissions import is_operator, strongest
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

    def of_member(self, user: User | AnonymousUser) -> EnvironmentQuerySet:
        """Those with a role for this user, of the user's own or through a group; deleted ones too."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        own = Membership.objects.filter(environment=OuterRef("pk"), user=user)
        shared = GroupAccess.objects.filter(environment=OuterRef("pk"), group__user=user)
        return self.filter(Exists(own) | Exists(shared))

    def seen_by(self, user: User | AnonymousUser) -> EnvironmentQuerySet:
        """Those this user may look at, deleted ones too: a member's, and for operators all."""
        return self.all() if is_operator(user) else self.of_member(user)

    def visible_to(self, user: User | AnonymousUser) -> EnvironmentQuerySet:
        """:meth:`seen_by` without deleted ones; nobody sees any other."""
        return self.seen_by(user).alive()


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
        """The strongest role the user has here, alone or through a group; None for an outsider."""
        if not (user.is_authenticated and user.is_active):
            return None
        own = self.memberships.filter(user=user).values_list("role")
        shared = self.group_accesses.filter(group__user=user).values_list("role")
        return strongest(MemberRole(role) for (role,) in own.union(shared))


class Membership(models.Model):
    """A user's role in an environment."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=MemberRole.choices, default=MemberRole.MEMBER)
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["environment", "user"], name="one_role_per_member")]

    def __str__(self) -> str:
        return f"{self.user} in {self.environment}: {self.get_role_display()}"


class GroupAccess(models.Model):
    """The role in an environment of everybody in a group, such as an organization of the identity manager."""

    ROLES = [choice for choice in MemberRole.choices if choice[0] != MemberRole.OWNER]

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="group_accesses")
    group = models.ForeignKey("auth.Group", on_delete=models.CASCADE, related_name="environment_accesses")
    role = models.CharField(max_length=20, choices=ROLES, default=MemberRole.MEMBER)

    class Meta:
        verbose_name_plural = "group accesses"
        constraints = [models.UniqueConstraint(fields=["environment", "group"], name="one_role_per_group")]

    def __str__(self) -> str:
        return f"{self.group} in {self.environment}: {self.get_role_display()}"
