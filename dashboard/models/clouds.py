"""Cloud accounts (a user's way into one project and region) and presets of clouds, which operators make."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from platform_manager.clouds.openstack.account import DEFAULT_DOMAIN, Account
from platform_manager.clouds.openstack.account import auth_url as normal_url
from platform_manager.errors import UserError

from .environments import Environment
from .fields import EncryptedJSONField
from .ids import uuid7
from .states import Look, OperationState

if TYPE_CHECKING:
    from django.contrib.auth.models import User

KNOWN = {field.name for field in fields(Account)}


class CloudPreset(models.Model):
    """What users of a cloud need not type, and which of its networks new hosts take first."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=60, unique=True)
    auth_url = models.CharField(
        "auth URL",
        max_length=300,
        blank=True,
        help_text="Of the identity service (Keystone v3). Empty: users give it.",
    )
    ca = models.TextField("CA bundle", blank=True, help_text="In PEM; only for clouds that sign their own certificate.")
    domain = models.CharField(max_length=100, default=DEFAULT_DOMAIN, help_text="Of users and projects.")
    regions = models.JSONField(default=list, blank=True, help_text='A list, as ["Spain2"]; empty: any.')
    network = models.CharField(max_length=200, blank=True, help_text="Name of the network that hosts take first.")
    pool = models.CharField(max_length=200, blank=True, help_text="Name of the pool floating IPs come from.")
    private = models.BooleanField(
        "may have a private address",
        default=False,
        help_text="Lets everybody reach this auth URL, and what its catalog names, in the platform's own network.",
    )
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name

    def allows(self, region: str) -> bool:
        return not self.regions or region in self.regions


class CloudAccountQuerySet(models.QuerySet["CloudAccount"]):
    def usable_by(self, user: User, environment: Environment) -> CloudAccountQuerySet:
        """Those with which the user may add hosts to the environment: one's own and those shared with it."""
        return self.filter(Q(owner=user) | Q(pk__in=environment.cloud_accounts.values("pk"))).exclude(region="")


class CloudAccount(models.Model):
    """Credentials for one project and region of a cloud; nobody is shown them again, their owner neither.

    ``environments`` are those whose members may use it. ``defaults`` are the choices made with it last.
    ``region`` is empty until the owner has chosen one of ``regions``.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="cloud_accounts")
    name = models.CharField(max_length=60)
    preset = models.ForeignKey(CloudPreset, null=True, blank=True, on_delete=models.SET_NULL, related_name="accounts")
    auth_url = models.CharField("auth URL", max_length=300)
    region = models.CharField(max_length=100, blank=True)
    regions = models.JSONField(default=list, blank=True)
    project = models.CharField(max_length=200, blank=True)
    user = models.CharField(max_length=200, blank=True)
    secret: EncryptedJSONField = EncryptedJSONField()
    environments = models.ManyToManyField(Environment, blank=True, related_name="cloud_accounts")
    defaults: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    problem = models.TextField(blank=True)
    # What the platform made in the project and knows no more, as of the last look: kind, id, name of each.
    leftovers: models.JSONField[list[dict[str, str]]] = models.JSONField(default=list, blank=True)
    watched_at = models.DateTimeField(null=True, blank=True)

    objects = CloudAccountQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint("owner", Lower("name"), name="cloud_account_name_once_per_owner")]

    def __str__(self) -> str:
        return self.name

    @property
    def place(self) -> str:
        """Project and region, as people name an account."""
        return " in ".join(part for part in (self.project, self.region) if part)

    @property
    def look(self) -> Look:
        if not self.region:
            return Look("yellow", False, "Choose a region; the cloud has several.")
        if self.problem:
            return Look("red", False, self.problem)
        return Look("green", False, "The cloud accepted it when it was last checked.")

    @property
    def state_word(self) -> str:
        return "Region missing" if not self.region else "Not working" if self.problem else "Working"

    def access(self) -> Account:
        """What the cloud is told; UserError when it could not be stored whole."""
        stored = self.secret or {}
        account = Account(**{name: value for name, value in stored.items() if name in KNOWN})
        if not account.auth_url:
            raise UserError(f"The credentials of the cloud account {self.name} are lost: enter them again.")
        ca = self.preset.ca if self.preset and not account.ca else account.ca
        return replace(account, region=self.region, ca=ca)

    @property
    def may_be_private(self) -> bool:
        """Whether its auth URL may be in the platform's own network: where operators said so, for all or for this."""
        return bool(settings.PM_PRIVATE_CLOUDS) or preset_is_private(self.preset, self.auth_url)


class CloudSession(models.Model):
    """What a cloud gave when the platform signed in with an account: each of its processes goes on with it.

    A sign-in, and the first call with a new token, cost a cloud more than everything else that a form takes.
    """

    account = models.OneToOneField(CloudAccount, on_delete=models.CASCADE, related_name="session")
    state: EncryptedJSONField = EncryptedJSONField()
    # Of the credentials that signed in: with others it counts for nothing.
    credentials = models.CharField(max_length=64)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"session of {self.account}"

    @staticmethod
    def digest_of(account: Account) -> str:
        told = json.dumps(account.as_dict(), sort_keys=True)
        return salted_hmac("dashboard.cloud_session", told, algorithm="sha256").hexdigest()


class CloudCleanup(models.Model):
    """Things of a project that its owner chose to delete; a worker deletes them one after the other.

    ``things`` are dicts: kind, id, name, ours, state (a word of :class:`OperationState`) and error, in order.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(CloudAccount, on_delete=models.CASCADE, related_name="cleanups")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="cloud_cleanups"
    )
    things: models.JSONField[list[dict[str, Any]]] = models.JSONField(default=list)
    state = models.CharField(max_length=20, choices=OperationState.choices, default=OperationState.QUEUED)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=Q(state__in=("queued", "running")), name="one_cleanup_of_an_account"
            )
        ]

    def __str__(self) -> str:
        return f"clean-up of {self.account}"


def preset_is_private(preset: CloudPreset | None, auth_url: str) -> bool:
    """A preset's word counts for its own auth URL, never for one that a user typed."""
    if preset is None or not (preset.private and preset.auth_url):
        return False
    return normal_url(preset.auth_url) == auth_url
