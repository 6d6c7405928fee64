"""One refresh of a catalog: read its source, store what it holds, and say what went wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import timezone

from dashboard.models import Catalog, CatalogKind
from dashboard.models.hints import environment_group, hint
from platform_manager.catalogs.base import Skipped
from platform_manager.errors import PlatformError

from . import logos, reading, remotes
from .rows import Prepared, prepared
from .storing import report_of, store

log = logging.getLogger("platform.catalogs")

TAKEN_OVER_AFTER = timedelta(minutes=10)
FIRST_PAUSE_SECONDS = 300
FAULT = "It could not be read: the platform made a mistake, which its log has. Tell an operator, and try it again."


@dataclass(frozen=True)
class Sources:
    """How catalogs and the repositories they name are reached; tests give others."""

    read: Callable[[Catalog, str], reading.Fresh] = reading.read
    fetcher: Callable[[bool], remotes.Fetch] = remotes.fetcher


def due() -> QuerySet[Catalog]:
    """Catalogs that are to be read now, those that wait longest first; what a dead worker had is due again."""
    now = timezone.now()
    free = Q(reading_since=None) | Q(reading_since__lt=now - TAKEN_OVER_AFTER)
    return Catalog.objects.filter(free, enabled=True, due_at__lte=now).defer("upload", "report").order_by("due_at")


def claim(catalog: Catalog) -> bool:
    """Whether this refresh is the caller's: of several that want it, one gets it."""
    now = timezone.now()
    mine = Catalog.objects.filter(pk=catalog.pk, reading_since=catalog.reading_since, due_at=catalog.due_at)
    if not mine.update(reading_since=now):
        return False
    catalog.reading_since = now
    _tell(catalog)
    return True


def refresh(catalog: Catalog, sources: Sources | None = None) -> None:
    """Read a claimed catalog. What it gave before stays where this fails, with the reason next to it."""
    sources = sources or Sources()
    due_at, claimed = catalog.due_at, catalog.reading_since
    catalog = Catalog.objects.filter(pk=catalog.pk).first() or catalog
    if catalog.reading_since != claimed:
        return
    try:
        done = _read_and_store(catalog, due_at, sources)
    except PlatformError as error:
        _failed(catalog, due_at, str(error))
        return
    except Exception:
        # Catalogs are anybody's: one that trips a reader shall say so, and not be tried without end.
        log.exception("catalog %s", catalog.pk)
        _failed(catalog, due_at, FAULT)
        return
    if done and logos.fetch_missing(catalog.pk, reading.may_be_private(catalog)):
        _tell(catalog)


def _read_and_store(catalog: Catalog, due_at: datetime | None, sources: Sources) -> bool:
    report = catalog.report or {}
    # Other repositories change without the list that names them.
    same = report.get("edition") == reading.EDITION and not report.get("remotes")
    fresh = sources.read(catalog, catalog.commit if same else "")
    if fresh.found is None:
        return _finish(catalog, due_at, {"problem": "", "read_at": timezone.now(), "report": _well(report)})
    named = sum(version.remote is not None for entry in fresh.found.entries for version in entry.versions)
    found, missing = remotes.complete(fresh.found, sources.fetcher(reading.may_be_private(catalog)))
    rows, left_out = prepared(found, missing)
    unread = [Skipped(f"{key} {label}".strip(), sentence) for (key, label), sentence in missing.items()]
    skipped = [*fresh.skipped, *found.skipped, *left_out, *unread]
    report = {**report_of(found.format, rows, skipped, reading.EDITION), "remotes": named}
    values = {"problem": "", "read_at": timezone.now(), "commit": fresh.commit[:64], "report": report}
    return _finish(catalog, due_at, values, rows)


def _well(report: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in report.items() if name != "failures"}


def _failed(catalog: Catalog, due_at: datetime | None, problem: str) -> None:
    failures = int((catalog.report or {}).get("failures", 0)) + 1
    report = {**(catalog.report or {}), "failures": failures}
    _finish(catalog, due_at, {"problem": problem[:2_000], "report": report}, failures=failures)


@transaction.atomic
def _finish(
    catalog: Catalog,
    due_at: datetime | None,
    values: dict[str, Any],
    rows: list[Prepared] | None = None,
    failures: int = 0,
) -> bool:
    """Write how it ended; nothing where the catalog was changed, removed or taken over meanwhile."""
    mine = Catalog.objects.select_for_update().filter(pk=catalog.pk, reading_since=catalog.reading_since)
    if not mine.values_list("pk").first():
        return False
    if rows is not None:
        store(catalog, rows)
    # Who asked for another reading meanwhile gets it.
    following = Case(When(due_at=due_at, then=Value(_next(catalog, failures))), default=F("due_at"))
    now = timezone.now()
    Catalog.objects.filter(pk=catalog.pk).update(reading_since=None, tried_at=now, due_at=following, **values)
    _tell(catalog)
    return True


def _next(catalog: Catalog, failures: int) -> datetime | None:
    """When it is read next by itself; what was uploaded does not change."""
    every = settings.PM_CATALOG_SECONDS
    if every <= 0 or catalog.kind == CatalogKind.UPLOAD:
        return None
    pause = min(every, FIRST_PAUSE_SECONDS * 2 ** min(failures - 1, 20)) if failures else every
    return timezone.now() + timedelta(seconds=pause)


def _tell(catalog: Catalog) -> None:
    """Open pages of the catalog's environment look again."""
    if catalog.environment_id:
        hint(environment_group(catalog.environment_id), what="rows")
