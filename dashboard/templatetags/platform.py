"""Filters and small elements that every page uses: states, times, sizes, breadcrumbs and form fields."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, FileInput, RadioSelect, Select
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from dashboard.pages.looks import moment

register = template.Library()

SPANS = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")]


@register.filter(name="bytes")
def as_bytes(size: float | str | None) -> str:
    """A size in bytes with its unit, in powers of 1024."""
    if size is None or size == "":
        return ""
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(value) < 1024:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def duration(value: timedelta | float | str | None) -> str:
    """A span of time by its two largest units, as in "1 min 5 s"; static/js/times.js says the same."""
    if value is None or value == "":
        return ""
    seconds = int(value.total_seconds() if isinstance(value, timedelta) else float(value))
    if seconds < 1:
        return "<1 s"
    parts: list[str] = []
    for size, unit in SPANS:
        if seconds >= size:
            parts.append(f"{seconds // size} {unit}")
            seconds %= size
    return " ".join(parts[:2])


def ago(at: datetime) -> str:
    """How long ago (or in how long) in words; static/js/times.js says the same."""
    seconds = (timezone.now() - at).total_seconds()
    if abs(seconds) < 5:
        return "now"
    size, unit = next(span for span in SPANS if abs(seconds) >= span[0])
    count = int(abs(seconds) // size)
    return f"{count} {unit} ago" if seconds > 0 else f"in {count} {unit}"


@register.simple_tag
def when(value: datetime | str | None, empty: str = "never") -> SafeString:
    """A point in time, or an engine's timestamp: relative, kept fresh by times.js, with the absolute one on hover."""
    at = moment(value) if isinstance(value, str) else value
    if at is None:
        return format_html('<span class="text-secondary">{}</span>', empty)
    at = at.astimezone(timezone.get_current_timezone())
    title = at.strftime("%Y-%m-%d %H:%M:%S %Z")
    return format_html('<time datetime="{}" title="{}" data-relative>{}</time>', at.isoformat(), title, ago(at))


@register.simple_tag
def elapsed(item: Any) -> SafeString:
    """How long an operation or step took, or is taking: then times.js counts on."""
    if item.started_at is None:
        return SafeString("")
    running = item.finished_at is None
    since = format_html(' data-elapsed-since="{}"', item.started_at.isoformat()) if running else ""
    return format_html('<span class="elapsed"{}>{}</span>', since, duration(item.elapsed))


@register.inclusion_tag("elements/state.html")
def state(item: Any, announce: str = "") -> dict[str, Any]:
    """The state of a host, stack, operation, step or revision: word, dot, colour, sentence on hover.

    ``announce`` is the thing's name; with it a screen reader hears each change that arrives live.
    """
    look = item.look
    return {
        "word": item.get_state_display(),
        "colour": look.colour,
        "moving": look.moving,
        "sentence": look.sentence,
        "announce": announce,
    }


@register.inclusion_tag("elements/state.html")
def look(colour: str, word: str, sentence: str = "", moving: bool = False, announce: str = "") -> dict[str, Any]:
    """Any other word with a dot and a Tabler colour."""
    return {"word": word, "colour": colour, "moving": moving, "sentence": sentence, "announce": announce}


@register.simple_tag
def crumb(title: str, url: str = "", gone: bool = False) -> SafeString:
    """One step of the breadcrumbs; without an address it is the page itself, or ``gone``."""
    if gone:
        return format_html('<li class="breadcrumb-item">{}</li>', title)
    if url:
        return format_html('<li class="breadcrumb-item"><a href="{}">{}</a></li>', url, title)
    return format_html('<li class="breadcrumb-item active" aria-current="page">{}</li>', title)


@register.inclusion_tag("elements/field.html")
def field(bound: BoundField, label: str = "", prefix: str = "", suffix: str = "") -> dict[str, Any]:
    """A form field with its label, help and error; ``prefix`` and ``suffix`` stand in the input's frame."""
    widget = bound.field.widget
    kind = "input"
    css = "form-control"
    if isinstance(widget, RadioSelect | CheckboxSelectMultiple):
        kind, css = "choices", "form-check-input"
    elif isinstance(widget, CheckboxInput):
        kind, css = "check", "form-check-input"
    elif isinstance(widget, Select):
        css = "form-select"
    if bound.errors:
        css += " is-invalid"
    attrs: dict[str, str | bool] = {"class": f"{css} {widget.attrs.get('class', '')}".strip()}
    return {
        "field": bound,
        "label": label or bound.label,
        "kind": kind,
        "input": "" if kind == "choices" else bound.as_widget(attrs=attrs),
        "css": css,
        "prefix": prefix,
        "suffix": suffix,
        "file": isinstance(widget, FileInput),
    }
