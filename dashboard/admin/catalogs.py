"""Catalogs, of which operators look after everybody's; their recipes, and credentials of registries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from dashboard.catalogs.presets import PRESETS
from dashboard.flows import catalogs as flows
from dashboard.models import Catalog, CatalogKind, CatalogRecipe, RecipeVersion, RegistryCredential
from platform_manager.errors import UserError

from .base import Observed, PlatformAdmin
from .columns import linked, moment
from .deeds import Deed

PLACE = ("address", "ref", "folder")
OWN = ["name", "kind", *PLACE, "private", "enabled", "position"]
SHOWN_SKIPPED = 50
LATER = ("How reading it went", "About")


class CatalogAdminForm(forms.ModelForm[Catalog]):
    """User and password go one way only: in."""

    user = forms.CharField(
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="Only where the address asks for one.",
    )
    password = forms.CharField(
        max_length=1_000,
        required=False,
        strip=False,
        label="Password or token",
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="Never shown. Empty, with an empty user: both stay what they are.",
    )
    forget = forms.BooleanField(
        required=False, label="Forget user and password that are known", widget=UnfoldBooleanSwitchWidget
    )
    file = forms.FileField(
        required=False, widget=UnfoldAdminFileFieldWidget, help_text="For the kind of an uploaded archive or list."
    )

    class Meta:
        model = Catalog
        fields = OWN

    @property
    def written(self) -> list[str]:
        """The columns that the form changes."""
        own = [name for name in OWN if name in self.fields]
        return [*own, "secret", "upload", "upload_name", *flows.ANEW] if "address" in self.fields else own

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        # A field that is for reading only here is none of the form's.
        if not self.errors and "name" in self.fields:
            try:
                self._place(given)
            except UserError as error:
                self.add_error({"upload": "file"}.get(error.field, error.field or None), str(error))
        return given

    def _place(self, given: dict[str, Any]) -> None:
        row = self.instance
        row.kind = kind = given.get("kind", row.kind)
        row.private = given.get("private", row.private)
        if kind == CatalogKind.BUILTIN and row.pk not in PRESETS:
            raise UserError("The built-in catalog is there already: choose another kind.", "kind")
        row.name = given["name"] = flows.checked_name(given["name"])
        if kind == CatalogKind.UPLOAD:
            self._upload(row, given.get("file"))
        elif kind != CatalogKind.BUILTIN and "address" in self.fields:
            words = {name: given.get(name) or "" for name in (*PLACE, "user", "password")}
            flows.put_at(row, flows.Place(**words, forget=bool(given.get("forget"))))
            given.update({name: getattr(row, name) for name in PLACE})

    def _upload(self, row: Catalog, file: Any) -> None:
        if file:
            flows.take_upload(row, (file.name, file.read()))
        elif row.upload is None:
            raise UserError("Choose a file.", "upload")


def _refresh(row: Catalog, by: User, given: Mapping[str, Any]) -> str:
    flows.refresh_catalog(row, by)
    return f"{row} is read as soon as a worker is free."


@admin.register(Catalog)
class CatalogAdmin(PlatformAdmin[Catalog]):
    form = CatalogAdminForm
    list_display = ["name", "kind", "show_environment", "show_recipes", "enabled", "problem", "read_at", "address"]
    list_select_related = ["environment"]
    list_filter = ["kind", "enabled"]
    search_fields = ["name", "address", "environment__name"]
    ordering = ["name", "pk"]
    # Never the secret.
    fieldsets = [
        (None, {"fields": ["name", "kind", "environment", "enabled", "position"]}),
        ("Where it is read from", {"fields": ["address", "ref", "folder", "private", "user", "password", "forget"]}),
        ("Uploaded file", {"fields": ["file", "upload_name"]}),
        (
            "How reading it went",
            {"fields": ["tried_at", "read_at", "due_at", "reading_since", "problem", "commit", "show_report"]},
        ),
        ("About", {"fields": ["id", "created_by", "created_at"]}),
    ]
    told = (
        "environment", "upload_name", "tried_at", "read_at", "due_at", "reading_since", "problem", "commit",
        "show_report", "id", "created_by", "created_at",
    )  # fmt: skip
    deeds = [
        Deed("refresh", "Read it now", lambda row: [f"{row} is read as soon as a worker is free."], _refresh),
    ]
    show_environment = linked("environment", "environment")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Catalog]:
        found = super().get_queryset(request)
        if request.resolver_match and request.resolver_match.url_name == "dashboard_catalog_changelist":
            found = found.defer("upload", "report", "secret")
        return found.annotate(recipe_count=Count("recipes"))

    def get_readonly_fields(self, request: HttpRequest, obj: Catalog | None = None) -> tuple[str, ...]:
        """What belongs to an environment its members decide, and what comes with the platform its settings do."""
        if obj is None:
            return self.told
        if obj.environment_id is not None:
            return (*self.told, "name", "kind", *PLACE)
        return (*self.told, "kind", *PLACE) if obj.pk in PRESETS else (*self.told, "kind")

    def get_fieldsets(self, request: HttpRequest, obj: Catalog | None = None) -> Any:
        """Without what only goes with fields that can't be edited, and of a new one without what comes later."""
        found = super().get_fieldsets(request, obj)
        if obj is None:
            return [(title, told) for title, told in found if title not in LATER]
        if obj.environment_id is None and obj.pk not in PRESETS:
            return found
        hidden = {"user", "password", "forget", "file"}
        return [(title, {"fields": [one for one in told["fields"] if one not in hidden]}) for title, told in found]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.pk in PRESETS)

    def save_model(self, request: HttpRequest, obj: Catalog, form: Any, change: bool) -> None:
        """Workers write into the row meanwhile: only what the form has is saved."""
        if change:
            obj.save(update_fields=form.written)
        else:
            obj.created_by = request.user if isinstance(request.user, User) else None
            obj.save()

    @display(description="recipes", ordering="recipe_count")  # type: ignore[untyped-decorator]
    def show_recipes(self, row: Any) -> int:
        return int(row.recipe_count)

    @display(description="what it holds")  # type: ignore[untyped-decorator]
    def show_report(self, row: Catalog) -> SafeString:
        report = row.report or {}
        skipped = report.get("skipped", [])
        lines = [(f"{report.get('format', 'unknown')}: {report.get('recipes', 0)} recipes",)]
        lines += [(f"{one['path']}: {one['sentence']}",) for one in skipped[:SHOWN_SKIPPED]]
        if len(skipped) > SHOWN_SKIPPED:
            lines.append((f"and {len(skipped) - SHOWN_SKIPPED} more",))
        return format_html_join(SafeString("<br>"), "{}", lines)


