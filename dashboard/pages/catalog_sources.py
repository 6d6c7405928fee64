"""The catalogs of an environment: where its recipes come from, and how reading them went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Q
from django.http import Http404

from dashboard.models import Catalog, CatalogKind, CatalogRecipe, Right, Stack

from .catalog import busy
from .looks import Badge
from .viewer import Viewer

READ = Badge("Read", "green", False, "All it holds was read.")
PARTLY = Badge("Partly read", "yellow", False, "Some of what it holds could not be read.")
READING = Badge("Reading", "azure", True, "It is being read, or waits for a worker.")
FAILED = Badge("Failed", "red", False, "What it gave before stays.")
OFF = Badge("Off", "secondary", False, "Operators have turned it off.")
UNREAD = Badge("Not read yet", "secondary", False, "Nobody has read it yet.")
KINDS = {
    CatalogKind.BUILTIN: "Comes with the platform",
    CatalogKind.GIT: "Git repository",
    CatalogKind.LIST: "Template list",
    CatalogKind.UPLOAD: "Uploaded file",
    CatalogKind.FOLDER: "Folder of the platform",
}


@dataclass(frozen=True)
class SourceRow:
    catalog: Catalog
    recipes: int
    badge: Badge
    mine: bool

    @property
    def kind(self) -> str:
        return KINDS[CatalogKind(self.catalog.kind)]

    @property
    def place(self) -> str:
        """Folders of the machine are nobody's business but the operators'."""
        if self.catalog.kind == CatalogKind.UPLOAD:
            return self.catalog.upload_name
        return self.catalog.address if self.catalog.kind in (CatalogKind.GIT, CatalogKind.LIST) else ""

    @property
    def skipped(self) -> list[dict[str, str]]:
        return list((self.catalog.report or {}).get("skipped", []))

    @property
    def format(self) -> str:
        """What it was taken for, where that says something."""
        told = self.catalog.kind != CatalogKind.BUILTIN
        return str((self.catalog.report or {}).get("format", "")) if told else ""


def badge(catalog: Catalog) -> Badge:
    if not catalog.enabled:
        return OFF
    if busy(catalog):
        return READING
    if catalog.problem:
        return FAILED._replace(sentence=catalog.problem)
    if catalog.read_at is None:
        return UNREAD
    return PARTLY if (catalog.report or {}).get("skipped") else READ


def sources_page(viewer: Viewer) -> dict[str, Any]:
    mine = Q(environment=viewer.environment)
    found = Catalog.objects.filter(mine | Q(environment=None, enabled=True)).defer("upload", "secret")
    catalogs = list(found.order_by("environment", "position", "name"))
    counted = CatalogRecipe.objects.filter(catalog__in=catalogs, gone_at=None).values_list("catalog")
    count = dict(counted.annotate(Count("pk")).order_by())
    rows = [SourceRow(one, count.get(one.pk, 0), badge(one), one.environment_id is not None) for one in catalogs]
    return {
        **viewer.shared,
        "own": [row for row in rows if row.mine],
        "shared_rows": [row for row in rows if not row.mine],
        "busy": any(row.badge is READING for row in rows),
    }


def own_catalog(viewer: Viewer, catalog_id: UUID) -> Catalog:
    """One that the environment's members look after; everybody's are the operators'."""
    found = viewer.environment.catalogs.filter(pk=catalog_id).first()
    if found is None:
        raise Http404("There is no such catalog in this environment.")
    return found


def refreshable(viewer: Viewer, catalog_id: UUID) -> Catalog:
    """Also everybody's, for operators."""
    everybodys = Catalog.objects.filter(pk=catalog_id, environment=None, enabled=True)
    if viewer.user.is_staff and viewer.may(Right.SETTINGS) and (found := everybodys.first()):
        return found
    return own_catalog(viewer, catalog_id)


def leaving(catalog: Catalog) -> dict[str, Any]:
    """What goes with a catalog, and which stacks came from it and stay."""
    stacks = Stack.objects.filter(source__catalog=catalog).order_by("name")
    return {"recipes": catalog.recipes.count(), "stacks": list(stacks.values_list("name", flat=True)[:50])}
