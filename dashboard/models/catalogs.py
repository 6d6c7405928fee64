"""Catalogs, the recipes they hold, and the registries an environment may pull images from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from .environments import Environment
from .fields import EncryptedJSONField
from .ids import uuid7

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class CatalogKind(models.TextChoices):
    BUILTIN = "builtin", "Built in"
    GIT = "git", "Git repository"
    LIST = "list", "Template list (Portainer)"
    UPLOAD = "upload", "Uploaded archive or list"
    FOLDER = "folder", "Folder of the platform's machine"


class CatalogQuerySet(models.QuerySet["Catalog"]):
    def of(self, environment: Environment) -> CatalogQuerySet:
        """Those whose recipes can be deployed there: everybody's and its own."""
        return self.filter(Q(environment=None) | Q(environment=environment), enabled=True)


class Catalog(models.Model):
    """A source of recipes; without an environment it is everybody's, and operators look after it.

    ``address`` is a URL, or a folder, as everybody may see it. ``secret`` holds user and password, and as ``query``
    that of the address where a part of it is masked there; nobody is shown them again. What it gave when it was read
    well last stays while ``problem`` says why the newest try failed. ``commit`` names that state.
    ``report`` is ``{"format": str, "skipped": [{"path", "sentence"}]}``.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    environment = models.ForeignKey(
        Environment, null=True, blank=True, on_delete=models.CASCADE, related_name="catalogs"
    )
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=10, choices=CatalogKind.choices, default=CatalogKind.GIT)
    address = models.CharField(max_length=500, blank=True)
    ref = models.CharField("branch or tag", max_length=200, blank=True, help_text="Empty: the repository's own.")
    folder = models.CharField("subfolder", max_length=300, blank=True, help_text="Empty: the whole repository.")
    secret = EncryptedJSONField(null=True, blank=True)
    private = models.BooleanField(
        "may have a private address", default=False, help_text="Operators decide: it reaches the platform's network."
    )
    upload = models.BinaryField(null=True, blank=True)
    upload_name = models.CharField(max_length=200, blank=True)
    enabled = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    # Empty: it waits for nothing. Set by whoever wants it read soon, and when it is next read by itself.
    due_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    reading_since = models.DateTimeField(null=True, blank=True)
    tried_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    problem = models.TextField(blank=True)
    commit = models.CharField(max_length=64, blank=True)
    report: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True)

    objects = CatalogQuerySet.as_manager()

    class Meta:
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint("environment", Lower("name"), name="catalog_name_once_per_environment"),
            models.UniqueConstraint(
                Lower("name"), condition=Q(environment=None), name="catalog_name_once_for_everybody"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def signs_in(self) -> bool:
        return isinstance(self.secret, dict) and "password" in self.secret


class CatalogRecipeQuerySet(models.QuerySet["CatalogRecipe"]):
    def of(self, environment: Environment, user: User) -> CatalogRecipeQuerySet:
        """What the user may deploy there, without what its catalog no longer has."""
        found = self.filter(catalog__in=Catalog.objects.of(environment), gone_at=None)
        return found if user.is_staff else found.filter(operators_only=False)


class CatalogRecipe(models.Model):
    """One recipe of a catalog; ``key`` names it there. ``summary`` is text, ``description`` sanitised HTML.

    ``search`` is all that is searched, in small letters. ``gone_at`` is set on a recipe that left its catalog while a
    stack still came from it. ``versions_told`` is how many versions there are, ``deployable`` whether any can be.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    catalog = models.ForeignKey(Catalog, on_delete=models.CASCADE, related_name="recipes")
    key = models.CharField(max_length=300)
    title = models.CharField(max_length=200)
    summary = models.CharField(max_length=300, blank=True)
    description = models.TextField(blank=True)
    categories: models.JSONField[list[str]] = models.JSONField(default=list, blank=True)
    search = models.TextField(blank=True)
    icon = models.CharField(max_length=40, blank=True)
    logo = models.BinaryField(null=True, blank=True)
    logo_type = models.CharField(max_length=40, blank=True)
    logo_address = models.CharField(max_length=1000, blank=True)
    link = models.CharField(max_length=500, blank=True)
    maintainer = models.CharField(max_length=200, blank=True)
    license = models.CharField(max_length=100, blank=True)
    operators_only = models.BooleanField(default=False)
    preferred = models.CharField(max_length=100, blank=True)
    versions_told = models.PositiveIntegerField(default=0)
    deployable = models.BooleanField(default=True)
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = CatalogRecipeQuerySet.as_manager()

    class Meta:
        ordering = ["title", "id"]
        constraints = [models.UniqueConstraint(fields=["catalog", "key"], name="recipe_key_once_per_catalog")]
        indexes = [
            models.Index(Lower("title"), name="recipe_by_title"),
            # Lists are counted and sorted by it alone: rows may hold large logos.
            models.Index(fields=["catalog", "gone_at", "operators_only", "title", "id"], name="recipe_shown"),
        ]

    def __str__(self) -> str:
        return self.title


class RecipeVersion(models.Model):
    """One version of a recipe; ``position`` 0 is the newest.

    ``files`` are base64 by path, ``overlays`` ``[{"name", "compose"}]``, ``questions`` as ``Question.as_dict``,
    ``notes`` sentences on a conversion, ``readme`` sanitised HTML. ``refusal`` says why it can't be deployed.
    ``digest`` changes with what would be deployed.
    """

    recipe = models.ForeignKey(CatalogRecipe, on_delete=models.CASCADE, related_name="versions")
    label = models.CharField(max_length=100)
    position = models.PositiveIntegerField(default=0)
    compose = models.TextField(blank=True)
    files: models.JSONField[dict[str, str]] = models.JSONField(default=dict, blank=True)
    overlays: models.JSONField[list[dict[str, str]]] = models.JSONField(default=list, blank=True)
    questions: models.JSONField[list[dict[str, Any]]] = models.JSONField(default=list, blank=True)
    notes: models.JSONField[list[str]] = models.JSONField(default=list, blank=True)
    refusal = models.TextField(blank=True)
    readme = models.TextField(blank=True)
    digest = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["recipe", "label"], name="version_once_per_recipe")]

    def __str__(self) -> str:
        return f"{self.recipe} {self.label}"


class RegistryCredential(models.Model):
    """What an environment's stacks sign in with at an image registry; ``secret`` holds user and password.

    ``server`` is as in image names ("registry.example.org:5000"). ``problem`` is what the registry said last, where it
    took them not.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="registries")
    server = models.CharField(max_length=255)
    username = models.CharField(max_length=200)
    secret = EncryptedJSONField(default=dict)
    checked_at = models.DateTimeField(null=True, blank=True)
    problem = models.TextField(blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["server"]
        constraints = [models.UniqueConstraint(fields=["environment", "server"], name="registry_once_per_environment")]

    def __str__(self) -> str:
        return f"{self.username} at {self.server}"