@admin.register(CatalogRecipe)
class CatalogRecipeAdmin(Observed[CatalogRecipe]):
    list_display = ["title", "show_catalog", "key", "versions_told", "deployable", "operators_only", "gone_at"]
    list_select_related = ["catalog"]
    list_filter = ["deployable", "operators_only"]
    search_fields = ["title", "key", "catalog__name"]
    fields = [
        "id", "catalog", "key", "title", "summary", "categories", "icon", "logo_type", "logo_address", "link",
        "maintainer", "license", "operators_only", "preferred", "versions_told", "deployable", "gone_at",
    ]  # fmt: skip
    ordering = ["title", "pk"]
    show_catalog = linked("catalog", "catalog")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CatalogRecipe]:
        return super().get_queryset(request).defer("logo", "description", "search")


@admin.register(RecipeVersion)
class RecipeVersionAdmin(Observed[RecipeVersion]):
    list_display = ["show_recipe", "label", "position", "refusal", "digest"]
    list_select_related = ["recipe"]
    search_fields = ["label", "recipe__title"]
    fields = ["recipe", "label", "position", "refusal", "notes", "digest", "compose"]
    ordering = ["-pk"]
    show_recipe = linked("recipe", "recipe")

    def get_queryset(self, request: HttpRequest) -> QuerySet[RecipeVersion]:
        found = super().get_queryset(request).defer("files", "overlays", "readme", "questions")
        return found.defer("recipe__logo", "recipe__description", "recipe__search")


@admin.register(RegistryCredential)
class RegistryCredentialAdmin(Observed[RegistryCredential]):
    list_display = ["server", "username", "show_environment", "checked", "problem"]
    list_select_related = ["environment"]
    search_fields = ["server", "username", "environment__name"]
    # Never the secret.
    fields = ["id", "environment", "server", "username", "checked_at", "problem", "created_by", "created_at"]
    ordering = ["server", "pk"]
    show_environment = linked("environment", "environment")
    checked = moment("checked", "checked_at")
