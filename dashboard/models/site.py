"""What operators decide for the whole platform while it runs."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class PlatformSettings(models.Model):
    """One row; what is empty follows the installation's own setting."""

    class Creators(models.TextChoices):
        EVERYBODY = "everybody", "Everybody who can sign in"
        GROUP = "group", "Members of a group, and operators"
        OPERATORS = "operators", "Operators only"

    registration = models.BooleanField(
        null=True,
        blank=True,
        help_text="Whether people may make local accounts for themselves. Unknown: as PM_REGISTRATION says.",
    )
    creators = models.CharField(
        "who may create environments", max_length=20, choices=Creators.choices, default=Creators.EVERYBODY
    )
    creators_group = models.ForeignKey(
        "auth.Group", null=True, blank=True, on_delete=models.SET_NULL, help_text="For the choice of a group."
    )
    environments_per_user = models.PositiveIntegerField(
        null=True, blank=True, help_text="The most environments one user may own; empty: any number."
    )
    hosts_per_user = models.PositiveIntegerField(
        null=True, blank=True, help_text="The most hosts in all environments one user owns; empty: any number."
    )

    # What recipes may ask of hosts: each is shown before a deployment, or refused.
    forbid_docker_socket = models.BooleanField("forbid the Docker socket", default=False)
    forbid_host_network = models.BooleanField("forbid the host's network", default=False)
    forbid_host_folders = models.BooleanField("forbid folders of hosts", default=False)
    forbid_capabilities = models.BooleanField("forbid added capabilities", default=False)

    class Meta:
        verbose_name = verbose_name_plural = "platform settings"

    def __str__(self) -> str:
        return "Platform settings"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = 1
        super().save(*args, **kwargs)

    @property
    def forbidden(self) -> frozenset[str]:
        """The dangers that no recipe may bring, as ``recipes.Danger`` names them."""
        dangers = ("docker_socket", "host_network", "host_folders", "capabilities")
        return frozenset(danger for danger in dangers if getattr(self, f"forbid_{danger}"))

    @classmethod
    def current(cls) -> PlatformSettings:
        """The row, or its defaults while nobody has changed anything."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)


class UserLimits(models.Model):
    """Limits of one user instead of everybody's."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="limits")
    environments = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: as for everybody.")
    hosts = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: as for everybody.")

    class Meta:
        verbose_name_plural = "user limits"

    def __str__(self) -> str:
        return f"limits of {self.user}"


class AnnouncementQuerySet(models.QuerySet["Announcement"]):
    def current(self) -> AnnouncementQuerySet:
        now = timezone.now()
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=now), starts_at__lte=now)


class Announcement(models.Model):
    """An operator's banner on every page."""

    class Level(models.TextChoices):
        INFO = "info", "Information"
        WARNING = "warning", "Warning"
        DANGER = "danger", "Danger"

    text = models.CharField(max_length=300)
    level = models.CharField(max_length=10, choices=Level.choices, default=Level.INFO)
    starts_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True, blank=True, help_text="Empty: until it is deleted.")

    objects = AnnouncementQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_at"]

    def __str__(self) -> str:
        return self.text

    @property
    def mark(self) -> str:
        """What a browser remembers of an announcement that was put away; another text is another announcement."""
        return f"{self.pk}-{crc32(self.text.encode()):08x}"
