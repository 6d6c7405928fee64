"""Rows of the audit log as a file, sent while it is read: a few thousand rows are in memory, however many there are."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone

from dashboard.models import AuditEntry
from platform_manager.catalogs.hidden import shown

COLUMNS = [
    "id", "at", "actor", "actor_id", "via", "address", "action", "object_kind", "object_id", "object_name",
    "environment", "environment_id", "outcome", "detail",
]  # fmt: skip
AT_ONCE = 2_000
# A spreadsheet takes what begins with one of these for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")

Row = dict[str, Any]


class Format(NamedTuple):
    suffix: str
    content_type: str
    head: str
    write: Callable[[Iterable[Row]], str]


def _csv(rows: Iterable[Row]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    for row in rows:
        writer.writerow(_cell(row[name]) for name in COLUMNS)
    return text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _json_lines(rows: Iterable[Row]) -> str:
    return "".join(f"{json.dumps(row, ensure_ascii=False, default=_plain)}\n" for row in rows)


def _plain(value: Any) -> str:
    return str(value.isoformat() if hasattr(value, "isoformat") else value)


FORMATS = {
    "csv": Format("csv", "text/csv; charset=utf-8", ",".join(COLUMNS) + "\r\n", _csv),
    "jsonl": Format("jsonl", "application/x-ndjson", "", _json_lines),
}


def export(rows: QuerySet[AuditEntry], form: Format) -> StreamingHttpResponse:
    """The newest first, as far as it went when the export began."""
    name = f"audit-{timezone.now():%Y%m%d-%H%M%S}.{form.suffix}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(_parts(rows, form), content_type=form.content_type, headers=headers)


async def _parts(rows: QuerySet[AuditEntry], form: Format) -> AsyncIterator[str]:
    if form.head:
        yield form.head
    newest: QuerySet[AuditEntry, Row] = rows.order_by("-id").values(*COLUMNS)
    last: int | None = None
    while True:
        page = await _page(newest, last)
        if not page:
            return
        yield form.write(page)
        last = page[-1]["id"]


@sync_to_async
def _page(newest: QuerySet[AuditEntry, Row], last: int | None) -> list[Row]:
    """By the last row's id: a cursor would hold the database's state for as long as the client reads."""
    found = list((newest if last is None else newest.filter(id__lt=last))[:AT_ONCE])
    return [{**row, "detail": told(row["detail"])} for row in found]


def told(detail: dict[str, Any]) -> dict[str, Any]:
    """What an entry says besides; those of earlier releases hold addresses of catalogs with their tokens."""
    address = detail.get("address")
    return {**detail, "address": shown(address)} if isinstance(address, str) else detail
